"""Each check names the hours of its defect, and is silent on bars without it."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from assets.market_data import SampleSource, gaps, ingest, stale_feed
from assets.market_data.calendar import HOUR_US, UnknownCalendarError, microseconds, open_intervals
from assets.market_data.checks import ON_BARS, closed_market
from assets.market_data.comparisons import copies, shifts, sides
from assets.market_data.quality import CHECKS, COMPARED, examine, failed

HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
FRIDAY_EVENING = datetime(2026, 1, 2, 22, tzinfo=UTC)
THANKSGIVING = datetime(2025, 11, 27, tzinfo=UTC)


def _sample(hours, symbol="BTCUSDT", start=MONDAY):
    end = start + hours * HOUR
    return SampleSource((symbol,)).fetch(symbol, start, end, end).frame


def _at(frame, hours, **values):
    """The frame with other values in some hours, counted from its first."""
    first = frame["ts_open"][0]
    chosen = pl.col("ts_open").is_in([first + at * HOUR for at in hours])
    return frame.with_columns(
        pl.when(chosen).then(value).otherwise(name).alias(name) for name, value in values.items()
    )


def _hours(result):
    return [datetime.fromisoformat(hour) for hour in result.metadata["hours"]]


def test_a_missing_hour_is_named(bars):
    there = bars([1.0] * 3)[[0, 2]]
    result = gaps(there, "24x7", MONDAY, MONDAY + 3 * HOUR)
    assert not result.passed
    assert _hours(result) == [MONDAY + HOUR]


def test_a_weekend_is_no_gap_in_currencies_but_one_in_coins(bars):
    none = bars([])
    assert gaps(none, "FX", FRIDAY_EVENING, FRIDAY_EVENING + 48 * HOUR).passed
    weekend = gaps(none, "24x7", FRIDAY_EVENING, FRIDAY_EVENING + 48 * HOUR)
    assert weekend.metadata["count"] == 48


@pytest.mark.parametrize(("month", "utc_hour"), [(1, 22), (7, 21)])
def test_the_currency_week_ends_at_five_in_new_york_in_winter_and_summer(month, utc_hour):
    friday = next(
        day for at in range(1, 8) if (day := datetime(2026, month, at, tzinfo=UTC)).weekday() == 4
    )
    closing = friday + utc_hour * HOUR
    week = open_intervals("FX", closing - 9 * HOUR, closing + 90 * HOUR)
    assert ((week - microseconds(closing)) // HOUR_US).tolist() == [[-9, 0], [48, 90]]


def test_metals_rest_an_hour_a_day():
    day = open_intervals("METAL", MONDAY, MONDAY + 24 * HOUR)
    assert ((day - microseconds(MONDAY)) // HOUR_US).tolist() == [[0, 22], [23, 24]]


def test_an_exchange_has_holidays_and_early_closes(bars):
    week = open_intervals("XNYS", THANKSGIVING - 24 * HOUR, THANKSGIVING + 48 * HOUR)
    hours = (week - microseconds(THANKSGIVING)) / HOUR_US
    assert hours.tolist() == [[-9.5, -3.0], [38.5, 42.0]]
    stub = bars([1.0] * 5, THANKSGIVING + 38.5 * HOUR)
    assert gaps(stub, "XNYS", THANKSGIVING, THANKSGIVING + 48 * HOUR).passed
    assert _hours(closed_market(stub, "XNYS")) == [THANKSGIVING + 42.5 * HOUR]


def test_a_half_hour_that_no_bar_covers_is_a_gap(bars):
    full_hours = bars([1.0] * 6, THANKSGIVING - 9 * HOUR)
    result = gaps(full_hours, "XNYS", THANKSGIVING - 24 * HOUR, THANKSGIVING)
    assert _hours(result) == [THANKSGIVING - 9.5 * HOUR]


def test_a_calendar_that_no_exchange_has_is_refused():
    with pytest.raises(UnknownCalendarError, match="'MOON'"):
        open_intervals("MOON", MONDAY, MONDAY + HOUR)


def test_a_feed_is_stale_after_two_open_hours():
    assert stale_feed(MONDAY, "24x7", MONDAY + 2.9 * HOUR).passed
    late = stale_feed(MONDAY, "24x7", MONDAY + 3 * HOUR)
    assert not late.passed
    assert _hours(late) == [MONDAY + at * HOUR for at in range(3)]
    assert not stale_feed(None, "24x7", MONDAY).passed


def test_a_weekend_makes_no_currency_feed_stale():
    assert stale_feed(FRIDAY_EVENING, "FX", FRIDAY_EVENING + 48 * HOUR).passed
    assert not stale_feed(FRIDAY_EVENING, "FX", FRIDAY_EVENING + 52 * HOUR).passed


def _repeated():
    frame = _sample(400)
    first = frame["ts_open"][0]
    old = frame[100:104].with_columns(pl.col("ts_open", "ts_close") + 5 * HOUR)
    kept = frame.filter(~pl.col("ts_open").is_in(old["ts_open"].implode()))
    return pl.concat([kept, old]).sort("ts_open"), [first + at * HOUR for at in range(105, 109)]


def test_hours_filled_with_older_hours_are_named():
    frame, hours = _repeated()
    assert _hours(ON_BARS["no_repeated_hours"](frame)) == hours
    # Two equal bars of a source without volume may be chance; four in a row are not.
    silent = frame.with_columns(volume=pl.lit(None, dtype=pl.Float64))
    assert _hours(ON_BARS["no_repeated_hours"](silent)) == hours


def test_a_spike_is_named_and_a_jump_over_a_closed_market_is_not():
    frame = _sample(400)
    spiked = _at(frame, [200], close=pl.col("close") * 1.2, high=pl.col("high") * 1.2)
    hours = _hours(ON_BARS["no_spikes"](spiked))
    assert MONDAY + 200 * HOUR in hours
    after = pl.col("ts_open") >= MONDAY + 300 * HOUR
    jumped = frame.filter(
        (pl.col("ts_open") < MONDAY + 200 * HOUR) | after
    ).with_columns(
        pl.when(after).then(pl.col(name) * 1.2).otherwise(name).alias(name)
        for name in ("open", "high", "low", "close")
    )  # fmt: skip
    assert ON_BARS["no_spikes"](jumped).passed


def test_a_standstill_of_three_hours_is_named_and_a_flat_hour_is_not():
    flat = dict.fromkeys(("open", "high", "low", "close"), 5.0)
    one = ON_BARS["no_flat_runs"](_at(_sample(50), [7], **flat))
    assert (one.passed, one.metadata["flat_bars"]) == (True, 1)
    run = ON_BARS["no_flat_runs"](_at(_sample(50), [7, 8, 9], **flat))
    assert _hours(run) == [MONDAY + at * HOUR for at in (7, 8, 9)]


def test_opens_that_are_the_close_before_are_told_and_real_ones_pass():
    made_up = _sample(300)
    assert not ON_BARS["opens_are_opens"](made_up).passed
    assert ON_BARS["opens_are_opens"](made_up.with_columns(pl.col("open") * 1.0001)).passed


def test_an_hour_that_moved_without_volume_is_named():
    result = ON_BARS["volume_where_price_moved"](_at(_sample(50), [3, 30], volume=0.0))
    assert _hours(result) == [MONDAY + 3 * HOUR, MONDAY + 30 * HOUR]


def test_volume_in_money_instead_of_coins_is_found_where_it_begins_and_ends():
    swapped = _at(_sample(400), range(100, 250), volume=pl.col("volume") * pl.col("close"))
    hours = _hours(ON_BARS["volume_in_one_unit"](swapped))
    assert len(hours) == 2
    assert all(
        abs(hour - MONDAY - at * HOUR) <= 2 * HOUR
        for hour, at in zip(hours, (100, 250), strict=True)
    )


def test_one_series_under_two_names_is_told_with_the_hours_in_which_they_differ():
    frame = _sample(300)
    other = _at(frame, [77], close=pl.col("close") * 1.01, high=pl.col("high") * 1.01)
    results = copies({"A": frame, "B": other, "C": _sample(300, "ETHUSDT")})
    assert results["C"].passed
    assert "299 of 300 common hours are equal" in str(results["A"].metadata["B"])
    assert (MONDAY + 77 * HOUR).isoformat() in str(results["B"].metadata["A"])


def test_stamps_of_another_zone_are_told_by_month_and_hours():
    frame = _sample(1500)
    month = datetime(2026, 2, 1, tzinfo=UTC)
    moved = frame.with_columns(
        pl.when(pl.col("ts_open") >= month).then(pl.col("ts_open") + 5 * HOUR).otherwise("ts_open")
        .alias("ts_open")
    )  # fmt: skip
    results = shifts({"X": frame, "X.OTHER": moved, "Y": frame})
    assert str(results["X.OTHER"].metadata["X"]).startswith("2026-02 by +5 h")
    assert results["Y"].passed
    assert shifts({"X": frame, "X.OTHER": frame})["X"].passed


def test_asks_among_bids_are_told():
    frame = _sample(900)
    asks = frame.with_columns(pl.col("open", "high", "low", "close") * 1.0001)
    results = sides({"X": frame, "X.ASK": asks})
    assert "closes above it in 100.0% of 900 hours" in str(results["X.ASK"].metadata["X"])
    assert "below" in str(results["X"].metadata["X.ASK"])


@pytest.mark.parametrize("check", [name for name in ON_BARS if name != "opens_are_opens"])
def test_sound_bars_pass_and_so_do_none(check, bars):
    assert ON_BARS[check](_sample(700)).passed
    assert ON_BARS[check](bars([])).passed
    assert ON_BARS[check](bars([1.0])).passed


def test_every_check_runs_over_what_is_stored_newest_version_first(worker, given, bars, day):
    now = day + 9 * HOUR
    flat, moving = bars([1.0] * 5), bars([1.0, 2.0, 3.0, 2.0, 1.0])
    ingest(worker, given(X=flat, Y=moving), ["X", "Y"], day, now, now, is_history=False)
    findings = examine(worker, ["X", "Y"], day, now)
    assert set(findings) == set(CHECKS) >= {*ON_BARS, *COMPARED}
    bad = failed(findings)
    assert set(bad["no_flat_runs"]) == {"X"}
    assert set(bad["feed_is_fresh"]) == {"X", "Y"}
    assert "no_gaps" not in bad
    until_now = failed(examine(worker, ["X"], day, now, gaps_from=day))
    assert until_now["no_gaps"]["X"].metadata["count"] == 4
    ingest(worker, given(X=moving), ["X"], day, now, now, is_history=False)
    assert "no_flat_runs" not in failed(examine(worker, ["X", "Y"], day, now))


def test_generated_bars_are_not_blamed_for_how_they_are_made(worker, day):
    now = day + 300 * HOUR
    ingest(worker, SampleSource(), ["BTCUSDT"], day, now, now, is_history=True)
    assert failed(examine(worker, ["BTCUSDT"], day, now, gaps_from=day)) == {}
