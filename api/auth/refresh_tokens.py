"""Refresh tokens rotate within a family, which is one session.

A token is exchanged once, by whoever marks it used first. A token that comes
back after that is in two hands: the whole family ends, and both must sign in.

A browser that leaves a page loses answers that are under way, and with them the cookie.
Within `leeway` it may show the last token once more: the successor that nobody
showed is taken back for another one, so that one token at most is good at any time. Who
shows one that was taken back holds an answer that was not lost: the family ends.
"""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import psycopg

from api import audit
from api.auth import sessions
from api.auth.networks import Seen
from sql.session import act_as

NO_LEEWAY = timedelta(0)


@dataclass(frozen=True)
class Exchange:
    """What became of a token.

    Attributes:
        token: the successor; None unless the outcome is `rotated`.
    """

    outcome: Literal["rotated", "reused", "invalid"]
    user_id: uuid.UUID | None = None
    session_id: uuid.UUID | None = None
    token: str | None = None


async def hand_out(
    connection: psycopg.AsyncConnection, session_id: uuid.UUID, user_id: uuid.UUID, now: datetime
) -> str:
    """The next token of a session."""
    token = "rt_" + secrets.token_urlsafe(32)
    await connection.execute(
        "insert into account.refresh_token"
        " (token_sha256, family_id, user_id, issued_at, expires_at) values (%s, %s, %s, %s, %s)",
        [_digest(token), session_id, user_id, now, now + sessions.LIFETIME],
    )
    return token


async def exchange(
    connection: psycopg.AsyncConnection,
    token: str,
    now: datetime,
    seen: Seen,
    leeway: timedelta = NO_LEEWAY,
) -> Exchange:
    """Exchange a token for its successor; commit whatever the outcome."""
    family = await _family(connection, token)
    if family is None:
        return Exchange("invalid")
    session_id, user_id = family
    await act_as(connection, user_id, now)
    goes_on = await sessions.lock(connection, session_id)
    won = await connection.execute(
        "update account.refresh_token set used_at = %(now)s"
        " where token_sha256 = %(digest)s and used_at is null and revoked_at is null"
        " and expires_at > %(now)s",
        {"now": now, "digest": _digest(token)},
    )
    # Without leeway it is not even asked: who raced us may have a later clock than ours.
    may_show_again = goes_on and leeway > NO_LEEWAY
    if won.rowcount == 0 and not (
        may_show_again and await _take_back_successor(connection, token, session_id, now, leeway)
    ):
        return await _refuse(connection, token, session_id, user_id, now, goes_on=goes_on)
    if not goes_on:
        return Exchange("invalid")
    await sessions.note_use(connection, session_id, now, seen)
    successor = await hand_out(connection, session_id, user_id, now)
    return Exchange("rotated", user_id, session_id, successor)


async def _take_back_successor(
    connection: psycopg.AsyncConnection,
    token: str,
    session_id: uuid.UUID,
    now: datetime,
    leeway: timedelta,
) -> bool:
    """Whether the token is the family's last one used, a moment ago; its successor is revoked."""
    revoked = await connection.execute(
        "with shown as (select used_at from account.refresh_token"
        " where token_sha256 = %(digest)s and used_at > %(since)s)"
        " update account.refresh_token set revoked_at = %(now)s from shown"
        " where family_id = %(family)s and refresh_token.used_at is null and revoked_at is null"
        " and not exists (select 1 from account.refresh_token later"
        " where later.family_id = %(family)s and later.used_at > shown.used_at)",
        {"digest": _digest(token), "since": now - leeway, "now": now, "family": session_id},
    )
    return revoked.rowcount > 0


async def _refuse(
    connection: psycopg.AsyncConnection,
    token: str,
    session_id: uuid.UUID,
    user_id: uuid.UUID,
    now: datetime,
    *,
    goes_on: bool,
) -> Exchange:
    # In a session that goes on a token is only ever revoked for another answer of its own.
    spent = await connection.execute(
        "select 1 from account.refresh_token where token_sha256 = %s"
        " and (used_at is not null or (revoked_at is not null and %s))",
        [_digest(token), goes_on],
    )
    if await spent.fetchone() is None:
        return Exchange("invalid")
    await sessions.end(connection, user_id, now, only=session_id)
    await audit.record(connection, now, user_id, "refresh_token.reused", f"family {session_id}")
    return Exchange("reused", user_id)


async def end(connection: psycopg.AsyncConnection, token: str, now: datetime) -> None:
    """End the session of a token; an unknown one is no error, it is as good as ended."""
    family = await _family(connection, token)
    if family is None:
        return
    session_id, user_id = family
    await act_as(connection, user_id, now)
    if await sessions.end(connection, user_id, now, only=session_id):
        await audit.record(connection, now, user_id, "session.end", str(session_id))


async def _family(
    connection: psycopg.AsyncConnection, token: str
) -> tuple[uuid.UUID, uuid.UUID] | None:
    found = await connection.execute(
        "select family_id, user_id from account.refresh_token where token_sha256 = %s",
        [_digest(token)],
    )
    return await found.fetchone()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
