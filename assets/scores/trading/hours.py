"""The hours of a series, and how many of them there are in a year."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

import polars as pl

from assets.market_data.calendar import hours_of, open_intervals
from assets.market_data.frames import UTC_TIME

HOURS_IN_A_YEAR = 8760
YEARS_LOOKED_AT = 4


def open_hours(calendars: Iterable[str], first: datetime, end: datetime) -> pl.DataFrame:
    """Full hours from `first` on and before `end` in which any of the markets is open.

    Returns:
        `hour`, UTC, ascending: an hour in which a market opens at half past counts whole.
    """
    hours = {
        hour.replace(minute=0, second=0, microsecond=0)
        for calendar in set(calendars)
        for hour in hours_of(open_intervals(calendar, first, end))
    }
    return pl.DataFrame({"hour": sorted(hours)}, schema={"hour": UTC_TIME})


def hours_per_year(calendars: Iterable[str], year: int) -> float:
    """How many hours of a series there are in a year of 8,760 hours.

    Counted by the calendars over the four full years before `year`, in which each day of the
    week falls about equally often, and scaled to 365 days: 8,760 for a market that never
    closes, some 6,257 for foreign exchange, 7 a trading day for shares in New York.

    >>> hours_per_year(["24x7"], 2026)
    8760.0
    """
    return _hours_per_year(tuple(sorted(set(calendars))), year)


@lru_cache(maxsize=64)
def _hours_per_year(calendars: tuple[str, ...], year: int) -> float:
    first = datetime(year - YEARS_LOOKED_AT, 1, 1, tzinfo=UTC)
    end = datetime(year, 1, 1, tzinfo=UTC)
    counted = len(open_hours(calendars, first, end))
    return HOURS_IN_A_YEAR * counted / ((end - first).total_seconds() / 3600)
