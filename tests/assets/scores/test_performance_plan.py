"""Which signals an hour computes: those that can have changed, and a bounded part of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from assets.scores.performance.plan import FORECASTS_AT_ONCE, State, groups, work_of
from assets.scores.performance.update import as_of_at

AS_OF = datetime(2026, 6, 15, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def state(first, last, recent=HOUR, whole=HOUR):
    """A signal: how long ago its first and last slot were, and its rows' as_of."""
    times = (
        AS_OF - first,
        AS_OF - last,
        *(None if one is None else AS_OF - one for one in (recent, whole)),
    )
    return State(1, *times)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        # Never computed; or only a part of it was.
        (state(3 * DAY, HOUR, None, None), "whole"),
        (state(300 * DAY, HOUR, HOUR, None), "whole"),
        # Up to date.
        (state(3 * DAY, HOUR, 0 * HOUR, 0 * HOUR), "nothing"),
        # Running: all of a short record each hour, of a long one once a day.
        (state(3 * DAY, HOUR), "whole"),
        (state(300 * DAY, HOUR), "recent"),
        (state(300 * DAY, HOUR, HOUR, 10 * HOUR), "whole"),
        # Ended: while scores still come, as one that runs.
        (state(300 * DAY, 8 * DAY), "recent"),
        (state(300 * DAY, 10 * DAY), "nothing"),
        # Then once a day, until its last slot has left the ninety days.
        (state(300 * DAY, 10 * DAY, 10 * HOUR, 10 * HOUR), "whole"),
        (state(300 * DAY, 95 * DAY, 10 * HOUR, 10 * HOUR), "nothing"),
        (state(300 * DAY, 95 * DAY, 6 * DAY, 6 * DAY), "whole"),
    ],
)
def test_work_of_an_hour(of, expected):
    assert work_of(of, AS_OF) == expected


def test_documents_that_lack_a_part_are_computed_anew_whatever_their_hour():
    lacking = replace(state(300 * DAY, 95 * DAY, 0 * HOUR, 0 * HOUR), is_complete=False)
    assert work_of(lacking, AS_OF) == "whole"


def test_nothing_that_counts_can_be_pending():
    deadline = timedelta(minutes=10)
    at_nine = AS_OF.replace(minute=9, second=59)
    assert as_of_at(at_nine, deadline) == AS_OF - HOUR
    assert as_of_at(AS_OF.replace(minute=10), deadline) == AS_OF


def test_signals_are_read_together_as_long_as_their_forecasts_are_few():
    small = [State(n, AS_OF - DAY, AS_OF, None, None, owed=3) for n in range(23)]
    assert [len(one) for one in groups(small, None, AS_OF)] == [10, 10, 3]
    big = State(99, AS_OF - 400 * DAY, AS_OF, None, None, owed=FORECASTS_AT_ONCE // 9600)
    assert list(groups([big, *small[:2], big], None, AS_OF)) == [[99, 0, 1], [99]]
    assert list(groups([big, big], AS_OF - DAY, AS_OF)) == [[99, 99]]
    assert list(groups([], None, AS_OF)) == []
