"""What is stored of a signal or version over a period: `score.performance.measures`.

The API reads it by structs of its own (`api/performance/stored.py`). A field may be added; one
that changes its meaning gets a new `format`.
"""

from datetime import datetime

import msgspec

from assets.scores.honesty.bootstrap import BLOCKS_AT_LEAST, LEVEL, REPLICATES
from assets.scores.honesty.record import Record
from assets.scores.measure import Measure
from assets.scores.trading.curve import Curve
from assets.scores.trading.drawdown import Drawdown
from assets.scores.trading.parameters import RuleParameters

FORMAT = "performance/1"
Measures = dict[str, Measure]


class Intervals(msgspec.Struct, frozen=True, kw_only=True):
    """How `low` and `high` of every measure came about.

    Attributes:
        block: slots or hours drawn together; the longest horizon, a day at least.
        blocks_at_least: a shorter record has no interval.
    """

    method: str = "circular block bootstrap, percentiles; seeded by the sha256 of the series"
    level: float = LEVEL
    replicates: int = REPLICATES
    block: int
    blocks_at_least: int = BLOCKS_AT_LEAST


class Slots(msgspec.Struct, frozen=True, kw_only=True):
    """Slots of the period, by what they can be proven to be.

    Attributes:
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


class Curves(msgspec.Struct, frozen=True, kw_only=True):
    """The rule's course, day by day.

    Attributes:
        live: ends at `live`'s total return.
        afterwards: of replayed and backfilled slots; ends at `afterwards`' total return.
    """

    live: Curve
    afterwards: Curve


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Measures by name; `score.definition` says what each is.

    Attributes:
        live: of slots proven live alone, and of the trading rule over them.
        late: of forecasts of late slots; never in `live`.
        replayed: of slots run again after publication.
        backfilled: of slots before publication.
        afterwards: of the rule over replayed and backfilled slots, in the hours they decided.
        curve: the rule's return and drawdown over time.
        by_horizon: of live forecasts, by horizon in hours.
        by_delay: of the rule run `delay_hours` later.
        drift: live less replayed and backfilled.
        drawdown: the deepest fall of the rule; None: it never fell.
        rule: the rule's numbers.
        sharpe: to rank by, as are the next three: null until the record is long enough.
        skill: with misses charged.
        hit_rate: with misses charged.
        hours_per_year: what annual figures are annualised by.
        trials: versions that the provider ever pushed, of all signals.
        record: its length, against what a rank takes.
    """

    format: str = FORMAT
    slots: Slots
    live: Measures
    late: Measures
    replayed: Measures
    backfilled: Measures
    afterwards: Measures
    curve: Curves
    by_horizon: dict[str, Measures]
    by_delay: dict[str, Measures]
    drift: Measures
    drawdown: Drawdown | None
    rule: RuleParameters
    sharpe: Measure
    max_drawdown: Measure
    skill: Measure
    hit_rate: Measure
    hours_per_year: Measure
    trials: int
    record: Record
    intervals: Intervals
    live_since: datetime | None
