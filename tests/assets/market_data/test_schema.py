"""Bad rows are named, and never block the good ones."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.market_data import EmptyFrameError, MalformedFrameError, validate
from assets.market_data.frames import DELIVERY_SCHEMA
from assets.market_data.schema import rules

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
NOW = datetime(2026, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOUND = {
    "ts_open": NOON,
    "ts_close": NOON + HOUR,
    "open": 2.0,
    "high": 3.0,
    "low": 1.0,
    "close": 2.0,
    "volume": None,
}
BROKEN = {
    "time_given": {"ts_open": None},
    "time_after_1990": {
        "ts_open": datetime(1970, 1, 21, 10, 42, tzinfo=UTC),
        "ts_close": datetime(1970, 1, 21, 11, 0, tzinfo=UTC),
    },
    "not_in_the_future": {"ts_open": NOW + HOUR, "ts_close": NOW + 2 * HOUR},
    "on_the_minute": {"ts_open": NOON + timedelta(seconds=1)},
    "at_most_an_hour": {"ts_close": NOON + 2 * HOUR},
    "closed_by_now": {"ts_open": NOW - HOUR / 2, "ts_close": NOW + HOUR / 2},
    "prices_finite": {"close": float("nan")},
    "prices_positive": {"low": 0.0},
    "low_and_high_enclose": {"high": 1.5},
    "volume_null_or_finite": {"volume": -1.0},
    "hour_not_repeated": {},
}


def _frame(*rows):
    return pl.DataFrame(list(rows), schema=DELIVERY_SCHEMA, orient="row")


def test_every_rule_has_a_row_that_breaks_it_here():
    assert set(BROKEN) == set(rules(NOW))


@pytest.mark.parametrize("rule", BROKEN)
def test_a_row_that_breaks_a_rule_is_refused_by_name_and_its_neighbours_land(rule):
    before, after = SOUND, SOUND | {"ts_open": NOON - HOUR, "ts_close": NOON}
    validated = validate(_frame(before, SOUND | BROKEN[rule], after), NOW)
    assert [(one.row_number, one.rule) for one in validated.rejects] == [(1, rule)]
    assert validated.good.equals(_frame(before, after))


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), None])
@pytest.mark.parametrize("column", ["open", "high", "low", "close"])
def test_a_price_that_is_no_number_is_refused(column, value):
    validated = validate(_frame(SOUND | {column: value}), NOW)
    assert [one.rule for one in validated.rejects] == ["prices_finite"]
    assert validated.good.is_empty()
    json.dumps(validated.rejects[0].row, allow_nan=False)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_volume_that_is_no_number_is_refused(value):
    validated = validate(_frame(SOUND | {"volume": value}), NOW)
    assert [one.rule for one in validated.rejects] == ["volume_null_or_finite"]


def test_a_bad_row_does_not_use_up_its_hour():
    validated = validate(_frame(SOUND | {"close": float("nan")}, SOUND, SOUND), NOW)
    assert [(one.row_number, one.rule) for one in validated.rejects] == [
        (0, "prices_finite"),
        (2, "hour_not_repeated"),
    ]


def test_a_frame_without_rows_is_an_error():
    with pytest.raises(EmptyFrameError):
        validate(_frame(), NOW)


def test_naive_times_are_refused_and_not_called_utc():
    naive = _frame(SOUND).with_columns(pl.col("ts_open").dt.replace_time_zone(None))
    with pytest.raises(MalformedFrameError, match="column ts_open is Datetime"):
        validate(naive, NOW)


def test_integer_milliseconds_are_refused_and_not_called_1970():
    counted = _frame(SOUND).with_columns(pl.col("ts_open").dt.epoch("ms"))
    with pytest.raises(MalformedFrameError, match="column ts_open is Int64"):
        validate(counted, NOW)


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.drop("volume"),
        lambda frame: frame.with_columns(symbol=pl.lit("X")),
        lambda frame: frame.with_columns(pl.col("close").cast(pl.Int64)),
        lambda frame: frame.select(sorted(frame.columns)),
        lambda frame: frame.lazy(),
    ],
)
def test_a_frame_of_another_shape_is_an_error_before_any_row_is_judged(change):
    with pytest.raises(MalformedFrameError):
        validate(change(_frame(SOUND)), NOW)


def test_a_stamp_beyond_the_calendar_of_python_is_a_refused_row():
    beyond = pl.Series([2**62, -(2**62)]).cast(pl.Datetime("us", "UTC"))
    broken = pl.concat(
        [_frame(SOUND), _frame(SOUND, SOUND).with_columns(ts_open=beyond, ts_close=beyond)]
    )
    validated = validate(broken, NOW)
    assert len(validated.good) == 1
    assert [one.rule for one in validated.rejects] == ["not_in_the_future", "time_after_1990"]
    assert "+148108" in str(validated.rejects[0].row["ts_open"])


number = st.one_of(st.none(), st.floats(), st.floats(0.5, 4.0), st.just(2.0))
row = st.fixed_dictionaries(
    {
        "ts_open": st.sampled_from([NOON, NOON - HOUR, NOON + HOUR, NOW, None]),
        **dict.fromkeys(("open", "high", "low", "close", "volume"), number),
    }
)


@given(rows=st.lists(row, min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_every_row_lands_or_is_refused_once_and_what_lands_is_sound(rows):
    closed = [
        one | {"ts_close": None if one["ts_open"] is None else one["ts_open"] + HOUR}
        for one in rows
    ]
    frame = pl.DataFrame(closed, schema=DELIVERY_SCHEMA, orient="row")
    validated = validate(frame, NOW)
    numbers = [one.row_number for one in validated.rejects]
    assert numbers == sorted(set(numbers))
    assert validated.good.equals(
        frame.with_row_index().filter(~pl.col("index").is_in(numbers)).drop("index")
    )
    assert validated.good["ts_open"].is_unique().all()
    for good in validated.good.iter_rows(named=True):
        assert 0 < good["low"] <= min(good["open"], good["close"])
        assert max(good["open"], good["close"]) <= good["high"] < float("inf")
        assert good["ts_close"] <= NOW


def test_the_operators_guide_names_every_rule():
    guide = Path(__file__).parents[3] / "docs" / "operations" / "market-data.md"
    listed = {
        line.split("`")[1] for line in guide.read_text().splitlines() if line.startswith("| `")
    }
    assert set(rules(NOW)) <= listed


def test_validation_cannot_be_switched_off_from_outside(monkeypatch):
    monkeypatch.setitem(os.environ, "PANDERA_VALIDATION_ENABLED", "False")
    assert validate(_frame(SOUND | {"low": -1.0}), NOW).good.is_empty()
