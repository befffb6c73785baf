"""Whose API key a request shows, and when it was last used."""

from datetime import datetime

import psycopg

from api.auth.caller import Caller
from sql.api_key import FIND, split_key
from sql.api_key import holder as key_holder
from sql.session import act_as

PREFIX = "sk_"


async def holder(
    connection: psycopg.AsyncConnection, environment: str, key: str, now: datetime
) -> Caller | None:
    """Whose key it is; None if it is unknown, of another environment, expired or revoked."""
    parts = split_key(key, environment)
    if parts is None:
        return None
    key_id, secret_sha256 = parts
    found = await connection.execute(FIND, [key_id])
    person = key_holder(await found.fetchone(), secret_sha256, now)
    if person is None:
        return None
    caller = Caller(person.user_id, person.handle, person.role, person.scopes)
    await _note_use(connection, caller, key_id, now)
    return caller


async def _note_use(
    connection: psycopg.AsyncConnection, caller: Caller, key_id: str, now: datetime
) -> None:
    # Only the owner sees the row, so the transaction becomes theirs first.
    await act_as(connection, caller.user_id, now)
    await connection.execute(
        "update account.api_key set last_used_at = date_trunc('minute', %(now)s::timestamptz)"
        " where id = %(id)s and (last_used_at is null"
        " or last_used_at < date_trunc('minute', %(now)s::timestamptz))",
        {"now": now, "id": key_id},
    )
