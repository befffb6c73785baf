"""What only the operator's machine may do to accounts."""

import uuid
from typing import Any

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
        _record(connection, "account.make_operator", row[0])


def remove_totp(owner: URL, email: str) -> None:
    """Remove a second factor that is lost, with its recovery codes; every login ends.

    Raises:
        ValueError: there is no such account, or it has no second factor.
    """
    with psycopg.connect(conninfo(owner)) as connection:
        row = connection.execute(
            "delete from account.totp t using account.user_account u"
            " where u.id = t.user_id and u.email = lower(%s) returning u.id",
            [email],
        ).fetchone()
        if row is None:
            raise ValueError(f"no account {email} with a second factor")
        now = system_clock()
        values = {"id": row[0], "now": now}
        connection.execute("delete from account.recovery_code where user_id = %(id)s", values)
        connection.execute(
            "update account.session set ended_at = %(now)s"
            " where user_id = %(id)s and ended_at is null",
            values,
        )
        connection.execute(
            "update account.refresh_token set revoked_at = %(now)s"
            " where user_id = %(id)s and revoked_at is null",
            values,
        )
        _record(connection, "totp.remove_by_operator", row[0])


def _record(connection: psycopg.Connection[Any], action: str, subject: uuid.UUID) -> None:
    connection.execute(
        "insert into audit.event (at, actor_id, action, subject, owner_id, detail)"
        " values (%s, null, %s, %s, %s, '{}')",
        [system_clock(), action, str(subject), subject],
    )
