"""What scored forecasts of one signal or version and period add up to.

Each measure is defined in `assets/scores/definitions.py`. What cannot be computed has
no value and says why: never 0, and never what is left after leaving the rest out unseen,
for `count` says what went in.
"""

import math

import polars as pl

from assets.scores import rules
from assets.scores.definitions import coverage_name
from assets.scores.measure import Measure
from assets.scores.rules.association import correlations, information_ratio, moves
from assets.scores.rules.probability import brier_parts
from assets.scores.scored import checked

NOTHING = "no scored forecast"
NO_SCALE = "no scored forecast has a scale: too few bars before the slots, or none that moved"
NO_REFERENCE = "the target is not known, so neither what no change would be"
NO_DIRECTION = "no forecast had a direction"
NO_SERIES = "no series has 3 or more forecasts that vary"
NO_CROSS_SECTION = "no slot has 3 or more symbols that vary"
NO_QUANTILES = "no scored forecast has quantiles"
NO_PAIR = "no scored forecast has levels symmetric about 0.5"
NO_PROBABILITY = "no scored forecast has a probability"


def forecast_measures(scored: pl.DataFrame) -> dict[str, Measure]:
    """Every measure of `FORECAST_DEFINITIONS`; coverage once for each level given.

    Args:
        scored: a row for each forecast in its newest score: the columns of
            `assets/scores/scored.py`, of which those of a score may be absent.

    Raises:
        ValueError: the frame lacks slot, instrument, horizon, point or outcome, or one
            of them is null or not finite.
    """
    return _measures(checked(scored))


def by_horizon(scored: pl.DataFrame) -> dict[int, dict[str, Measure]]:
    """`forecast_measures` of each horizon, in hours, the nearest first: how skill decays."""
    frame = checked(scored)
    parts = frame.partition_by("horizon_hours", as_dict=True)
    return {int(horizon): _measures(parts[(horizon,)]) for (horizon,) in sorted(parts)}


def _measures(frame: pl.DataFrame) -> dict[str, Measure]:
    return {
        **_point(frame),
        **_scaled(frame),
        **_direction(frame),
        **_association(frame),
        **_quantiles(frame),
        **_probability(frame),
    }


def _point(frame: pl.DataFrame) -> dict[str, Measure]:
    squared, naive = pl.col("squared_error"), (pl.col("reference") - pl.col("outcome")).pow(2)
    referred = frame.filter(pl.col("reference").is_not_null() & squared.is_not_null())
    return {
        "mean_error": mean(frame, pl.col("error"), NOTHING),
        "mean_absolute_error": mean(frame, pl.col("absolute_error"), NOTHING),
        "root_mean_squared_error": root(mean(frame, squared, NOTHING)),
        "smape": mean(frame, pl.col("symmetric_error"), NOTHING),
        "theils_u": root(
            ratio(
                mean(referred, squared, NOTHING if frame.is_empty() else NO_REFERENCE),
                mean(referred, naive, NOTHING),
                "the outcome never moved",
            )
        ),
    }


def _scaled(frame: pl.DataFrame) -> dict[str, Measure]:
    reason = NOTHING if frame.is_empty() else NO_SCALE
    scaled = pl.col("absolute_error") / pl.col("scale")
    both = frame.filter(
        scaled.is_not_null() & pl.col("naive2").is_not_null() & pl.col("reference").is_not_null()
    )
    point, outcome = pl.col("naive2"), pl.col("outcome")
    naive = both.select(
        scaled=rules.absolute_error(point, outcome) / pl.col("scale"),
        symmetric=rules.price_symmetric_error(point, outcome, pl.col("reference")),
    )
    still = "Naive2 was right to the last digit"
    halves = (
        ratio(
            mean(both, pl.col("symmetric_error"), reason),
            mean(naive, pl.col("symmetric"), reason),
            still,
        ),
        ratio(mean(both, scaled, reason), mean(naive, pl.col("scaled"), reason), still),
    )
    return {
        "mase": mean(frame, scaled, reason),
        "rmsse": root(mean(frame, pl.col("squared_error") / pl.col("squared_scale"), reason)),
        "owa": _half_sum(*halves),
    }


def _direction(frame: pl.DataFrame) -> dict[str, Measure]:
    known = frame.filter(pl.col("reference").is_not_null())
    silent = pl.col("point") == pl.col("reference")
    still = ~silent & (pl.col("outcome") == pl.col("reference"))
    hits = pl.col("hit").cast(pl.Float64)
    missing = NOTHING if frame.is_empty() else NO_REFERENCE

    def counted(which: pl.Expr) -> Measure:
        if known.is_empty():
            return Measure(reason=missing)
        return Measure(value=float(known.select(which.sum()).item()), count=len(known))

    return {
        "hit_rate": mean(frame, hits, missing if known.is_empty() else NO_DIRECTION),
        "abstentions": counted(silent),
        "unmoved": counted(still),
    }


