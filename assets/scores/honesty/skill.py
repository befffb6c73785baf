"""Skill against the naive baselines, and both skill and hit rate with misses charged.

The declared penalty: a due slot without a live forecast (missed, late, unopened) is counted as
if it had said the opposite of what happened, for every symbol and horizon that it owed. Its
direction is wrong, and its absolute error is twice that of no change. Nothing that a forecast
of the outcome's own size can do is worse, so leaving out an hour does not make a record better.
"""

import polars as pl

from assets.scores.honesty.bootstrap import Array, interval
from assets.scores.honesty.naive import BASELINES
from assets.scores.measure import Measure

NOTHING_KNOWN = "no outcome is known yet"
OPPOSITE = 2.0


def skill(answered: pl.DataFrame, missed: pl.DataFrame, block: int) -> Measure:
    """1 - sum|e| / sum|e of the baseline|, of the baseline that makes it least.

    Over the forecasts for which each has a value. Positive: better than the best baseline.

    Args:
        answered: `slot`, `absolute_error`, and a column for each of `BASELINES`.
        missed: `slot` and a column for each of `BASELINES`; charged at twice `naive`.
        block: of the bootstrap, in slots.
    """
    charged = missed.with_columns(absolute_error=OPPOSITE * pl.col("naive"))
    columns = ["slot", "absolute_error", *BASELINES]
    both = pl.concat([answered.select(columns), charged.select(columns)])
    measures = [_against(both, baseline, block) for baseline in BASELINES]
    known = [measure for measure in measures if measure.value is not None]
    return min(known, key=lambda measure: measure.value or 0.0) if known else measures[0]


def _against(forecasts: pl.DataFrame, baseline: str, block: int) -> Measure:
    common = forecasts.drop_nulls(baseline)
    if common.is_empty():
        return Measure(reason=NOTHING_KNOWN)
    losses = _by_slot(common, pl.col("absolute_error").sum(), pl.col(baseline).sum())
    total = float(losses[:, 1].sum())
    if total == 0:
        return Measure(reason="the baseline made no error", count=len(common))

    def of(sums: Array) -> Array:
        return 1 - sums[:, 0] / sums[:, 1]

    low, high = interval(losses, of, block) or (None, None)
    value = 1 - float(losses[:, 0].sum()) / total
    return Measure(value=value, count=len(common), low=low, high=high)


def hit_rate(answered: pl.DataFrame, missed: pl.DataFrame, block: int) -> Measure:
    """Right directions of those that had one; those missed were wrong where the market moved.

    Args:
        answered: `slot`, `hit` (Boolean; null: no direction).
        missed: `slot`, `naive` (absolute error of no change: 0 where the market did not move).
        block: of the bootstrap, in slots.
    """
    wrong = missed.select("slot", hit=pl.when(pl.col("naive") > 0).then(statement=False))
    both = pl.concat([answered.select("slot", "hit"), wrong]).drop_nulls("hit")
    if both.is_empty():
        return Measure(reason="no forecast had a direction")
    counted = _by_slot(both, pl.col("hit").sum(), pl.len())

    def of(sums: Array) -> Array:
        return sums[:, 0] / sums[:, 1]

    low, high = interval(counted, of, block) or (None, None)
    value = float(counted[:, 0].sum()) / float(counted[:, 1].sum())
    return Measure(value=value, count=len(both), low=low, high=high)


def _by_slot(frame: pl.DataFrame, first: pl.Expr, second: pl.Expr) -> Array:
    """A row a slot, in order of time: what the bootstrap resamples."""
    sums = frame.group_by("slot").agg(first.alias("first"), second.alias("second")).sort("slot")
    terms: Array = sums.select(pl.col("first", "second").cast(pl.Float64)).to_numpy()
    return terms
