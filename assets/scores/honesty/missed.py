"""Skill and hit rate with misses charged, by a rule that is declared.

A due slot without a live forecast (missed, late, unopened) counts as if it had said the
opposite of what happened, for every symbol and horizon that it owed: its direction was wrong,
and its absolute error is |y - r| + max(|y - r|, m), where r is no change and m the mean
|x - r| of what the signal did say: as far off on the other side as the outcome, or as its own
forecasts usually are, whichever is more. So leaving out the hours that went wrong, or would
have, does not make a record better.
"""

import polars as pl

from assets.scores.honesty.bootstrap import Array, interval
from assets.scores.honesty.naive import BASELINES
from assets.scores.measure import Measure

NOTHING_KNOWN = "no outcome is known yet"


def skill(answered: pl.DataFrame, missed: pl.DataFrame, block: int) -> Measure:
    """1 - sum|e| / sum|e of the baseline|, of the baseline that makes it least.

    Over the forecasts for which each has a value. Positive: better than the best baseline.

    Args:
        answered: `slot`, `absolute_error`, `size` (|x - r|), and a column for each of
            `BASELINES`; all in the target's unit.
        missed: `slot` and a column for each of `BASELINES`; none: nothing is charged.
        block: of the bootstrap, in slots.
    """
    usual = answered.select(pl.col("size").mean().fill_null(0.0)).item()
    opposite = pl.col("naive") + pl.max_horizontal(pl.col("naive"), pl.lit(float(usual)))
    columns = ["slot", "absolute_error", *BASELINES]
    charged = missed.with_columns(absolute_error=opposite)
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
        missed: `slot`, `naive` (absolute error of no change: 0 where the market did not move);
            none: nothing is charged.
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


def mean_absolute_error(answered: pl.DataFrame, block: int) -> tuple[float, float] | None:
    """Interval of the mean absolute error; `answered` as in `skill`."""
    if answered.is_empty():
        return None
    terms = _by_slot(answered, pl.col("absolute_error").sum(), pl.len())

    def of(sums: Array) -> Array:
        return sums[:, 0] / sums[:, 1]

    return interval(terms, of, block)


def _by_slot(frame: pl.DataFrame, first: pl.Expr, second: pl.Expr) -> Array:
    """A row a slot, in order of time: what the bootstrap resamples."""
    sums = frame.group_by("slot").agg(first.alias("first"), second.alias("second")).sort("slot")
    terms: Array = sums.select(pl.col("first", "second").cast(pl.Float64)).to_numpy()
    return terms
