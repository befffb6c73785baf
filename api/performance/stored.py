"""Measures of a signal or version as the platform computed them, once an hour.

`score.performance.measures` is the document `performance/1`; its parts are read by these structs.
What a measure is, in a formula: GET /v1/metrics.
"""

from datetime import date, datetime
from typing import LiteralString

import msgspec
import psycopg

from api.rows import fetch_one

NOT_COMPUTED = "not computed yet: it is once an hour, from the hour after the first slot on"


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """A number, and how far to believe it.

    Attributes:
        value: in the unit of its definition; null where it cannot be computed.
        reason: why it is null.
        count: what it was computed over, as its definition says.
        low: lower end of its interval; null: no interval.
        high: upper end.
    """

    value: float | None = None
    reason: str | None = None
    count: int = 0
    low: float | None = None
    high: float | None = None


class MeasuredSlots(msgspec.Struct, frozen=True, kw_only=True):
    """Slots of the period that the measures are of.

    Attributes:
        late: not proven by the deadline; in no headline.
        missed: without an answer.
        unopened: answered, and nobody can open the commitment any more.
        offline: between the first and the last due slot, and owed by no version.
    """

    live: int = 0
    late: int = 0
    missed: int = 0
    unopened: int = 0
    offline: int = 0
    replayed: int = 0
    backfilled: int = 0


class TradingRule(msgspec.Struct, frozen=True, kw_only=True):
    """The declared rule's numbers; docs/subscriber/performance.md has it in full.

    Attributes:
        delay_hours: waited after a forecast was available.
        cost_bps: basis points of what changes hands.
        deadline_minutes: after the slot; without a live forecast by then the rule is flat.
    """

    delay_hours: int = 0
    cost_bps: float = 0.0
    deadline_minutes: int = 0


class MaxDrawdown(msgspec.Struct, frozen=True, kw_only=True):
    """The rule's deepest fall.

    Attributes:
        depth: share of the peak, 0 to 1.
        recovered_at: when the peak was reached again; null: not yet.
    """

    depth: float
    peak_at: datetime
    trough_at: datetime
    recovered_at: datetime | None = None


class RecordLength(msgspec.Struct, frozen=True, kw_only=True):
    """How long the record is, against what a rank takes.

    Attributes:
        days: since the first live slot.
        reason: why the signal is not ranked; null: it is.
    """

    days: float
    live_slots: int
    days_at_least: int
    live_slots_at_least: int
    reason: str | None = None


class IntervalMethod(msgspec.Struct, frozen=True, kw_only=True):
    """How `low` and `high` came about.

    Attributes:
        block: slots or hours drawn together.
        blocks_at_least: a shorter record has no interval.
    """

    method: str
    level: float
    replicates: int
    block: int
    blocks_at_least: int


Measures = dict[str, Measure]


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """The trading rule's course: one point for each UTC day, or for so many of them.

    Attributes:
        step_days: days that a point stands for: 1, or 7 or 28 where the record is long.
        days: the last UTC day of each point.
        total_return: from the beginning to the end of that day, a share of the capital.
        drawdown: the deepest fall from the peak so far within the point's days, 0 to 1.
        scored_slots: slots of those days with a scored forecast.
    """

    step_days: int
    days: list[date]
    total_return: list[float]
    drawdown: list[float]
    scored_slots: list[int]


class Curves(msgspec.Struct, frozen=True, kw_only=True):
    """One for what was live, one for what was run afterwards; never joined.

    Attributes:
        live: ends at `live`'s total return.
        afterwards: of replayed and backfilled slots; ends at `afterwards`' total return.
    """

    live: Curve
    afterwards: Curve


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Measures by name; GET /v1/metrics defines each.

    Attributes:
        format: of the stored document.
        live: of slots proven live alone, and of the trading rule over them.
        late: of forecasts of late slots.
        replayed: of slots run again after publication.
        backfilled: of slots before publication.
        afterwards: of the trading rule over replayed and backfilled slots, in the hours that they
            decided; null, as is curve: written by an older release, and not computed anew yet.
        curve: the trading rule's return and drawdown over time.
        by_horizon: of live forecasts, by horizon in hours.
        by_delay: of the trading rule acting so many hours later.
        drift: live less replayed and backfilled; beyond chance where the interval leaves out 0.
        drawdown: null: the rule never fell.
        sharpe: what lists sort by, as are the next three: null until the record is long enough.
        skill: with misses charged.
        hit_rate: with misses charged.
        hours_per_year: what annual figures are annualised by.
        trials: versions that the provider ever pushed, of all signals, rejected ones too.
    """

    format: str
    slots: MeasuredSlots
    live: Measures
    late: Measures
    replayed: Measures
    backfilled: Measures
    afterwards: Measures | None = None
    curve: Curves | None = None
    by_horizon: dict[str, Measures]
    by_delay: dict[str, Measures]
    drift: Measures
    drawdown: MaxDrawdown | None = None
    rule: TradingRule
    sharpe: Measure
    max_drawdown: Measure
    skill: Measure
    hit_rate: Measure
    hours_per_year: Measure
    trials: int
    record: RecordLength
    intervals: IntervalMethod


class StoredPerformance(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `score.performance`."""

    as_of: datetime
    computed_at: datetime
    live_since: datetime | None
    measures: Measured


STORED: LiteralString = """
select as_of, computed_at, live_since, measures from score.performance
where signal_id = %(signal_id)s and version_id is not distinct from %(version_id)s::bigint
  and period = %(period)s
"""


async def stored_performance(
    connection: psycopg.AsyncConnection, signal_id: int, version_id: int | None, period: str
) -> StoredPerformance | None:
    """What was computed of a signal (version_id None) or version; None: nothing yet."""
    values = {"signal_id": signal_id, "version_id": version_id, "period": period}
    return await fetch_one(connection, StoredPerformance, STORED, values)
