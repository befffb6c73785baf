"""The platform's clock, read at the edge of a process and passed on as `now`.

In a demonstration the clock runs ahead of the world's by an offset that only
grows, so that nobody has to wait for the next full hour. It is refused in
production, and every answer of the API says when it is in force.
"""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The world's time, UTC."""
    return datetime.now(UTC)


class DemoClock:
    """The world's time plus the seconds written in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self) -> datetime:
        return system_clock() + self.offset()

    def offset(self) -> timedelta:
        """How far ahead the clock is; zero before it was first advanced."""
        try:
            return timedelta(seconds=int(self.path.read_text()))
        except FileNotFoundError:
            return timedelta(0)

    def advance_to(self, instant: datetime) -> None:
        """Jump forward to `instant`.

        Raises:
            ValueError: it lies in the past; this clock never goes back.
        """
        ahead = instant - system_clock()
        if ahead < self.offset():
            raise ValueError(f"the demo clock never goes back: {instant} is past")
        temporary = self.path.with_suffix(".new")
        temporary.write_text(str(int(ahead.total_seconds()) + 1))
        os.replace(temporary, self.path)  # noqa: PTH105 - atomic by name


def clock_of(environment: str, demo_clock: str | None) -> Clock:
    """The clock of a process.

    Raises:
        ValueError: a demo clock is set in an environment that is not `demo` or `test`.
    """
    if not demo_clock:
        return system_clock
    if environment not in ("demo", "test"):
        raise ValueError(
            "SIGNALBOX_DEMO_CLOCK is set in a production environment: unset it,"
            " or set SIGNALBOX_ENVIRONMENT=demo"
        )
    return DemoClock(Path(demo_clock))


def floor_hour(instant: datetime) -> datetime:
    """The full hour at or before `instant`."""
    return instant.replace(minute=0, second=0, microsecond=0)


def end_of_month(first: date) -> datetime:
    """Where the month of its first day ends, exclusive, UTC.

    >>> end_of_month(date(2026, 12, 1))
    datetime.datetime(2027, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    years, index = divmod(first.month, 12)
    return datetime(first.year + years, index + 1, 1, tzinfo=UTC)
