"""Slots: owed, recorded, missed, and when they were on record and proven."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, LiteralString, get_args

import psycopg
from prometheus_client.core import GaugeMetricFamily

from pipelines.exporter.families import gauge, gauges
from sandbox.runner.errors import MissedKind
from sql.clock import floor_hour
from sql.due import CATCH_UP, DUE

DAY = timedelta(hours=24)
KINDS: tuple[str, ...] = get_args(MissedKind)
WINDOWS = {"hour": timedelta(hours=1), "day": DAY}

OWED: LiteralString = f"select count(*), min(d.slot) from ({DUE}) d"  # noqa: S608 - our own text
RECORDED: LiteralString = """
select provenance, count(*) from forecast.slot_record
where slot > %s and slot <= %s and provenance in ('live', 'late', 'missed') group by provenance
"""
SECONDS: LiteralString = """
select percentile_disc(array[0.5, 0.95, 1]) within group
  (order by extract(epoch from recorded_at - slot)::float8)
from forecast.slot_record
where slot > %s and slot <= %s and provenance in ('live', 'late')
"""
# Of each slot the record that was proven last: one look per slot, not one per record.
PROVEN: LiteralString = """
select percentile_disc(array[0.5, 0.95, 1]) within group
  (order by extract(epoch from q.reached_at - s.slot)::float8)
from (select slot, max(leaf_index) as leaf from forecast.slot_record
      where slot > %s and slot <= %s and provenance in ('live', 'late', 'missed') group by slot) s
cross join lateral (select q.reached_at from transparency.quorum q where q.size > s.leaf
                    order by q.size, q.checkpoint_id limit 1) q
"""
QUANTILES = ("0.5", "0.95", "1")


def slots(connection: psycopg.Connection[Any], now: datetime) -> Iterator[GaugeMetricFamily]:
    """Of the newest hour and of a day."""
    newest = floor_hour(now)
    first = {"first": newest - CATCH_UP, "last": newest}
    owed, oldest = connection.execute(OWED, first).fetchone() or (0, None)
    yield gauge("slots_owed", "Slots within 48 hours that are owed and not on record", owed)
    waited = (now - oldest).total_seconds() if oldest else 0
    yield gauge("slot_owed_seconds", "Since the oldest slot that is owed; 0: none is", waited)
    recorded = {
        (provenance, window): count
        for window, length in WINDOWS.items()
        for provenance, count in connection.execute(RECORDED, [newest - length, newest]).fetchall()
    }
    yield gauges(
        "slot_records", "Due slots on record, by provenance, of the newest hour and of a day",
        ("provenance", "window"),
        (((p, w), recorded.get((p, w), 0)) for p in ("live", "late", "missed") for w in WINDOWS),
    )  # fmt: skip
    yield _missed(connection, newest - DAY)
    for name, text, statement in (
        ("slot_recorded_seconds", "From the hour to a forecast's record, of a day", SECONDS),
        ("slot_proven_seconds", "From the hour to its last leaf's quorum, of a day", PROVEN),
    ):
        row = connection.execute(statement, [newest - DAY, newest]).fetchone()
        found = row[0] if row and row[0] else ()
        by_quantile = zip(((q,) for q in QUANTILES), found, strict=False)
        yield gauges(name, text, ("quantile",), by_quantile)


def _missed(connection: psycopg.Connection[Any], since: datetime) -> GaugeMetricFamily:
    counts = dict.fromkeys((*KINDS, "other"), 0)
    for kind, slots in connection.execute(
        "select kind, slots from forecast.missed_by_kind(%s)", [since]
    ).fetchall():
        counts[kind if kind in counts else "other"] += slots
    return gauges(
        "slots_missed", "Missed slots of a day, by kind of reason", ("reason",),
        (((kind,), count) for kind, count in counts.items()),
    )  # fmt: skip
