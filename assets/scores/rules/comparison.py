"""Is one forecast's loss smaller than another's by more than chance?"""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from assets.scores.rules.student import two_sided_p

FEWEST_LOSSES = 8


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The test of Diebold and Mariano of equal accuracy.

    Attributes:
        statistic: negative where the first loses less; Student's t with count - 1
            degrees of freedom where neither is better.
        p_value: two-sided.
        reason: why there is neither; None where there are both.
        count: pairs of losses.
    """

    statistic: float | None = None
    p_value: float | None = None
    reason: str | None = None
    count: int = 0


def diebold_mariano(
    losses: npt.NDArray[np.float64] | Sequence[float],
    other: npt.NDArray[np.float64] | Sequence[float],
    horizon: int,
) -> Comparison:
    """Two forecasts' losses at the same slots, oldest first, one slot an hour.

    Diebold and Mariano (1995): the mean difference over the square root of its
    variance, from autocovariances up to lag horizon - 1, all with weight 1; times the
    correction of Harvey, Leybourne and Newbold (1997), equation 9.

    Args:
        losses: of the one, such as absolute errors.
        other: of the other, at the same slots.
        horizon: h, in hours: forecasts overlap so far.

    Raises:
        ValueError: not as many of one as of the other, one that is not finite, or a
            horizon below 1.
    """
    first, second = np.asarray(losses, np.float64), np.asarray(other, np.float64)
    if first.shape != second.shape or horizon < 1:
        raise ValueError("two losses of each slot, and a horizon of at least 1")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("a loss that is not finite")
    count = len(first)
    if count < max(FEWEST_LOSSES, horizon + 1):
        wanted = max(FEWEST_LOSSES, horizon + 1)
        return Comparison(reason=f"{count} common slots; it takes {wanted}", count=count)
    difference = first - second
    mean = float(difference.mean())
    if difference.min() == difference.max():
        return Comparison(reason="the losses differ by the same at every slot", count=count)
    centred = difference - mean
    covariances = [float(centred[lag:] @ centred[: count - lag]) / count for lag in range(horizon)]
    variance = (covariances[0] + 2 * sum(covariances[1:])) / count
    if variance <= 0:
        return Comparison(
            reason=f"the variance from {horizon} autocovariances is not positive", count=count
        )
    correction = (count + 1 - 2 * horizon + horizon * (horizon - 1) / count) / count
    statistic = math.sqrt(correction) * mean / math.sqrt(variance)
    return Comparison(statistic=statistic, p_value=two_sided_p(statistic, count - 1), count=count)
