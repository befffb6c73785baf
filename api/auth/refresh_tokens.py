"""Refresh tokens rotate within a family, which is one login.

A token is exchanged once, by whoever marks it used first. A token that comes
back after that is in two hands: the whole family ends, and both must sign in.
"""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import psycopg

from api import audit

LIFETIME = timedelta(days=30)


@dataclass(frozen=True)
class Exchange:
    """What became of a token.

    Attributes:
        token: the successor; None unless the outcome is `rotated`.
    """

    outcome: Literal["rotated", "reused", "invalid"]
    user_id: uuid.UUID | None = None
    token: str | None = None


async def begin_family(
    connection: psycopg.AsyncConnection, user_id: uuid.UUID, now: datetime
) -> str:
    return await _hand_out(connection, uuid.uuid4(), user_id, now)


async def exchange(connection: psycopg.AsyncConnection, token: str, now: datetime) -> Exchange:
    """Exchange a token for its successor; commit whatever the outcome."""
    won = await (
        await connection.execute(
            "update account.refresh_token set used_at = %(now)s"
            " where token_sha256 = %(digest)s and used_at is null and revoked_at is null"
            " and expires_at > %(now)s returning family_id, user_id",
            {"now": now, "digest": _digest(token)},
        )
    ).fetchone()
    if won is None:
        return await _refuse(connection, token, now)
    family_id, user_id = won
    successor = await _hand_out(connection, family_id, user_id, now)
    return Exchange("rotated", user_id, successor)


async def _refuse(connection: psycopg.AsyncConnection, token: str, now: datetime) -> Exchange:
    known = await (
        await connection.execute(
            "select family_id, user_id from account.refresh_token"
            " where token_sha256 = %s and used_at is not null",
            [_digest(token)],
        )
    ).fetchone()
    if known is None:
        return Exchange("invalid")
    family_id, user_id = known
    await _end_family(connection, family_id, now)
    await audit.record(connection, now, user_id, "refresh_token.reused", f"family {family_id}")
    return Exchange("reused", user_id)


async def end(connection: psycopg.AsyncConnection, token: str, now: datetime) -> None:
    """End the family of a token; an unknown one is no error, it is as good as ended."""
    await connection.execute(
        "update account.refresh_token set revoked_at = %s where revoked_at is null and family_id ="
        " (select family_id from account.refresh_token where token_sha256 = %s)",
        [now, _digest(token)],
    )


async def _end_family(
    connection: psycopg.AsyncConnection, family_id: uuid.UUID, now: datetime
) -> None:
    await connection.execute(
        "update account.refresh_token set revoked_at = %s"
        " where family_id = %s and revoked_at is null",
        [now, family_id],
    )


async def _hand_out(
    connection: psycopg.AsyncConnection, family_id: uuid.UUID, user_id: uuid.UUID, now: datetime
) -> str:
    token = "rt_" + secrets.token_urlsafe(32)
    await connection.execute(
        "insert into account.refresh_token"
        " (token_sha256, family_id, user_id, issued_at, expires_at) values (%s, %s, %s, %s, %s)",
        [_digest(token), family_id, user_id, now, now + LIFETIME],
    )
    return token


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
