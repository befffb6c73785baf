"""How far the rule fell from its peak, and when."""

from datetime import datetime

import msgspec
import numpy as np
import numpy.typing as npt

Returns = npt.NDArray[np.float64]


class Drawdown(msgspec.Struct, frozen=True, kw_only=True):
    """The deepest fall of a period.

    Attributes:
        depth: share of the peak, 0 to 1.
        peak_at: start of the hour that followed the peak, UTC.
        trough_at: end of the hour in which the fall ended.
        recovered_at: end of the hour in which the peak was reached again; None: not yet.
    """

    depth: float
    peak_at: datetime
    trough_at: datetime
    recovered_at: datetime | None


def wealth(returns: Returns) -> Returns:
    """What 1 became: 1 at the start, then after each hour; nothing left is nothing for good."""
    return np.concatenate(([1.0], np.cumprod(np.maximum(1 + returns, 0))))


def max_drawdown(returns: Returns, boundaries: list[datetime]) -> Drawdown | None:
    """Max over t of 1 - W(t) / max W(s), s <= t, where W is wealth and the start is a peak too.

    Magdon-Ismail and Atiya (2004), as a share of the peak.

    Args:
        returns: simple, one an hour.
        boundaries: when each hour began, and the end of the last: one more than returns.

    Returns:
        None where wealth never fell.
    """
    path = wealth(returns)
    falls = 1 - path / np.maximum.accumulate(path)
    trough = int(np.argmax(falls))
    if falls[trough] <= 0:
        return None
    peak = int(np.argmax(path[: trough + 1]))
    again = np.flatnonzero(path[trough:] >= path[peak])
    return Drawdown(
        depth=float(falls[trough]),
        peak_at=boundaries[peak],
        trough_at=boundaries[trough],
        recovered_at=boundaries[trough + int(again[0])] if len(again) else None,
    )
