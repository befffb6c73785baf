"""Note what came of a delivery, and what follows for its webhook."""

import uuid
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import LiteralString

import psycopg

from api.mail import outbox
from api.webhooks.messages import Message, Webhook
from api.webhooks.retries import Retries
from api.webhooks.sending import Outcome

NOTE: LiteralString = """
update account.webhook_delivery set state = %(state)s, attempts = attempts + 1,
  next_attempt_at = %(next)s, last_attempt_at = %(now)s, last_status = %(status)s,
  last_latency_ms = %(latency_ms)s, last_error = %(error)s
where id = %(id)s and state = 'pending'
"""
END: LiteralString = """
update account.webhook_delivery set state = %s, next_attempt_at = null, last_error = %s
where id = %s and state = 'pending'
"""
WORKS: LiteralString = """
update account.webhook set failing_since = null, failures = 0
where id = %s and failing_since is not null
"""
FAILS: LiteralString = """
update account.webhook set failing_since = coalesce(failing_since, %s), failures = failures + 1,
  not_before = %s where id = %s
"""
DISABLE: LiteralString = """
update account.webhook set disabled_at = %s, disabled_why = %s where id = %s and disabled_at is null
"""

WHY = {
    "gone": "it answered 410, which says that it is gone",
    "failing": "every delivery failed for {days} days",
    "secret": "its secret cannot be read any more; rotate it by POST .../rotate-secret",
}


async def note(
    connection: psycopg.AsyncConnection,
    now: datetime,
    world_now: datetime,
    retries: Retries,
    message: Message,
    outcome: Outcome,
) -> None:
    """After an attempt.

    Args:
        connection: as the owner.
        now: the platform's; letters are dated by it.
        world_now: the world's; deliveries live by it.
        retries: when to try again.
        message: what was sent.
        outcome: what came of it.
    """
    webhook, due = message.webhook, message.due
    is_gone = outcome.status == HTTPStatus.GONE
    wait = None if outcome.is_delivered or is_gone else retries.wait(due.attempts + 1)
    state = "delivered" if outcome.is_delivered else "failed" if wait is None else "pending"
    await connection.execute(
        NOTE,
        {
            "id": due.id,
            "state": state,
            "next": None if wait is None else world_now + wait,
            "now": world_now,
            "status": outcome.status,
            "latency_ms": outcome.latency_ms,
            "error": outcome.error,
        },
    )
    if outcome.is_delivered:
        await connection.execute(WORKS, [webhook.id])
        return
    until = world_now + retries.rest_after(webhook.failures + 1)
    await connection.execute(FAILS, [world_now, until, webhook.id])
    failing_for = world_now - (webhook.failing_since or world_now)
    if is_gone:
        await disable(connection, now, world_now, webhook, "gone")
    elif failing_for >= retries.disabled_after:
        await disable(connection, now, world_now, webhook, "failing", failing_for)


async def give_up(connection: psycopg.AsyncConnection, delivery_id: uuid.UUID, why: str) -> None:
    await connection.execute(END, ["failed", why, delivery_id])


async def drop(connection: psycopg.AsyncConnection, delivery_id: uuid.UUID) -> None:
    await connection.execute(END, ["dropped", "you may not read it any more", delivery_id])


async def release(
    connection: psycopg.AsyncConnection, webhook_id: uuid.UUID, world_now: datetime
) -> None:
    """Others may send there again."""
    await connection.execute(
        "update account.webhook set not_before = %s where id = %s", [world_now, webhook_id]
    )


async def disable(
    connection: psycopg.AsyncConnection,
    now: datetime,
    world_now: datetime,
    webhook: Webhook,
    why: str,
    failing_for: timedelta = timedelta(0),
) -> None:
    """Send nothing more there, and write to its owner."""
    done = await connection.execute(DISABLE, [world_now, why, webhook.id])
    if done.rowcount:
        said = WHY[why].format(days=failing_for.days)
        await outbox.put(
            connection, now, webhook.user_id, "webhook_disabled", "Your webhook is disabled",
            f"Nothing more is sent to\n{webhook.url}\nbecause {said}.\n\nWhat is due is kept for"
            f" three days. Enable it again:\nPATCH /v1/webhooks/{webhook.id}"
            ' {"is_enabled": true}\n',
        )  # fmt: skip
