"""Who is asking, and when, per transaction: what row-level security reads.

`set_config(..., true)` ends with the transaction. A session-level setting would
leak to the next request on a pooled connection.
"""

import uuid
from datetime import datetime

import psycopg


async def act_as(
    connection: psycopg.AsyncConnection, user_id: uuid.UUID | None, now: datetime
) -> None:
    """Bind the transaction that is open on `connection` to a person and an instant (UTC)."""
    await connection.execute(
        "select set_config('app.user_id', %s, true), set_config('app.now', %s, true)",
        [str(user_id or ""), now.isoformat()],
    )
