"""What waits for somebody's turn, by the rows that wait."""

from datetime import datetime, timedelta
from typing import Literal, LiteralString

import msgspec
import psycopg

from api.rows import fetch_all
from sql.clock import floor_hour
from sql.due import CATCH_UP, DUE

# After three days a payment provider gives an event up: reconciliation applies what it said.
PAYMENT_EVENTS_FROM = timedelta(days=3)

Name = Literal["slots", "builds", "leaves", "letters", "deliveries", "payment_events"]


class Queue(msgspec.Struct, frozen=True):
    """Rows of one kind that wait; none of it is a fault by itself.

    Attributes:
        name: slots: owed within 48 hours, and not recorded; builds: pushed versions that are not
            through the gate; leaves: covered by no checkpoint with a quorum; letters; deliveries
            to webhooks; payment_events: of three days, that had no turn.
        oldest_at: since when the oldest waits; null: none does.
    """

    name: Name
    waiting: int
    oldest_at: datetime | None


WAITING: LiteralString = f"""
select 'slots' as name, count(*) as waiting, min(d.slot) as oldest_at from ({DUE}) d
union all
select 'builds', count(*), min(v.reserved_at) from registry.version v where v.state = 'building'
union all
select 'leaves', c.leaves - c.quorum_size, c.uncovered_since from transparency.coverage c
union all
select 'letters', m.waiting, m.oldest from account.mail_waiting() m
union all
select 'deliveries', w.waiting, w.oldest from account.deliveries_waiting() w
union all
select 'payment_events', count(*), min(e.received_at) from billing.payment_event e
where e.received_at >= %(events_from)s
  and not exists (select from billing.applied_event a where a.event_id = e.id)
"""  # noqa: S608 - our own text


async def queues(connection: psycopg.AsyncConnection, now: datetime) -> list[Queue]:
    """Every queue, empty ones too; the database answers operators alone."""
    last = floor_hour(now)
    values = {"first": last - CATCH_UP, "last": last, "events_from": now - PAYMENT_EVENTS_FROM}
    return await fetch_all(connection, Queue, WAITING, values)
