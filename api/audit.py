"""The audit log: who did what to what."""

import uuid
from datetime import datetime

import psycopg
from psycopg.types.json import Jsonb


async def record(
    connection: psycopg.AsyncConnection,
    now: datetime,
    actor_id: uuid.UUID | None,
    action: str,
    subject: str,
    **detail: str | int | bool | None,
) -> None:
    """Append an act, in the transaction of the act itself. No secret goes into `detail`."""
    await connection.execute(
        "insert into audit.event (at, actor_id, action, subject, detail)"
        " values (%s, %s, %s, %s, %s)",
        [now, actor_id, action, subject, Jsonb(detail)],
    )
