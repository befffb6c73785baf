"""Closed hours are no gaps, and no weekend makes a feed stale."""

from datetime import UTC, datetime, timedelta

import pytest

from assets.market_data import FileSource, gaps, stale_feed
from assets.market_data.checks import is_open, open_hours

HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
FRIDAY_EVENING = datetime(2026, 1, 2, 22, tzinfo=UTC)


def test_a_missing_hour_is_named():
    there = [MONDAY, MONDAY + 2 * HOUR]
    result = gaps(there, "24x7", MONDAY, MONDAY + 3 * HOUR)
    assert not result.passed
    assert result.metadata == {"missing": 1, "hours": ["2026-01-05T01:00:00+00:00"]}


def test_a_weekend_is_no_gap_in_currencies_but_one_in_coins():
    assert gaps([], "FX", FRIDAY_EVENING, FRIDAY_EVENING + 48 * HOUR).passed
    assert gaps([], "24x7", FRIDAY_EVENING, FRIDAY_EVENING + 48 * HOUR).metadata["missing"] == 48


@pytest.mark.parametrize(("month", "utc_hour"), [(1, 22), (7, 21)])
def test_the_currency_week_ends_at_five_in_new_york_in_winter_and_summer(month, utc_hour):
    friday = next(
        day for at in range(1, 8) if (day := datetime(2026, month, at, tzinfo=UTC)).weekday() == 4
    )
    closing = friday + utc_hour * HOUR
    assert is_open("FX", closing - HOUR)
    assert not is_open("FX", closing)
    assert not is_open("FX", closing + 47 * HOUR)
    assert is_open("FX", closing + 48 * HOUR)


def test_a_calendar_that_is_not_known_is_said_not_to_be_judged():
    result = gaps([], "XNYS", MONDAY, MONDAY + HOUR)
    assert result.passed
    assert "XNYS" in str(result.metadata["not_judged"])
    assert "not_judged" in stale_feed(MONDAY, "XNYS", MONDAY + 99 * HOUR).metadata


def test_a_feed_is_stale_after_its_limit_of_open_hours():
    assert stale_feed(MONDAY, "24x7", MONDAY + 2 * HOUR).passed
    late = stale_feed(MONDAY, "24x7", MONDAY + 3 * HOUR)
    assert not late.passed
    assert late.metadata["silent_hours"] == 3
    assert not stale_feed(None, "24x7", MONDAY).passed


def test_a_running_hour_does_not_count_as_silent():
    assert stale_feed(MONDAY, "24x7", MONDAY + 2.9 * HOUR).metadata["silent_hours"] == 2


def test_a_weekend_makes_no_currency_feed_stale():
    assert stale_feed(FRIDAY_EVENING, "FX", FRIDAY_EVENING + 48 * HOUR).passed
    assert not stale_feed(FRIDAY_EVENING, "FX", FRIDAY_EVENING + 52 * HOUR).passed


def test_open_hours_begin_within_the_period():
    begin = MONDAY + timedelta(minutes=30)
    assert open_hours("24x7", begin, MONDAY + 2 * HOUR) == [MONDAY + HOUR]
    assert open_hours("24x7", MONDAY, MONDAY - HOUR) == []


def test_the_complete_grid_of_a_real_exchange_has_no_gap(shared_bars):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    start = datetime(2023, 12, 31, tzinfo=UTC)
    end = datetime(2024, 12, 30, 2, tzinfo=UTC)
    frame = FileSource(shared_bars).fetch("BTCUSDT", start, end, now).frame
    assert gaps(frame["ts_open"].to_list(), "24x7", start, end).passed
    holes = frame.filter(frame["ts_open"] != start + 100 * HOUR)
    assert gaps(holes["ts_open"].to_list(), "24x7", start, end).metadata["missing"] == 1
