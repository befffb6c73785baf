"""When a market is open: intervals in UTC, by the calendar of an instrument.

`24x7` never closes. `FX` is open from Sunday to Friday, 17:00 in New York;
`METAL` is the same less the hour from 17:00 each day. Their holidays count as
open. Any other name is an exchange's MIC and asks exchange-calendars, which
knows holidays and early closes.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NEW_YORK = ZoneInfo("America/New_York")
FX_CLOSE_HOUR = 17
FRIDAY, SATURDAY = 4, 5
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_US = 3_600_000_000

Intervals = npt.NDArray[np.int64]
"""Rows of start and end, microseconds since 1970, ascending and apart."""


class UnknownCalendarError(ValueError):
    """No exchange has this code."""


def open_intervals(calendar: str, start: datetime, end: datetime) -> Intervals:
    """When the market is open within `[start, end)`.

    Raises:
        UnknownCalendarError: the calendar is none of ours, and no exchange's MIC.

    >>> friday = datetime(2026, 1, 2, 20, tzinfo=UTC)
    >>> (open_intervals("FX", friday, friday + 3 * DAY) - microseconds(friday)) // HOUR_US
    array([[ 0,  2],
           [50, 72]])
    """
    if start >= end:
        return np.empty((0, 2), np.int64)
    if calendar == "24x7":
        whole = [[microseconds(start), microseconds(end)]]
        return np.array(whole, np.int64)
    if calendar in ("FX", "METAL"):
        spans = _by_the_week(calendar, start, end)
    else:
        spans = _by_the_exchange(calendar, start, end)
    clipped = spans.clip(microseconds(start), microseconds(end))
    return clipped[clipped[:, 0] < clipped[:, 1]]


def microseconds(instant: datetime) -> int:
    """Since 1970."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def instant_of(microseconds_since_1970: int) -> datetime:
    """UTC."""
    return EPOCH + timedelta(microseconds=int(microseconds_since_1970))


def hours_of(intervals: Intervals) -> list[datetime]:
    """Intervals cut into hours from where each begins: when each begins."""
    return [
        instant_of(at) for first, after in intervals.tolist() for at in range(first, after, HOUR_US)
    ]


def without(intervals: Intervals, covered: Intervals) -> Intervals:
    """What is left of intervals where others, ascending, do not cover them.

    >>> without(np.array([[0, 9], [20, 30]]), np.array([[2, 4], [4, 5], [8, 21]]))
    array([[ 0,  2],
           [ 5,  8],
           [21, 30]])
    """
    if not len(intervals) or not len(covered):
        return intervals
    reach = np.maximum.accumulate(covered[:, 1])
    lowest, highest = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    holes = np.column_stack((np.append(lowest, reach), np.append(covered[:, 0], highest)))
    holes = holes[holes[:, 0] < holes[:, 1]]
    # Holes and intervals both ascend: each hole meets a run of intervals.
    first = np.searchsorted(intervals[:, 1], holes[:, 0], side="right")
    after = np.searchsorted(intervals[:, 0], holes[:, 1], side="left")
    left = [
        np.clip(intervals[low:high], *hole)
        for hole, low, high in zip(holes, first, after, strict=True)
        if low < high
    ]
    return np.concatenate(left) if left else np.empty((0, 2), np.int64)


def _by_the_week(calendar: str, start: datetime, end: datetime) -> Intervals:
    day = start.astimezone(NEW_YORK).date() - DAY
    last = end.astimezone(NEW_YORK).date() + DAY
    spans: list[list[int]] = []
    while day <= last:
        # A trading day runs from 17:00 of the day before to 17:00.
        if day.weekday() < SATURDAY:
            opens = _in_new_york(day - DAY, FX_CLOSE_HOUR + (calendar == "METAL"))
            closes = _in_new_york(day, FX_CLOSE_HOUR)
            if spans and spans[-1][1] == opens:
                spans[-1][1] = closes
            else:
                spans.append([opens, closes])
        day += DAY
    return np.array(spans, np.int64).reshape(-1, 2)


def _in_new_york(day: date, hour: int) -> int:
    return microseconds(datetime(day.year, day.month, day.day, hour, tzinfo=NEW_YORK))


def _by_the_exchange(calendar: str, start: datetime, end: datetime) -> Intervals:
    known = _exchange(calendar)
    schedule = known.schedule.loc[f"{start - DAY:%Y-%m-%d}" : f"{end + DAY:%Y-%m-%d}"]
    return np.column_stack(
        [schedule[name].dt.tz_convert(None).to_numpy("datetime64[us]").astype(np.int64)
         for name in ("open", "close")]
    )  # fmt: skip


@lru_cache(maxsize=16)
def _exchange(calendar: str) -> Any:
    # Two seconds and pandas: paid by whoever has shares.
    import exchange_calendars  # noqa: PLC0415
    from exchange_calendars.errors import InvalidCalendarName  # noqa: PLC0415

    try:
        return exchange_calendars.get_calendar(calendar, start="1990-01-01")
    except InvalidCalendarName as error:
        raise UnknownCalendarError(
            f"calendar {calendar!r} is not 24x7, FX, METAL or an exchange's MIC"
        ) from error
