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
    owner_id: uuid.UUID | None = None,
    **detail: str | int | bool | None,
) -> None:
    """Append an act, in the transaction of the act itself. No secret goes into `detail`.

    `owner_id` is whose thing it was done to, where that is somebody else than the actor:
    they see it in GET /v1/audit too.
    """
    await connection.execute(
        "insert into audit.event (at, actor_id, action, subject, owner_id, detail)"
        " values (%s, %s, %s, %s, %s, %s)",
        [now, actor_id, action, subject, owner_id, Jsonb(detail)],
    )
