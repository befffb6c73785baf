"""What the hours before a slot say of its scale, and the naive forecasts of it.

Everything here takes one symbol's closes on an hourly grid, NaN where there is no bar,
and looks from each place in it back, never ahead. m is 24 hours.
"""

import numpy as np
import numpy.typing as npt

Hours = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

SEASON_HOURS = 24
WINDOW_HOURS = 28 * 24
FEWEST_DIFFERENCES = 24


def lag_hours(horizon: int) -> int:
    """m, or the next multiple of it that the horizon fits in: the last season that is known.

    >>> [lag_hours(horizon) for horizon in (1, 24, 25, 168)]
    [24, 24, 48, 168]
    """
    return -(-horizon // SEASON_HOURS) * SEASON_HOURS


def reach_hours(horizon: int) -> int:
    """How many hours before a slot are looked at."""
    return WINDOW_HOURS + lag_hours(horizon) + horizon


def outcomes(closes: Hours, horizon: int, target: str) -> Hours:
    """What would have been the outcome at each hour: its close, or the log return up to it."""
    if target == "price":
        return closes
    return np.log(closes) - np.log(_back(closes, horizon))


def seasonal_scales(outcome: Hours, lag: int, places: Places) -> tuple[Hours, Hours]:
    """Mean |y_t - y_(t-lag)| and mean (y_t - y_(t-lag))^2 over the window that ends at each place.

    The error in sample of the seasonal naive forecast (Hyndman and Koehler 2006, section
    3), over the `WINDOW_HOURS` up to the slot instead of all the past.

    Args:
        outcome: y of each hour, by `outcomes`.
        lag: of the season, in hours.
        places: indices of slots in `outcome`, ascending.

    Returns:
        NaN where fewer than `FEWEST_DIFFERENCES` of them are known, and where all are 0.
    """
    difference = outcome - _back(outcome, lag)
    known = ~np.isnan(difference)
    count = _window_sums(known.astype(np.float64), places)
    enough = count >= FEWEST_DIFFERENCES
    sums = (
        _window_sums(np.where(known, power, 0.0), places)
        for power in (np.abs(difference), difference**2)
    )
    first, second = (
        np.where(enough & (total > 0), total / np.maximum(count, 1), np.nan) for total in sums
    )
    return first, second


def seasonal_naive(outcome: Hours, horizon: int, places: Places) -> Hours:
    """The outcome of the same hours one season ago, or of the last season that is known.

    Hyndman and Athanasopoulos, Forecasting: Principles and Practice (2021), section 5.2.
    """
    return _at(outcome, places + horizon - lag_hours(horizon))


def naive2(closes: Hours, horizon: int, places: Places) -> Hours:
    """No change but for the hour of day, as a ratio to the close at the slot.

    Makridakis, Spiliotis and Assimakopoulos (2020): naive on data adjusted by classical
    multiplicative decomposition with period m. The index of an hour of day is the mean
    of close / centred moving average over the window that ends at the slot. Without M4's
    test of significance: the indices are used where every hour of day has one, and there
    is no adjustment where one has none, as where the market is closed at night.

    Args:
        closes: on the hourly grid.
        horizon: in hours.
        places: indices of slots.

    Returns:
        1 where there is no adjustment; NaN where the close at the slot is not known.
    """
    half = SEASON_HOURS // 2
    padded = np.concatenate([np.full(half, np.nan), closes, np.full(half, np.nan)])
    weights = np.ones(SEASON_HOURS + 1)
    weights[[0, -1]] = 0.5
    trend = np.convolve(padded, weights / SEASON_HOURS, mode="valid")
    # The average around an hour is known half a season after it.
    span = WINDOW_HOURS - SEASON_HOURS
    days = _windows(closes / trend, places - half, span).reshape(len(places), -1, SEASON_HOURS)
    known = ~np.isnan(days)
    count = known.sum(axis=1)
    index = np.where(known, days, 0.0).sum(axis=1) / np.maximum(count, 1)
    whole = (count > 0).all(axis=1)
    # A window ends half a season before its slot, so the slot's hour of day stands here in each.
    now = half - 1
    then = (now + horizon) % SEASON_HOURS
    adjusted = np.where(whole, index[:, then] / np.where(whole, index[:, now], 1.0), 1.0)
    return np.where(np.isnan(_at(closes, places)), np.nan, adjusted)


def _back(values: Hours, hours: int) -> Hours:
    """Of each place what stands so many hours before it; NaN before the first."""
    return np.concatenate([np.full(min(hours, len(values)), np.nan), values[: -hours or None]])[
        : len(values)
    ]


def _at(values: Hours, places: Places) -> Hours:
    inside = (places >= 0) & (places < len(values))
    return np.where(inside, values[np.clip(places, 0, len(values) - 1)], np.nan)


def _window_sums(values: Hours, places: Places) -> Hours:
    """Sums over the window that ends at each place, of the range of places at once."""
    padded = np.concatenate([np.zeros(WINDOW_HOURS - 1), values])
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_HOURS)
    first, last = int(places[0]), int(places[-1])
    totals: Hours = windows[first : last + 1].sum(axis=-1)
    return totals[places - first]


def _windows(values: Hours, places: Places, span: int) -> Hours:
    """The `span` values that end at each place, a row each; NaN before the first."""
    padded = np.concatenate([np.full(span + SEASON_HOURS, np.nan), values])
    view = np.lib.stride_tricks.sliding_window_view(padded, span)
    chosen: Hours = view[places + SEASON_HOURS + 1]
    return chosen
