"""What is to be sent to a webhook next, read as its owner."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import msgspec
import psycopg

from api.events import sources, told
from api.events.positions import Position
from api.events.sources import Happened, Source
from api.rows import fetch_one

HOLD: LiteralString = """
update account.webhook set not_before = %(until)s
where id = %(id)s and disabled_at is null
returning id, user_id, url, secret, old_secret, old_secret_until, failing_since, failures
"""
NEXT_DUE: LiteralString = """
select id, type, leaf_index, outbox_id, version_event_id, created_at, attempts, next_attempt_at
from account.webhook_delivery
where webhook_id = %(id)s and state = 'pending' and next_attempt_at <= %(now)s
order by seq limit 1
"""
LEAF: LiteralString = """
select v.signal_id, r.recorded_at as known_at from forecast.slot_record r
join registry.version v on v.id = r.version_id where r.leaf_index = %(key)s
"""
LINE: LiteralString = """
select s.signal_id, o.at as known_at, o.user_id from billing.outbox o
join billing.subscription s on s.id = o.subscription_id where o.id = %(key)s
"""
VERSION: LiteralString = """
select v.signal_id, e.at as known_at from registry.version_event e
join registry.version v on v.id = e.version_id where e.id = %(key)s
"""
ABOUT: dict[Source, LiteralString] = {"leaf": LEAF, "billing": LINE, "version": VERSION}
NOWHERE = Position(0, (0, 0), (0, 0))


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where to, by which secrets, and how it went lately."""

    id: uuid.UUID
    user_id: uuid.UUID
    url: str
    secret: bytes
    old_secret: bytes | None
    old_secret_until: datetime | None
    failing_since: datetime | None
    failures: int


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery whose time has come."""

    id: uuid.UUID
    type: str
    leaf_index: int | None
    outbox_id: int | None
    version_event_id: int | None
    created_at: datetime
    attempts: int
    next_attempt_at: datetime

    @property
    def about(self) -> tuple[Source, int] | None:
        """None: a ping, which is about nothing."""
        keys: tuple[tuple[Source, int | None], ...] = (
            ("leaf", self.leaf_index),
            ("billing", self.outbox_id),
            ("version", self.version_event_id),
        )
        return next(((source, key) for source, key in keys if key is not None), None)


@dataclass(frozen=True)
class Message:
    """A delivery with what it says; the body is JSON of Standard Webhooks' shape."""

    webhook: Webhook
    due: Due
    body: bytes


class _About(msgspec.Struct, frozen=True):
    signal_id: int
    known_at: datetime
    user_id: uuid.UUID | None = None


async def hold(
    connection: psycopg.AsyncConnection, webhook_id: uuid.UUID, until: datetime
) -> Webhook | None:
    """The webhook, to which nobody else sends until then; None: it is deleted or disabled."""
    return await fetch_one(connection, Webhook, HOLD, {"id": webhook_id, "until": until})


async def next_due(
    connection: psycopg.AsyncConnection, webhook: Webhook, now: datetime
) -> Due | None:
    return await fetch_one(connection, Due, NEXT_DUE, {"id": webhook.id, "now": now})


async def content(
    connection: psycopg.AsyncConnection,
    webhook: Webhook,
    due: Due,
    proof: Mapping[str, Any],
    now: datetime,
) -> bytes | None:
    """The body of a delivery; None: its owner may not be told any more.

    Args:
        connection: as the owner.
        webhook: where it goes.
        due: what is due.
        proof: as `api.forecasts.stored.terms` gives it.
        now: the platform's.
    """
    if due.about is None:
        return _body(due.type, due.created_at, b"{}")
    source, key = due.about
    about = await fetch_one(connection, _About, ABOUT[source], {"key": key})
    if about is None:
        return None
    event = Happened(source, key, due.type, about.signal_id, about.known_at, about.user_id, NOWHERE)
    may = await sources.may_be_told(connection, [event], [webhook.user_id], now)
    if webhook.user_id not in may[0]:
        return None
    found = await told.contents(connection, [event], proof)
    data = found.get((source, key))
    return None if data is None else _body(due.type, about.known_at, data)


def _body(kind: str, at: datetime, data: bytes) -> bytes:
    head = msgspec.json.encode({"type": kind, "timestamp": at})
    return head[:-1] + b',"data":' + data + b"}"
