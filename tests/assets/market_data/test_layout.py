"""Files that say what they mean: other columns, zones, stamps, banners."""

from datetime import UTC, datetime

import polars as pl
import pytest

from assets.market_data import FileSource, LayoutError, PermanentSourceError, validate

LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)
BANNER = "https://www.example.org downloads\n"
HEADER = "Date,Symbol,Open,High,Low,Close,Volume BTC\n"
ROWS = (
    "2019-07-04 01-PM,BTCUSD,3,4,2,3.5,7\n"
    "2019-07-04 12-PM,BTCUSD,2,3,1,3,0.5\n"
    "2019-07-04 09-AM,BTCUSD,1,2,1,2,\n"
)
LAYOUT = """
suffix = ".csv"
skip_lines = 1
time_format = "%Y-%m-%d %I-%p"
time_zone = "UTC"
[columns]
ts = "Date"
open = "Open"
high = "High"
low = "Low"
close = "Close"
volume = "Volume BTC"
[symbols.X]
calendar = "24x7"
currency = "USD"
tick_size = 0.01
"""


def _folder(folder, text=BANNER + HEADER + ROWS, layout=LAYOUT):
    (folder / "X.csv").write_text(text)
    (folder / "bars.toml").write_text(layout)
    return FileSource(folder)


def _fetch(source, now=LATER):
    return source.fetch("X", LONG_AGO, LATER, now).frame


def test_a_banner_and_stamps_like_09_am_newest_first_are_read_as_declared(tmp_path):
    source = _folder(tmp_path)
    frame = _fetch(source)
    hours = [13, 12, 9]
    assert frame["ts_open"].to_list() == [datetime(2019, 7, 4, h, tzinfo=UTC) for h in hours]
    assert frame["close"].to_list() == [3.5, 3.0, 2.0]
    assert frame["volume"].to_list() == [7.0, 0.5, None]
    assert validate(frame, LATER).rejects == []
    (declared,) = source.instruments()
    assert (declared.calendar, declared.currency, declared.tick_size) == ("24x7", "USD", 0.01)


def test_a_banner_that_is_not_declared_is_refused_with_what_to_declare(tmp_path):
    source = _folder(tmp_path, layout=LAYOUT.replace("skip_lines = 1", ""))
    with pytest.raises(PermanentSourceError, match=r"skip_lines in bars\.toml"):
        _fetch(source)


def test_stamps_that_cannot_be_read_are_refused_with_the_first_of_them(tmp_path):
    source = _folder(tmp_path, layout=LAYOUT.replace("%I-%p", "%H:%M"))
    with pytest.raises(PermanentSourceError, match=r"the first is '2019-07-04 01-PM'.*time_format"):
        _fetch(source)


def test_stamps_without_a_zone_are_refused_rather_than_called_utc(tmp_path):
    source = _folder(tmp_path, layout=LAYOUT.replace('time_zone = "UTC"', ""))
    with pytest.raises(PermanentSourceError, match="declare time_zone"):
        _fetch(source)


def test_a_declared_zone_moves_stamps_by_summer_and_winter_time(tmp_path):
    rows = "2019-07-04 09-AM,X,1,1,1,1,1\n2019-01-04 09-AM,X,1,1,1,1,1\n"
    source = _folder(
        tmp_path, BANNER + HEADER.replace("Symbol", "Name") + rows,
        LAYOUT.replace('"UTC"', '"America/New_York"'),
    )  # fmt: skip
    assert [at.hour for at in _fetch(source)["ts_open"]] == [13, 14]


def test_the_hour_a_clock_goes_through_twice_is_refused_and_not_guessed(tmp_path):
    rows = "2019-11-03 01-AM,X,1,1,1,1,1\n2019-11-03 03-AM,X,1,1,1,1,1\n"
    source = _folder(
        tmp_path, BANNER + HEADER.replace("Symbol", "Name") + rows,
        LAYOUT.replace('"UTC"', '"America/New_York"'),
    )  # fmt: skip
    validated = validate(_fetch(source), LATER)
    assert [(one.row_number, one.rule) for one in validated.rejects] == [(0, "time_given")]
    assert len(validated.good) == 1


def test_stamps_of_the_close_are_moved_to_the_open(tmp_path):
    source = _folder(tmp_path, layout='stamp = "close"' + LAYOUT)
    assert [at.hour for at in _fetch(source)["ts_open"]] == [12, 11, 8]


def test_a_bar_that_ran_while_the_file_was_downloaded_is_left_out(tmp_path):
    source = _folder(tmp_path, layout='downloaded_at = "2019-07-04T13:45:00Z"' + LAYOUT)
    assert [at.hour for at in _fetch(source)["ts_open"]] == [12, 9]


def test_text_among_numbers_spoils_its_row_only(tmp_path):
    rows = ROWS + "2019-07-04 08-AM,BTCUSD,1,2,1,n/a,1\n2019-07-04 07-AM,BTCUSD,1,2,1,2,many\n"
    validated = validate(_fetch(_folder(tmp_path, BANNER + HEADER + rows)), LATER)
    assert [(one.row_number, one.rule) for one in validated.rejects] == [
        (3, "prices_finite"),
        (4, "volume_null_or_finite"),
    ]
    assert len(validated.good) == 3


def test_a_file_of_another_symbol_is_refused(tmp_path):
    columns = {name: [1.0] for name in ("open", "high", "low", "close", "volume")}
    bars = {"symbol": ["ETHUSDT"], "ts": [datetime(2026, 1, 5, tzinfo=UTC)], **columns}
    pl.DataFrame(bars).write_parquet(tmp_path / "BTCUSDT_1h.parquet")
    with pytest.raises(PermanentSourceError, match="its file holds bars of ETHUSDT"):
        FileSource(tmp_path).fetch("BTCUSDT", LONG_AGO, LATER, LATER)
    (tmp_path / "bars.toml").write_text('[symbols.BTCUSDT]\nalias = "ETHUSDT"')
    assert len(FileSource(tmp_path).fetch("BTCUSDT", LONG_AGO, LATER, LATER).frame) == 1


@pytest.mark.parametrize(
    ("layout", "problem"),
    [
        ("colour = 1", "unknown field `colour`"),
        ("stamp = 'middle'", "stamp"),
        ("time_zone = 'Mars'", "Mars"),
        ("[symbols.X]\nskip_lines = -1", "skip_lines"),
        ("= 1", "Invalid"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, layout, problem):
    (tmp_path / "bars.toml").write_text(layout)
    with pytest.raises(LayoutError, match=problem):
        FileSource(tmp_path)