def _association(frame: pl.DataFrame) -> dict[str, Measure]:
    known = frame.filter(pl.col("reference").is_not_null()).select(
        "slot", "instrument", "horizon_hours",
        x=moves(pl.col("point"), pl.col("reference")),
        y=moves(pl.col("outcome"), pl.col("reference")),
    )  # fmt: skip
    reason = NOTHING if frame.is_empty() else NO_REFERENCE
    over_time = correlations(known, ["instrument", "horizon_hours"])
    across = correlations(known, ["slot", "horizon_hours"])["spearman"].drop_nulls()
    missing = reason if known.is_empty() else NO_CROSS_SECTION
    icir = information_ratio(across)
    if len(across):
        missing = "one IC, or all the same"
    return {
        **{
            name: _of_series(over_time, kind, reason if known.is_empty() else NO_SERIES)
            for name, kind in (("correlation", "pearson"), ("rank_correlation", "spearman"))
        },
        "information_coefficient": mean(
            across.to_frame("ic"), pl.col("ic"), missing if across.is_empty() else NOTHING
        ),
        "icir": Measure(reason=missing, count=len(across))
        if icir is None
        else Measure(value=icir, count=len(across)),
    }


def _of_series(groups: pl.DataFrame, kind: str, reason: str) -> Measure:
    known = groups.drop_nulls(kind)
    if known.is_empty():
        return Measure(reason=reason)
    return Measure(value=_number(known[kind].mean()), count=int(known["count"].sum()))


def _quantiles(frame: pl.DataFrame) -> dict[str, Measure]:
    empty = frame.is_empty()
    reason, no_pair = (NOTHING, NOTHING) if empty else (NO_QUANTILES, NO_PAIR)
    pinball, interval = pl.col("pinball_loss"), pl.col("interval_score")
    scaled = mean(frame, interval / pl.col("scale"), no_pair)
    if scaled.value is None and frame["interval_score"].count():
        scaled = Measure(reason=NO_SCALE)
    return {
        "pinball_loss": mean(frame, pinball, reason),
        "crps": mean(frame, 2 * pinball, reason),
        "interval_score": mean(frame, interval, no_pair),
        "msis": scaled,
        **_coverage(frame),
        "pit_mean": mean(frame, pl.col("pit"), reason),
    }


def _coverage(frame: pl.DataFrame) -> dict[str, Measure]:
    shares = (
        frame.filter(pl.col("quantiles").list.len() > 0)
        .select("outcome", "quantiles")
        .explode("quantiles")
        .group_by(level=pl.col("quantiles").list.get(0))
        .agg(
            share=(pl.col("outcome") <= pl.col("quantiles").list.get(1)).mean(),
            count=pl.len(),
        )
        .sort("level")
    )
    return {
        coverage_name(level): Measure(value=share, count=count)
        for level, share, count in shares.iter_rows()
    }


def _probability(frame: pl.DataFrame) -> dict[str, Measure]:
    reason = NOTHING if frame.is_empty() else NO_PROBABILITY
    said = frame.drop_nulls(["probability_up", "reference"]).select(
        probability="probability_up", rose=pl.col("outcome") > pl.col("reference")
    )
    parts = brier_parts(said)
    return {
        "brier_score": mean(frame, pl.col("brier"), reason),
        **{
            f"brier_{name}": Measure(reason=reason)
            if parts is None
            else Measure(value=getattr(parts, name), count=len(said))
            for name in ("reliability", "resolution", "uncertainty")
        },
        "log_score": mean(frame, pl.col("log_score"), reason),
    }


def mean(frame: pl.DataFrame, value: pl.Expr, reason: str) -> Measure:
    """The mean over what has a value; nothing but `reason` where nothing has."""
    known = frame.select(value.alias("value")).to_series().drop_nulls()
    if known.is_empty():
        return Measure(reason=reason)
    number = _number(known.mean())
    if not math.isfinite(number):
        return Measure(reason="too large for a number", count=len(known))
    return Measure(value=number, count=len(known))


def ratio(above: Measure, below: Measure, reason: str) -> Measure:
    """One mean over another; nothing but `reason` where the other is 0."""
    if above.value is None or below.value is None:
        return above if above.value is None else below
    if below.value == 0:
        return Measure(reason=reason, count=above.count)
    return Measure(value=above.value / below.value, count=above.count)


def root(measure: Measure) -> Measure:
    """The root of a mean."""
    if measure.value is None:
        return measure
    return Measure(value=math.sqrt(measure.value), count=measure.count)


def _half_sum(first: Measure, second: Measure) -> Measure:
    if first.value is None or second.value is None:
        return first if first.value is None else second
    return Measure(value=(first.value + second.value) / 2, count=first.count)


def _number(value: object) -> float:
    return float(value)  # type: ignore[arg-type]
