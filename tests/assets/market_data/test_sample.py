"""Generated and re-stamped bars: the same whenever asked, on the present's clock."""

import hashlib
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.market_data import (
    FileSource,
    PermanentSourceError,
    RecordedSource,
    SampleSource,
    validate,
)

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
DIGEST = """
import hashlib
from datetime import UTC, datetime, timedelta
from assets.market_data import SampleSource
now = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
source = SampleSource()
raw = [source.fetch(s, now - timedelta(days=40), now, now).raw_bytes for s in source.symbols]
print(hashlib.sha256(b"".join(raw)).hexdigest())
"""


def test_sample_bars_are_the_same_in_another_process():
    source = SampleSource()
    start = NOW - timedelta(days=40)
    raw = b"".join(source.fetch(s, start, NOW, NOW).raw_bytes for s in source.symbols)
    other = subprocess.run(
        [sys.executable, "-c", DIGEST],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "17"},
    )
    assert other.stdout.strip() == hashlib.sha256(raw).hexdigest()


@given(
    begin=st.integers(-300_000, 300_000),
    before=st.integers(0, 50),
    symbol=st.sampled_from(["EURUSD", "BTCUSDT", "MADE-UP"]),
)
@settings(max_examples=40, deadline=None)
def test_an_hour_has_one_bar_whatever_period_it_is_asked_in(begin, before, symbol):
    source = SampleSource(("EURUSD", "BTCUSDT", "MADE-UP"))
    hour = datetime(2024, 1, 1, tzinfo=UTC) + begin * HOUR
    later = hour + 100 * HOUR
    alone = source.fetch(symbol, hour, hour + HOUR, later).frame
    among = source.fetch(symbol, hour - before * HOUR, hour + 9 * HOUR, later).frame
    assert alone.equals(among.slice(before, 1))
    assert (among["open"][1:] == among["close"][:-1]).all()
    assert (among["low"] <= among["open"]).all()
    assert (among["high"] >= among["close"]).all()


def test_sample_bars_break_no_rule_and_look_like_a_market():
    frame = SampleSource().fetch("BTCUSDT", NOW - timedelta(days=400), NOW, NOW).frame
    assert validate(frame, NOW).rejects == []
    returns = np.diff(np.log(frame["close"].to_numpy()))
    assert 0.0030 < returns.std() < 0.0060
    assert abs(np.corrcoef(returns[1:], returns[:-1])[0, 1]) < 0.06
    assert np.corrcoef(abs(returns[24:]), abs(returns[:-24]))[0, 1] > 0.05
    cycle = np.sin(2 * np.pi * (np.arange(len(returns))[:, None] + np.arange(24)) / 24)
    assert max(abs(np.corrcoef(returns, cycle[:, at])[0, 1]) for at in range(24)) > 0.06


def test_sample_bars_come_at_once():
    source = SampleSource()
    start = NOW - timedelta(hours=3000)
    source.fetch("EURUSD", start, NOW, NOW)
    begun = perf_counter()
    for symbol in source.symbols:
        source.fetch(symbol, start, NOW, NOW)
    assert perf_counter() - begun < 0.5


def test_the_running_hour_is_not_generated():
    frame = SampleSource().fetch("EURUSD", NOW - 2 * HOUR, NOW + HOUR, NOW).frame
    assert frame["ts_close"].to_list() == [datetime(2026, 3, 1, 9, tzinfo=UTC)]
    assert SampleSource().fetch("EURUSD", NOW, NOW + HOUR, NOW).frame.is_empty()


def test_a_symbol_that_was_not_named_is_refused():
    with pytest.raises(PermanentSourceError, match="XAUUSD"):
        SampleSource().fetch("XAUUSD", NOW, NOW + HOUR, NOW)


def test_recorded_bars_keep_weekday_and_hour_and_outlast_the_anchor_by_a_month(shared_bars):
    source = RecordedSource(shared_bars, ("EURUSD",), NOW)
    far = NOW + timedelta(days=4000)
    moved = source.fetch("EURUSD", NOW - timedelta(days=8000), far, far).frame
    filed = FileSource(shared_bars).fetch("EURUSD", NOW - timedelta(days=8000), far, far).frame
    shift = moved["ts_open"][0] - filed["ts_open"][0]
    assert shift % timedelta(weeks=1) == timedelta(0)
    assert (moved["ts_open"] - filed["ts_open"]).unique().to_list() == [shift]
    ahead = moved["ts_open"][-1] - NOW
    assert timedelta(days=30) <= ahead < timedelta(days=37)
    assert moved["close"].equals(filed["close"])
    assert source.is_sample


def test_recorded_bars_of_the_future_are_not_delivered(shared_bars):
    source = RecordedSource(shared_bars, ("BTCUSDT",), NOW)
    frame = source.fetch("BTCUSDT", NOW - timedelta(days=3), NOW + timedelta(days=3), NOW).frame
    assert len(frame) == 71
    assert frame["ts_close"].max() <= NOW
    assert validate(frame, NOW).rejects == []
    with pytest.raises(PermanentSourceError, match="ETHUSDT"):
        source.fetch("ETHUSDT", NOW, NOW, NOW)
