"""Put a letter into the outbox, in the transaction of the act that it is about.

Theory of operation: a letter is a row of `account.mail`. It is there if and only
if the act is, so nobody hears of what was rolled back. `api.mail.delivery` hands
due letters to the mail server one by one, each held by a row lock while it is on
its way; a process that dies in between leaves it due, and it goes out again under
the same Message-ID. Once delivered, the text is blank: a token that it carried is
known to the person alone, and to us by its sha256.
"""

import uuid
from datetime import datetime

import psycopg


async def put(
    connection: psycopg.AsyncConnection,
    now: datetime,
    user_id: uuid.UUID,
    kind: str,
    subject: str,
    text: str,
    address: str | None = None,
) -> None:
    """Write to a person, who need not be the one who acts; who left is not written to.

    Args:
        connection: with the act's transaction open.
        now: the platform's instant; it is delivered from then on.
        user_id: whom.
        kind: noun and verb such as `password_changed`; people filter by it.
        subject: one line.
        text: plain text; lines up to 78 characters.
        address: where to, if not the account's own address.
    """
    await connection.execute(
        "select account.put_mail(%s, %s, %s, %s, %s, %s)",
        [user_id, kind, subject, text, now, address],
    )
