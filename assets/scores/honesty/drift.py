"""Live against replay: does a signal do live what it did over the past?

Each measure over live slots less the same over slots that were run afterwards (replayed or
backfilled). The two are other hours, so that the market may have changed and not the model:
the interval says only how much of a difference chance would make.
"""

import numpy as np
import polars as pl

from assets.scores.honesty.bootstrap import (
    BLOCKS_AT_LEAST,
    REPLICATES,
    Array,
    percentiles,
    replicated,
)
from assets.scores.measure import Measure

DRIFT_MEASURES = ("hit_rate", "mean_absolute_error", "mean_hourly_return")


def drift(
    live: pl.DataFrame,
    replayed: pl.DataFrame,
    live_returns: Array,
    replayed_returns: Array,
    block: int,
) -> dict[str, Measure]:
    """Differences live - replayed, with intervals of independent resamples of either.

    The difference is beyond chance where its interval leaves out 0.

    Args:
        live: scored forecasts: `slot`, `absolute_error`, `hit`.
        replayed: likewise.
        live_returns: of the trading rule, hourly, net.
        replayed_returns: likewise, of the rule over the replayed slots.
        block: of the bootstrap, in slots and hours.
    """
    right, wrong = _terms(live, replayed, pl.col("hit").cast(pl.Float64))
    mine, theirs = _terms(live, replayed, pl.col("absolute_error"))
    ones = [np.column_stack((r, np.ones(len(r)))) for r in (live_returns, replayed_returns)]
    return {
        "hit_rate": _difference(right, wrong, block),
        "mean_absolute_error": _difference(mine, theirs, block),
        "mean_hourly_return": _difference(ones[0], ones[1], block),
    }


def _terms(live: pl.DataFrame, replayed: pl.DataFrame, value: pl.Expr) -> tuple[Array, Array]:
    """Sum and count by slot, in order of time, of what is not null."""
    sides = [
        frame.select("slot", value=value)
        .drop_nulls("value")
        .group_by("slot")
        .agg(pl.col("value").sum(), pl.len().cast(pl.Float64).alias("count"))
        .sort("slot")
        .select("value", "count")
        .to_numpy()
        for frame in (live, replayed)
    ]
    return sides[0], sides[1]


def _difference(live: Array, replayed: Array, block: int) -> Measure:
    for terms, which in ((live, "live"), (replayed, "replayed")):
        if not len(terms):
            return Measure(reason=f"nothing {which} to compare", count=len(live))
    value = float(_mean(live.sum(axis=0)[None])[0] - _mean(replayed.sum(axis=0)[None])[0])
    if min(len(live), len(replayed)) < BLOCKS_AT_LEAST * block:
        return Measure(value=value, count=len(live))
    # Where both are one series the seeds are equal, and so are the resamples: no difference.
    ends = percentiles(
        replicated(live, _mean, block, REPLICATES) - replicated(replayed, _mean, block, REPLICATES)
    )
    low, high = ends or (None, None)
    return Measure(value=value, count=len(live), low=low, high=high)


def _mean(sums: Array) -> Array:
    return sums[:, 0] / sums[:, 1]
