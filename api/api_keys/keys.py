"""Whose API key a request shows, by the database, and when it was last used."""

import uuid
from dataclasses import dataclass
from datetime import datetime

import psycopg

from api import audit
from api.auth.caller import Caller
from sql.api_key import FIND, EndedKey, split_key
from sql.api_key import ended as ended_key
from sql.api_key import holder as key_holder
from sql.session import act_as

PREFIX = "sk_"


@dataclass(frozen=True)
class HeldKey:
    """A key that is good now.

    Attributes:
        expires_at: refused from then on; None: never.
    """

    caller: Caller
    expires_at: datetime | None


async def held(
    connection: psycopg.AsyncConnection, environment: str, key: str, now: datetime
) -> HeldKey | EndedKey | None:
    """Whose key it is, noting its use; None if it is unknown or of another environment."""
    parts = split_key(key, environment)
    if parts is None:
        return None
    key_id, secret_sha256 = parts
    found = await connection.execute(FIND, [key_id])
    row = await found.fetchone()
    person = key_holder(row, secret_sha256, now)
    if person is None:
        return ended_key(key_id, row, secret_sha256)
    await _note_use(connection, person.user_id, key_id, now)
    caller = Caller(person.user_id, person.handle, person.role, person.scopes)
    return HeldKey(caller, person.expires_at)


async def note_use_after_end(
    connection: psycopg.AsyncConnection, ended: EndedKey, now: datetime
) -> None:
    """Put it on record for the owner: somebody still has the key."""
    await audit.record(
        connection, now, None, f"api_key.used_after_{ended.why}", ended.id, owner_id=ended.user_id
    )


async def _note_use(
    connection: psycopg.AsyncConnection, user_id: uuid.UUID, key_id: str, now: datetime
) -> None:
    # Only the owner sees the row, so the transaction becomes theirs first.
    await act_as(connection, user_id, now)
    await connection.execute(
        "update account.api_key set last_used_at = date_trunc('minute', %(now)s::timestamptz)"
        " where id = %(id)s and (last_used_at is null"
        " or last_used_at < date_trunc('minute', %(now)s::timestamptz))",
        {"now": now, "id": key_id},
    )
