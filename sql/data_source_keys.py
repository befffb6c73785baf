"""Keys of market data vendors that providers entrust to the platform.

The API seals them and cannot open them; run workers open one for a use, which is put on
record in the same transaction. What an envelope is bound to is the row, its owner and
its source, so that none of them can be exchanged under it.
"""

import uuid
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from sql.envelope import Envelope, EnvelopeError, KeyRing

ONE: LiteralString = """
select id, user_id, source, key_id, wrapped_key, sealed from account.data_source_key
where id = %s and revoked_at is null
"""
# In the order of their ids, and locked: two at once would wait for one another, not fail.
OF_OTHER_KEYS: LiteralString = """
select id, user_id, source, key_id, wrapped_key, sealed from account.data_source_key
where revoked_at is null and key_id <> %s order by id for update
"""
COUNTS: LiteralString = """
select key_id, count(*) from account.data_source_key where revoked_at is null
group by key_id order by key_id
"""
RECORD: LiteralString = """
insert into audit.event (at, actor_id, action, subject, owner_id, detail)
values (%s, null, %s, %s, %s, %s)
"""


class UnknownDataSourceKeyError(ValueError):
    """No such key is kept; its owner may have deleted it."""


def belongs_to(key_id: uuid.UUID, user_id: uuid.UUID, source: str) -> bytes:
    """What a key's envelope is bound to."""
    return f"signalbox data-source key\0{key_id}\0{user_id}\0{source}".encode()


def use_key(
    connection: psycopg.Connection[Any], ring: KeyRing, key_id: uuid.UUID, why: str, now: datetime
) -> str:
    """Open a key for one use, and put the use on record; also one that fails.

    Args:
        connection: as `signalbox_worker`, outside a transaction.
        ring: the key pairs of this installation.
        key_id: of the stored key.
        why: what it is used for, for people; its owner reads it in GET /v1/audit.
        now: UTC.

    Raises:
        UnknownDataSourceKeyError: there is none, or it was deleted.
        EnvelopeError: it does not open; names the row and says what to do.
    """
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(ONE, [key_id]).fetchone()
        if row is None:
            raise UnknownDataSourceKeyError(
                f"no data-source key {key_id}: its owner may have deleted it; ask for its new id"
            )
        secret = _opened(ring, row)
        action = "data_source_key.use" if isinstance(secret, bytes) else "data_source_key.failed"
        detail = Jsonb({"why": why, "source": row["source"], "key": row["key_id"]})
        cursor.execute(RECORD, [now, action, str(key_id), row["user_id"], detail])
        if isinstance(secret, bytes):
            cursor.execute(
                "update account.data_source_key set last_used_at = %s where id = %s", [now, key_id]
            )
    if isinstance(secret, EnvelopeError):
        raise type(secret)(f"data-source key {key_id}: {secret}")
    return secret.decode()


def rewrap_all(connection: psycopg.Connection[Any], ring: KeyRing, now: datetime) -> int:
    """Seal every data key to the newest key pair; how many were sealed anew.

    Raises:
        EnvelopeError: one does not open; nothing is changed.
    """
    newest = ring.ids[0]
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(OF_OTHER_KEYS, [newest]).fetchall()
        for row in rows:
            try:
                made = ring.rewrap(_envelope(row), _bound(row))
            except EnvelopeError as error:
                raise type(error)(f"data-source key {row['id']}: {error}") from None
            cursor.execute(
                "update account.data_source_key set key_id = %s, wrapped_key = %s where id = %s",
                [made.key_id, made.wrapped_key, row["id"]],
            )
        if rows:
            detail = Jsonb({"keys": len(rows)})
            cursor.execute(RECORD, [now, "data_source_key.rewrap", newest, None, detail])
    return len(rows)


def count_by_key(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """How many stored keys are sealed to each key pair."""
    return dict(connection.execute(COUNTS).fetchall())


def _opened(ring: KeyRing, row: dict[str, Any]) -> bytes | EnvelopeError:
    """The secret, or why not: raised only after the attempt is on record."""
    try:
        return ring.open(_envelope(row), _bound(row))
    except EnvelopeError as error:
        return error


def _envelope(row: dict[str, Any]) -> Envelope:
    return Envelope(row["key_id"], bytes(row["wrapped_key"]), bytes(row["sealed"]))


def _bound(row: dict[str, Any]) -> bytes:
    return belongs_to(row["id"], row["user_id"], row["source"])
