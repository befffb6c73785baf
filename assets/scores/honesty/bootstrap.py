"""Intervals by resampling blocks, so that hours that hang together stay together.

Circular block bootstrap of Politis and Romano (1992): a series of T rows is laid end to start,
blocks of L rows are drawn with replacement until there are T rows again (the last is cut), and
the statistic is computed anew. Forecasts of h hours made each hour share h - 1 hours of their
outcome, so L is never below the longest horizon.

Every statistic here is a function of column sums (a mean, a ratio, a Sharpe ratio), and sums
of blocks are differences of running totals: a replicate costs T / L additions and not T.

The generator is seeded by the content: the same series gives the same interval anywhere, and
nobody can draw until they like it.
"""

import hashlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Statistic = Callable[[Array], Array]
"""Sums, one row a replicate and one column a term, to one value a row; NaN where undefined."""

LEVEL = 0.95
REPLICATES = 1000
BLOCKS_AT_LEAST = 10
DAY_HOURS = 24


def block_length(longest_horizon_hours: int) -> int:
    """Rows in a block: the longest horizon, and a day at least."""
    return max(longest_horizon_hours, DAY_HOURS)


def block_sums(terms: Array, block: int, replicates: int = REPLICATES) -> Array:
    """Column sums of resampled series.

    Args:
        terms: (T, k), T > 0: a row an hour or a slot, in order of time; finite.
        block: L, rows in a block.
        replicates: B.

    Returns:
        (B, k).
    """
    rows = len(terms)
    length = min(block, rows)
    whole, rest = divmod(rows, length)
    starts = _generator(terms, length).integers(0, rows, size=(replicates, whole + 1))
    ring = np.concatenate((terms, terms[:length]))
    running = np.concatenate((np.zeros((1, terms.shape[1])), np.cumsum(ring, axis=0)))
    blocks = (running[length:] - running[:-length])[:rows]
    last = running[rest : rest + rows] - running[:rows]
    summed: Array = blocks[starts[:, :whole]].sum(axis=1) + last[starts[:, whole]]
    return summed


def interval(
    terms: Array, statistic: Statistic, block: int, replicates: int = REPLICATES
) -> tuple[float, float] | None:
    """Percentile interval at `LEVEL`; Efron (1979).

    Returns:
        Lower and upper end; None where there are fewer than ten blocks, or where a replicate in
        twenty has no value.
    """
    if len(terms) < BLOCKS_AT_LEAST * block:
        return None
    return percentiles(replicated(terms, statistic, block, replicates))


def replicated(terms: Array, statistic: Statistic, block: int, replicates: int) -> Array:
    """The statistic of each resampled series; NaN where it is undefined."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return statistic(block_sums(terms, block, replicates))


def percentiles(values: Array) -> tuple[float, float] | None:
    """The middle `LEVEL` of replicated values; None where too many are undefined."""
    known = values[np.isfinite(values)]
    if len(known) < LEVEL * len(values):
        return None
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(known, (tail, 1 - tail))
    return float(low), float(high)


def _generator(terms: Array, length: int) -> np.random.Generator:
    content = hashlib.sha256(np.ascontiguousarray(terms, "<f8").tobytes())
    content.update(length.to_bytes(4, "little"))
    return np.random.Generator(np.random.PCG64(int.from_bytes(content.digest()[:8], "little")))
