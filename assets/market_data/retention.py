"""Giving up old months of bars, for good and on record.

Bars are insert-only for every role that runs. The owner, which nothing that
runs uses, lifts the guard for one transaction: readers go on, writers wait.
A month that a recorded slot was given is kept, or its input could never be
shown again; so are outcomes, which are later than their slots.
"""

from datetime import datetime

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from assets.market_data.batch import BATCH_LOCK

NEEDED = """
select min(r.slot - make_interval(
         hours => coalesce((v.manifest -> 'forecast' ->> 'lookback_hours')::int, 0)))
from forecast.slot_record r join registry.version v on v.id = r.version_id
"""
UNUSED = """
delete from market.raw_answer r where not exists (
  select from market.ingest_batch b, jsonb_array_elements(b.answers) a
  where a ->> 'digest' = r.digest and (a ->> 'end')::timestamptz > %s)
"""


class StillNeededError(ValueError):
    """Bars of a recorded slot's window would be lost; says until when there are none."""


class Forgotten(msgspec.Struct, frozen=True):
    """What is gone: rows of bars, and answers of sources."""

    bars: int
    answers: int


def forget(connection: psycopg.Connection, before: datetime, now: datetime) -> Forgotten:
    """Delete bars that open before a month, and answers about earlier months only.

    Args:
        connection: autocommit, as `signalbox_owner`.
        before: the first instant of a month, UTC.
        now: UTC, for the record of it.

    Raises:
        ValueError: `before` does not begin a month.
        StillNeededError: a recorded slot was given bars from before it; nothing is deleted.
    """
    if before != before.replace(day=1, hour=0, minute=0, second=0, microsecond=0):
        raise ValueError(f"bars are forgotten by whole months: {before.isoformat()} begins none")
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [BATCH_LOCK])
        row = connection.execute(NEEDED).fetchone()
        if row is not None and row[0] is not None and row[0] < before:
            raise StillNeededError(
                f"recorded slots were given bars from {row[0].isoformat()} on:"
                " name an earlier month"
            )
        connection.execute("alter table market.bar disable trigger market_bar_insert_only")
        bars = connection.execute("delete from market.bar where ts_open < %s", [before]).rowcount
        connection.execute("alter table market.bar enable trigger market_bar_insert_only")
        answers = connection.execute(UNUSED, [before]).rowcount
        connection.execute(
            "insert into audit.event (at, actor_id, action, subject, detail)"
            " values (%s, null, 'bars.forget', 'market.bar', %s)",
            [now, Jsonb({"before": before.isoformat(), "bars": bars, "answers": answers})],
        )
    return Forgotten(bars, answers)
