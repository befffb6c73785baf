"""When leaves were there for certain, what counts as live, and which hours are owed.

All times here are seconds since 1970, UTC; periods are half-open.
"""

import itertools
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from signalbox.log.leaves import HOUR, ForecastLeaf, MissedLeaf
from signalbox.log.rules import VersionState

Period = tuple[int, int]


@dataclass
class Counts:
    """Slots of a version.

    Attributes:
        live: forecast, evidence by the deadline.
        late: forecast, evidence after the deadline.
        undated: forecast, and nothing that the policy trusts dates it.
        missed: no forecast, with a reason.
        unopened: of the forecasts, those without an opening in the bundle.
        paused: hours in which the version was offline.
    """

    live: int = 0
    late: int = 0
    undated: int = 0
    missed: int = 0
    unopened: int = 0
    paused: int = 0

    def count(self, leaf: ForecastLeaf | MissedLeaf, date: int | None, deadline: int) -> None:
        """Count one slot.

        Args:
            leaf: of the slot.
            date: evidence time.
            deadline: seconds after the slot.
        """
        if isinstance(leaf, MissedLeaf):
            self.missed += 1
        elif date is None:
            self.undated += 1
        elif date <= leaf.slot + deadline:
            self.live += 1
        else:
            self.late += 1


class Dates:
    """By when a leaf was in the log for certain."""

    def __init__(self, checkpoints: Mapping[int, int]) -> None:
        """Take the time at which each checkpoint's quorum was reached, by size."""
        self._sizes = sorted(checkpoints)
        self._times = [checkpoints[size] for size in self._sizes]
        for place in range(len(self._times) - 2, -1, -1):
            self._times[place] = min(self._times[place], self._times[place + 1])

    def of(self, index: int) -> int | None:
        """The earliest time of a checkpoint that covers the leaf."""
        place = bisect_right(self._sizes, index)
        return self._times[place] if place < len(self._times) else None


def first_missing(version: VersionState, dates: Dates, end: int | None, part: Period) -> int | None:
    """The first hour that a version owed and has no leaf for.

    An hour is owed between two that have a leaf, and, by the dates, from the version's
    publication to its retirement; each once the next has begun, and not while offline.

    Args:
        version: read to the end.
        dates: of its leaves.
        end: when the newest checkpoint was dated; None: nothing dates it.
        part: hours outside are not looked at.
    """
    for start, stop in (*_between(version.taken, version), *_by_date(version, dates, end)):
        missing = _without_leaf(version.taken, max(start, part[0]), min(stop, part[1]))
        if missing is not None:
            return missing
    return None


def paused_hours(version: VersionState) -> int:
    """Hours between two slots in which the version was offline."""
    pairs = itertools.pairwise(version.taken)
    return sum((following - end) // HOUR for (_, end), (following, _) in pairs)


def _between(taken: Sequence[Period], version: VersionState) -> Iterator[Period]:
    for (start, end), (following, _) in itertools.pairwise(taken):
        if version.pause_in(start, end) is None:
            yield end, following


def _by_date(version: VersionState, dates: Dates, end: int | None) -> Iterator[Period]:
    begins = [version.leaf, *(one.live for one in version.pauses if one.live is not None)]
    ends = [one.offline for one in version.pauses]
    if version.ended is not None and len(ends) < len(begins):
        ends.append(version.ended)
    for place, begin in enumerate(begins):
        began = dates.of(begin)
        ended = dates.of(ends[place]) if place < len(ends) else end
        if began is not None and ended is not None:
            yield -(-began // HOUR) * HOUR, ended // HOUR * HOUR


def _without_leaf(taken: Sequence[Period], start: int, end: int) -> int | None:
    for taken_from, taken_to in taken:
        if taken_from > start:
            break
        start = max(start, taken_to)
    return start if start < end else None


def datetime_of(seconds: int) -> datetime:
    """The instant, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def spell(seconds: int) -> str:
    """For people.

    >>> spell(0)
    '1970-01-01 00:00 UTC'
    """
    return f"{datetime_of(seconds):%Y-%m-%d %H:%M} UTC"
