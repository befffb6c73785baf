"""Recorded files as they are: order, defects, half hours, the running bar."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from assets.market_data import FileSource, PermanentSourceError, validate
from assets.market_data.schema import EmptyFrameError

LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)


def test_a_file_with_the_newest_bar_first_lands_whole(shared_bars):
    delivery = FileSource(shared_bars).fetch("BTCUSD.COINBASE", LONG_AGO, LATER, LATER)
    validated = validate(delivery.frame, LATER)
    assert len(validated.good) == 20_111
    assert validated.rejects == []
    assert validated.good["ts_open"][0] > validated.good["ts_open"][-1]


def test_the_running_bar_is_not_taken_whatever_its_position(shared_bars):
    within = datetime(2025, 11, 19, 17, 45, tzinfo=UTC)
    source = FileSource(shared_bars)
    running = source.fetch("AAPL.OLD", LONG_AGO, LATER, within).frame
    assert running["ts_open"].max() == datetime(2025, 11, 19, 16, 30, tzinfo=UTC)
    closed = source.fetch("AAPL.OLD", LONG_AGO, LATER, within + timedelta(minutes=45)).frame
    assert len(closed) == len(running) + 1


def test_a_volume_that_is_never_published_is_null_and_not_zero(shared_bars):
    frame = FileSource(shared_bars).fetch("EURUSD", LONG_AGO, LATER, LATER).frame
    assert frame["volume"].null_count() == len(frame) == 74_439


def test_a_quiet_hour_of_a_published_volume_stays_zero(shared_bars):
    frame = FileSource(shared_bars).fetch("BTCUSD.COINBASE", LONG_AGO, LATER, LATER).frame
    assert frame["volume"].null_count() == 0
    assert (frame["volume"] == 0).sum() == 28


def test_a_bar_ends_where_the_next_one_begins(shared_bars):
    frame = FileSource(shared_bars).fetch("AAPL", LONG_AGO, LATER, LATER).frame
    last = frame.filter(pl.col("ts_open") == datetime(2026, 5, 29, 19, 30, tzinfo=UTC))
    assert last["ts_close"][0] == datetime(2026, 5, 29, 20, 0, tzinfo=UTC)
    assert (frame["ts_close"] - frame["ts_open"]).max() == timedelta(hours=1)


def test_a_period_is_half_open(shared_bars):
    start = datetime(2024, 3, 1, tzinfo=UTC)
    frame = FileSource(shared_bars).fetch("BTCUSDT", start, start + timedelta(hours=3), LATER).frame
    assert frame["ts_open"].to_list() == [start + timedelta(hours=at) for at in range(3)]


def test_a_closed_market_is_a_frame_without_rows_that_validation_refuses(shared_bars):
    saturday = datetime(2017, 6, 3, 12, tzinfo=UTC)
    source = FileSource(shared_bars)
    frame = source.fetch("EURUSD", saturday, saturday + timedelta(hours=1), LATER).frame
    assert frame.is_empty()
    with pytest.raises(EmptyFrameError):
        validate(frame, LATER)


@pytest.mark.parametrize("symbol", ["NOPE", "../data/BTCUSDT", ""])
def test_an_unknown_symbol_is_a_permanent_error_that_names_it(shared_bars, symbol):
    with pytest.raises(PermanentSourceError, match="ask for one of AAPL") as caught:
        FileSource(shared_bars).fetch(symbol, LONG_AGO, LATER, LATER)
    assert caught.value.symbol == symbol


def _written(folder, **changed):
    columns = {
        "ts": [datetime(2026, 1, 5, hour, tzinfo=UTC) for hour in range(3)],
        **{name: [1.0, 2.0, 3.0] for name in ("open", "high", "low", "close", "volume")},
    } | changed
    pl.DataFrame(columns).write_parquet(folder / "X_1h.parquet")
    return FileSource(folder)


def test_naive_time_stamps_are_refused_rather_than_called_utc(tmp_path):
    source = _written(tmp_path, ts=[datetime(2026, 1, 5, hour) for hour in range(3)])  # noqa: DTZ001
    with pytest.raises(PermanentSourceError, match="UTC time stamps"):
        source.fetch("X", LONG_AGO, LATER, LATER)


def test_integer_volumes_arrive_as_the_same_numbers(tmp_path):
    frame = _written(tmp_path, volume=[3, 0, 7]).fetch("X", LONG_AGO, LATER, LATER).frame
    assert frame["volume"].to_list() == [3.0, 0.0, 7.0]


def test_a_file_that_is_no_parquet_is_a_permanent_error(tmp_path):
    (tmp_path / "X_1h.parquet").write_bytes(b"<html>")
    with pytest.raises(PermanentSourceError, match="replace the file"):
        FileSource(tmp_path).fetch("X", LONG_AGO, LATER, LATER)


def test_defects_survive_to_validation_and_spoil_their_own_row_only(tmp_path):
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    stamps = [noon + timedelta(hours=1), None, noon, noon, noon + timedelta(minutes=7, seconds=3)]
    numbers = {name: [1.0] * 5 for name in ("high", "low", "close", "volume")}
    source = _written(tmp_path, ts=stamps, open=[1.0, 1.0, float("nan"), 1.0, 1.0], **numbers)
    validated = validate(source.fetch("X", LONG_AGO, LATER, LATER).frame, LATER)
    assert validated.good["ts_open"].to_list() == [noon + timedelta(hours=1), noon]
    assert [(one.row_number, one.rule) for one in validated.rejects] == [
        (1, "time_given"),
        (2, "prices_finite"),
        (4, "on_the_minute"),
    ]
