"""What only the operator's machine may do to accounts."""

import psycopg
from sqlalchemy import URL

from sql.clock import system_clock
from sql.roles import conninfo


def make_operator(owner: URL, email: str) -> None:
    """Give an account the operator's role.

    Raises:
        ValueError: there is no such account.
    """
    with psycopg.connect(conninfo(owner)) as connection:
        row = connection.execute(
            "update account.user_account set role = 'operator' where email = lower(%s)"
            " returning id",
            [email],
        ).fetchone()
        if row is None:
            raise ValueError(f"no account {email}: register it first")
        connection.execute(
            "insert into audit.event (at, actor_id, action, subject, owner_id, detail)"
            " values (%s, null, 'account.make_operator', %s, %s, '{}')",
            [system_clock(), str(row[0]), row[0]],
        )
