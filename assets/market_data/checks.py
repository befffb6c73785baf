"""What the catalogue says about the bars that are there, and those that are not.

Hours in which a market is closed are no gaps. For `24x7` and `FX` the open
hours are known; any other calendar is not judged, and the result says so.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

HOUR = timedelta(hours=1)
NEW_YORK = ZoneInfo("America/New_York")
FX_CLOSE_HOUR = 17
FRIDAY, SATURDAY, SUNDAY = 4, 5, 6
JUDGED = ("24x7", "FX")
NAMED_HOURS = 100


class CheckResult(msgspec.Struct, frozen=True):
    """Outcome of one check of one symbol.

    Attributes:
        passed: nothing to do.
        metadata: what an operator needs to act; hours as ISO 8601 UTC.
    """

    passed: bool
    metadata: dict[str, str | int | float | list[str]]


def is_open(calendar: str, hour: datetime) -> bool:
    """Is the market open in the hour that begins at `hour` (UTC)?

    The FX week runs from Sunday to Friday, 17:00 in New York.

    >>> is_open("FX", datetime(2026, 1, 3, 12, tzinfo=UTC))
    False
    """
    if calendar == "24x7":
        return True
    local = hour.astimezone(NEW_YORK)
    if local.weekday() == FRIDAY:
        return local.hour < FX_CLOSE_HOUR
    if local.weekday() == SUNDAY:
        return local.hour >= FX_CLOSE_HOUR
    return local.weekday() != SATURDAY


def open_hours(calendar: str, start: datetime, end: datetime) -> list[datetime]:
    """Full hours that begin in `[start, end)` while the market is open, UTC."""
    first = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if first < start:
        first += HOUR
    count = max(0, -((first - end) // HOUR))
    return [hour for at in range(count) if is_open(calendar, hour := first + at * HOUR)]


def gaps(
    opened: Collection[datetime], calendar: str, start: datetime, end: datetime
) -> CheckResult:
    """Which open hours of `[start, end)` have no bar?

    Args:
        opened: `ts_open` of the bars that are there, UTC.
        calendar: the instrument's.
        start: UTC, inclusive.
        end: UTC, exclusive: the last full hour that is closed.
    """
    if calendar not in JUDGED:
        return _not_judged(calendar)
    there = set(opened)
    missing = [hour for hour in open_hours(calendar, start, end) if hour not in there]
    named = [hour.isoformat() for hour in missing[:NAMED_HOURS]]
    return CheckResult(not missing, {"missing": len(missing), "hours": named})


def stale_feed(
    newest_close: datetime | None, calendar: str, now: datetime, limit_hours: int = 2
) -> CheckResult:
    """Has the feed been silent for more than `limit_hours` of open market?

    Args:
        newest_close: `ts_close` of the newest bar, UTC; None: there is none.
        calendar: the instrument's.
        now: UTC.
        limit_hours: open hours, closed by now, that may be without a bar.
    """
    if newest_close is None:
        return CheckResult(passed=False, metadata={"newest_close": "none"})
    if calendar not in JUDGED:
        return _not_judged(calendar)
    silent = open_hours(calendar, newest_close, now - HOUR + timedelta(microseconds=1))
    return CheckResult(
        len(silent) <= limit_hours,
        {
            "newest_close": newest_close.isoformat(),
            "silent_hours": len(silent),
            "hours": [hour.isoformat() for hour in silent[:NAMED_HOURS]],
        },
    )


def _not_judged(calendar: str) -> CheckResult:
    return CheckResult(
        passed=True, metadata={"not_judged": f"the open hours of {calendar} are not known here"}
    )
