"""Single-use tokens of letters: random, known to us by their sha256 only."""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import psycopg

from api.problems import Problem
from api.rows import fetch_one

Purpose = Literal["confirm_email", "reset_password", "change_email"]

LIFETIME: dict[Purpose, timedelta] = {
    "confirm_email": timedelta(days=3),
    "reset_password": timedelta(hours=1),
    "change_email": timedelta(days=3),
}
# A mailbox is not flooded by whoever knows its address.
LETTERS_AN_HOUR = 3


class Proven(msgspec.Struct, frozen=True):
    """Whose token came back, and the address that it proves."""

    user_id: uuid.UUID
    email: str


async def make(
    connection: psycopg.AsyncConnection,
    user_id: uuid.UUID,
    purpose: Purpose,
    email: str,
    now: datetime,
) -> str | None:
    """A new token in place of older ones of its purpose; None: enough were made this hour.

    The connection acts as that person.
    """
    made = await connection.execute(
        "select count(*) from account.mail_token"
        " where user_id = %s and purpose = %s and created_at > %s",
        [user_id, purpose, now - timedelta(hours=1)],
    )
    ((count,),) = await made.fetchall()
    if count >= LETTERS_AN_HOUR:
        return None
    await take_back(connection, user_id, purpose, now)
    token = "mt_" + secrets.token_urlsafe(32)
    await connection.execute(
        "insert into account.mail_token"
        " (token_sha256, user_id, purpose, email, created_at, expires_at)"
        " values (%s, %s, %s, %s, %s, %s)",
        [_digest(token), user_id, purpose, email, now, now + LIFETIME[purpose]],
    )
    return token


async def take_back(
    connection: psycopg.AsyncConnection, user_id: uuid.UUID, purpose: Purpose, now: datetime
) -> None:
    """What was sent for this purpose before works no more."""
    await connection.execute(
        "update account.mail_token set used_at = %s"
        " where user_id = %s and purpose = %s and used_at is null",
        [now, user_id, purpose],
    )


async def use(
    connection: psycopg.AsyncConnection, token: str, purpose: Purpose, now: datetime
) -> Proven:
    """Whose token this is, once.

    Raises:
        Problem: invalid_mail_token.
    """
    proven = await fetch_one(
        connection,
        Proven,
        "select user_id, email from account.use_mail_token(%s, %s, %s)",
        [_digest(token), purpose, now],
    )
    if proven is None:
        raise Problem(
            "invalid_mail_token", "It was used, replaced by a newer one, or is too old: ask anew."
        )
    return proven


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
