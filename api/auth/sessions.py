"""Sessions: one login each, which every token of it belongs to, and which can be ended.

The row of the session is locked before any of its tokens, so that an end and an
exchange that meet happen one after the other.
"""

import uuid
from datetime import datetime, timedelta

import msgspec
import psycopg

from api.auth.networks import Seen
from api.rows import fetch_all

LIFETIME = timedelta(days=30)


class Session(msgspec.Struct, frozen=True):
    """`network` is the address shortened; `is_current` marks the login that asks."""

    id: uuid.UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    user_agent: str
    network: str
    has_totp: bool
    is_current: bool


async def begin(
    connection: psycopg.AsyncConnection,
    user_id: uuid.UUID,
    now: datetime,
    seen: Seen,
    *,
    has_totp: bool,
) -> uuid.UUID:
    """A new login of the person whom the connection acts as."""
    session_id = uuid.uuid4()
    await connection.execute(
        "insert into account.session (id, user_id, created_at, last_used_at, expires_at,"
        " user_agent, network, has_totp) values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            *(session_id, user_id, now, now, now + LIFETIME),
            *(seen.user_agent, seen.network, has_totp),
        ],
    )
    return session_id


async def lock(connection: psycopg.AsyncConnection, session_id: uuid.UUID) -> bool:
    """Hold a session until the transaction ends. False: it has ended."""
    found = await connection.execute(
        "select 1 from account.session where id = %s and ended_at is null for update", [session_id]
    )
    return await found.fetchone() is not None


async def note_use(
    connection: psycopg.AsyncConnection, session_id: uuid.UUID, now: datetime, seen: Seen
) -> None:
    await connection.execute(
        "update account.session set last_used_at = %s, expires_at = %s, user_agent = %s,"
        " network = %s where id = %s",
        [now, now + LIFETIME, seen.user_agent, seen.network, session_id],
    )


async def end(
    connection: psycopg.AsyncConnection,
    user_id: uuid.UUID,
    now: datetime,
    *,
    only: uuid.UUID | None = None,
    but: uuid.UUID | None = None,
) -> int:
    """End the sessions of a person: all, one only, or all but one. Returns how many."""
    ended = await connection.execute(
        "update account.session set ended_at = %(now)s"
        " where user_id = %(user_id)s and ended_at is null"
        " and (%(only)s::uuid is null or id = %(only)s) and id is distinct from %(but)s::uuid"
        " returning id",
        {"now": now, "user_id": user_id, "only": only, "but": but},
    )
    ids = [session_id for (session_id,) in await ended.fetchall()]
    await connection.execute(
        "update account.refresh_token set revoked_at = %s"
        " where family_id = any(%s) and revoked_at is null",
        [now, ids],
    )
    return len(ids)


async def running(
    connection: psycopg.AsyncConnection,
    user_id: uuid.UUID,
    current_id: uuid.UUID | None,
    now: datetime,
) -> list[Session]:
    """The sessions that go on, last used first."""
    return await fetch_all(
        connection,
        Session,
        "select id, created_at, last_used_at, expires_at, user_agent, network, has_totp,"
        " id is not distinct from %s::uuid as is_current from account.session"
        " where user_id = %s and ended_at is null and expires_at > %s"
        " order by last_used_at desc, id",
        [current_id, user_id, now],
    )
