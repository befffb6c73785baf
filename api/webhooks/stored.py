"""Webhooks and deliveries as their owner sees them."""

import uuid
from datetime import datetime
from typing import Annotated, Literal, LiteralString

import msgspec
import psycopg
from msgspec import Meta

from api.pages import Page, RowId, page_of, read_cursor
from api.problems import Problem
from api.rows import fetch_all, fetch_one

EventType = Literal["forecast", "missed", "version.*", "subscription.*", "payment.*", "offer.*"]

WEBHOOK: LiteralString = """
select id, url, events, description, created_at, disabled_at is null as is_enabled, disabled_at,
       disabled_why, failing_since
from account.webhook where user_id = %(user_id)s
"""
DELIVERY: LiteralString = """
select id, seq, type, leaf_index, created_at, state, attempts, next_attempt_at, last_attempt_at,
       last_status, last_latency_ms, last_error
from account.webhook_delivery where webhook_id = %(webhook_id)s and user_id = %(user_id)s
"""


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where events are sent.

    Attributes:
        disabled_why: owner; gone: it answered 410; failing: for five days; secret: rotate it.
        failing_since: of failures without a success; null: the last delivery arrived.
    """

    id: uuid.UUID
    url: str
    events: list[str]
    description: str
    created_at: datetime
    is_enabled: bool
    disabled_at: datetime | None = None
    disabled_why: str | None = None
    failing_since: datetime | None = None


class WebhookWithSecret(Webhook, frozen=True, kw_only=True):
    """`secret` is shown this once; it signs every delivery."""

    secret: str


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way.

    Attributes:
        id: header `webhook-id`, the same each time it is sent.
        state: pending; delivered; failed: given up; dropped: you may not read it any more.
        leaf_index: of forecast and missed.
        attempts: since it was queued, or asked for again.
        last_status: of HTTP; null: there was no answer.
        last_latency_ms: from connecting to the end of the answer.
    """

    id: uuid.UUID
    type: str
    created_at: datetime
    state: Literal["pending", "delivered", "failed", "dropped"]
    attempts: int
    leaf_index: int | None = None
    next_attempt_at: datetime | None = None
    last_attempt_at: datetime | None = None
    last_status: int | None = None
    last_latency_ms: int | None = None
    last_error: str | None = None


class _Row(Delivery, frozen=True, kw_only=True):
    seq: int


class _After(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    seq: Annotated[RowId, Meta(ge=0)]


async def webhooks(connection: psycopg.AsyncConnection, user_id: uuid.UUID) -> list[Webhook]:
    """Newest first."""
    query: LiteralString = WEBHOOK + "order by created_at desc, id"
    return await fetch_all(connection, Webhook, query, {"user_id": user_id})


async def webhook(
    connection: psycopg.AsyncConnection, user_id: uuid.UUID, webhook_id: uuid.UUID
) -> Webhook:
    """One of them, which nobody deletes before the transaction ends.

    Raises:
        Problem: not_found.
    """
    query: LiteralString = WEBHOOK + "and id = %(id)s for update"
    found = await fetch_one(connection, Webhook, query, {"user_id": user_id, "id": webhook_id})
    if found is None:
        raise Problem("not_found", "GET /v1/webhooks lists the webhooks you have.")
    return found


async def deliveries(
    connection: psycopg.AsyncConnection,
    user_id: uuid.UUID,
    webhook_id: uuid.UUID,
    limit: int,
    cursor: str | None,
) -> Page[Delivery]:
    """Newest first.

    Raises:
        Problem: invalid_cursor.
    """
    after = read_cursor(cursor, _After)
    rows = await fetch_all(
        connection,
        _Row,
        DELIVERY
        + "and (%(seq)s::bigint is null or seq < %(seq)s) order by seq desc limit %(limit)s",
        {
            "user_id": user_id,
            "webhook_id": webhook_id,
            "seq": after and after.seq,
            "limit": limit + 1,
        },
    )
    page = page_of(rows, limit, lambda row: _After(row.seq))
    return Page([_shown(row) for row in page.items], page.next)


async def delivery(
    connection: psycopg.AsyncConnection,
    user_id: uuid.UUID,
    webhook_id: uuid.UUID,
    delivery_id: uuid.UUID,
) -> Delivery:
    """One of them.

    Raises:
        Problem: not_found.
    """
    found = await fetch_one(
        connection,
        _Row,
        DELIVERY + "and id = %(id)s",
        {"user_id": user_id, "webhook_id": webhook_id, "id": delivery_id},
    )
    if found is None:
        raise Problem("not_found", "GET /v1/webhooks/{webhook_id}/deliveries lists them.")
    return _shown(found)


def _shown(row: _Row) -> Delivery:
    return Delivery(**{name: getattr(row, name) for name in Delivery.__struct_fields__})
