"""All measures of one subject over one period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import msgspec
import numpy as np
import polars as pl

from assets.scores.forecast_measures import by_horizon, forecast_measures
from assets.scores.honesty import missed as charged
from assets.scores.honesty.bootstrap import block_length
from assets.scores.honesty.drift import drift
from assets.scores.honesty.naive import BASELINES, naive_errors
from assets.scores.honesty.record import Record, record_of
from assets.scores.honesty.sharpe import deflated_sharpe, probabilistic_sharpe, sharpe_per_hour
from assets.scores.measure import Measure
from assets.scores.performance.document import Curves, Document, Intervals, Measures, Slots
from assets.scores.performance.subject import RUN_AFTERWARDS, Subject
from assets.scores.performance.traded import Traded
from assets.scores.scored import FACTS
from assets.scores.trading.activity import activity_measures
from assets.scores.trading.curve import curve
from assets.scores.trading.drawdown import max_drawdown
from assets.scores.trading.hours import hours_per_year
from assets.scores.trading.parameters import RuleParameters
from assets.scores.trading.returns import return_measures
from assets.scores.trading.trades import trade_hit_rate

KEYS = ("slot", "instrument_id", "horizon_hours")
UNANSWERED = ("late", "missed", "unopened", "offline")
# A version may have 168 horizons, and the document is sent whole.
OF_A_HORIZON = (
    "mean_absolute_error",
    "root_mean_squared_error",
    "mase",
    "hit_rate",
    "correlation",
    "rank_correlation",
    "crps",
    "brier_score",
    "log_score",
)
OF_A_DELAY = ("total_return", "annualised_return", "sharpe", "max_drawdown")


@dataclass(frozen=True)
class Runs:
    """The rule over a subject: as declared, later by some hours, and over replayed slots."""

    live: Traded
    by_delay: dict[int, Traded]
    replayed: Traded


@dataclass(frozen=True)
class Trials:
    """What the provider tried: how many versions, and the Sharpe ratios per hour on record."""

    count: int
    sharpes: Sequence[float]


def measured(
    subject: Subject,
    runs: Runs,
    start: datetime | None,
    as_of: datetime,
    live_since: datetime | None,
    trials: Trials,
    rule: RuleParameters,
) -> Document:
    """Every measure of slots in `[start, as_of)`, and of the rule over its hours.

    Args:
        subject: whose.
        runs: the rule over all that was read of it.
        start: UTC; None: from the beginning.
        as_of: UTC.
        live_since: the first live slot ever, UTC.
        trials: of the provider.
        rule: the rule's numbers as declared.
    """
    slots = _slots(subject, start)
    block = block_length(subject.longest_horizon)
    per_year = hours_per_year(subject.calendars, as_of.year)
    live = _scored(subject, ("live",), start)
    again = _scored(subject, RUN_AFTERWARDS, start)
    in_period, replayed = runs.live.since(start), runs.replayed.since(start)
    headline = {
        **_of_forecasts(subject, live, start, block),
        **_of_rule(in_period, per_year, block, trials),
    }
    record = record_of(live_since, slots.live, as_of)
    ranked = _to_rank_by(headline, record)
    return Document(
        slots=slots,
        live=headline,
        late=_forecast_measures(_scored(subject, ("late",), start)),
        replayed=_forecast_measures(_scored(subject, ("replayed",), start)),
        backfilled=_forecast_measures(_scored(subject, ("backfilled",), start)),
        afterwards=_of_delay(replayed, per_year),
        curve=Curves(
            live=curve(in_period.series, _slots_of(live)),
            afterwards=curve(replayed.series, _slots_of(again)),
        ),
        by_horizon={
            str(hours): {name: found[name] for name in OF_A_HORIZON}
            for hours, found in by_horizon(live).items()
        },
        by_delay={
            str(hours): _of_delay(run.since(start), per_year)
            for hours, run in runs.by_delay.items()
        },
        drift=drift(live, again, _net(in_period), _net(replayed), block),
        drawdown=max_drawdown(_net(in_period), _boundaries(in_period, as_of)),
        rule=rule,
        hours_per_year=Measure(value=per_year),
        trials=trials.count,
        record=record,
        sharpe=ranked["sharpe"],
        max_drawdown=ranked["max_drawdown"],
        skill=ranked["skill"],
        hit_rate=ranked["hit_rate"],
        intervals=Intervals(block=block),
        live_since=live_since,
    )


def _to_rank_by(headline: Measures, record: Record) -> Measures:
    measures = {
        "sharpe": headline["sharpe"],
        "max_drawdown": headline["max_drawdown"],
        "skill": headline["skill_with_misses"],
        "hit_rate": headline["hit_rate_with_misses"],
    }
    if record.reason is None:
        return measures
    return {name: Measure(reason=record.reason, count=one.count) for name, one in measures.items()}


def _slots(subject: Subject, start: datetime | None) -> Slots:
    slots = subject.slots
    if start is not None:
        slots = slots.filter(pl.col("slot") >= start)
    return Slots(**dict(slots.group_by("provenance").len().iter_rows()))


def _scored(subject: Subject, provenances: tuple[str, ...], start: datetime | None) -> pl.DataFrame:
    """Forecasts with an outcome."""
    return subject.of(*provenances, start=start).filter(pl.col("outcome").is_not_null())


def _slots_of(scored: pl.DataFrame) -> pl.Series:
    return scored["slot"].unique()


def _forecast_measures(scored: pl.DataFrame) -> Measures:
    """`forecast_measures`; of nothing it is always the same, and most groups are empty."""
    return _of_nothing() if scored.is_empty() else forecast_measures(scored)


@cache
def _of_nothing() -> Measures:
    return forecast_measures(pl.DataFrame(schema={"instrument_id": pl.Int32(), **FACTS}))


def _of_forecasts(
    subject: Subject, live: pl.DataFrame, start: datetime | None, block: int
) -> Measures:
    measures = _forecast_measures(live)
    closes = _closes(subject.bars)
    naive = naive_errors(live.select(*KEYS, "target"), closes)
    answered = (
        live.drop(BASELINES, strict=False)
        .join(naive.select(*KEYS, *BASELINES), on=KEYS)
        .with_columns(size=(pl.col("point") - pl.col("reference")).abs())
    )
    owed = naive_errors(_unanswered(subject, start), closes)
    plain = charged.hit_rate(live, owed.clear(), block)
    return {
        **measures,
        "mean_absolute_error": _within(
            measures["mean_absolute_error"], charged.mean_absolute_error(live, block)
        ),
        "hit_rate": _within(
            measures["hit_rate"],
            None if plain.low is None or plain.high is None else (plain.low, plain.high),
        ),
        "hit_rate_with_misses": charged.hit_rate(live, owed, block),
        "skill": charged.skill(answered, owed.clear(), block),
        "skill_with_misses": charged.skill(answered, owed, block),
    }


def _unanswered(subject: Subject, start: datetime | None) -> pl.DataFrame:
    """What was owed at slots without a live forecast: `KEYS` and `target`."""
    slots = subject.slots.filter(pl.col("provenance").is_in(UNANSWERED))
    if start is not None:
        slots = slots.filter(pl.col("slot") >= start)
    targets = subject.slots.drop_nulls("target").select("version_id", "target").unique()
    return (
        slots.select("slot", "version_id")
        .join(subject.owed, on="version_id")
        .join(targets, on="version_id")
        .select(*KEYS, "target")
    )


def _closes(bars: pl.DataFrame) -> pl.DataFrame:
    return (
        bars.select("instrument_id", "ts_close", "close")
        .unique(["instrument_id", "ts_close"], keep="last", maintain_order=True)
        .sort("ts_close")
    )


def _of_rule(run: Traded, per_year: float, block: int, trials: Trials) -> Measures:
    net = _net(run)
    ratio = sharpe_per_hour(net)
    return {
        **return_measures(run.series, per_year, block),
        **activity_measures(run.series),
        "trade_hit_rate": trade_hit_rate(run.trades),
        "sharpe_per_hour": Measure(
            value=ratio, reason="returns do not vary" if ratio is None else None, count=len(net)
        ),
        "probabilistic_sharpe": probabilistic_sharpe(net),
        "deflated_sharpe": deflated_sharpe(net, trials.count, trials.sharpes),
    }


def _of_delay(run: Traded, per_year: float) -> Measures:
    # One block is the whole: no interval, which would cost as much as all else.
    measures = return_measures(run.series, per_year, max(1, len(run.series)))
    return {name: measures[name] for name in OF_A_DELAY}


def _net(run: Traded) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return run.series["net"].to_numpy()


def _boundaries(run: Traded, as_of: datetime) -> list[datetime]:
    return [*run.series["hour"].to_list(), as_of]


def _within(measure: Measure, ends: tuple[float, float] | None) -> Measure:
    if measure.value is None or ends is None:
        return measure
    return msgspec.structs.replace(measure, low=ends[0], high=ends[1])
