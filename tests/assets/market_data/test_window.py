"""What a model is given: never a bar too many, and the same bytes again."""

import random
from datetime import UTC, datetime, timedelta
from time import perf_counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from assets.market_data import (
    OutsideHistoryError,
    SampleSource,
    UnknownSymbolError,
    arrow_ipc,
    ingest,
    input_digest,
    pin,
    read_bars,
    read_history,
)
from assets.market_data.frames import WINDOW_SCHEMA

HOUR = timedelta(hours=1)
DELAY = timedelta(minutes=2)
SYMBOLS = ["EURUSD", "BTCUSDT", "ETHUSDT"]


@pytest.fixture
def corrected_past(worker, given, day):
    """60 hours of bars: imported, then live with late bars, then corrected, by 3 clocks."""
    chance = random.Random(7)  # noqa: S311 - a test's dice
    end = day + 60 * HOUR

    def deliver(symbols, start, until, now, *, is_history, share, revise):
        frames = {}
        for symbol in symbols:
            frame = SampleSource().fetch(symbol, start, until, now).frame
            frame = frame[[at for at in range(len(frame)) if chance.random() < share]]
            frames[symbol] = frame.with_columns(pl.col("high") + revise)
        ingest(worker, given(**frames), symbols, start, until, now, is_history=is_history)

    deliver(SYMBOLS, day, day + 30 * HOUR, day + 30 * HOUR, is_history=True, share=0.9, revise=0)
    for hour in range(31, 61):
        now = day + hour * HOUR + chance.choice([60, 110, 130, 1800]) * timedelta(seconds=1)
        start = day + (hour - 8) * HOUR
        revise = chance.choice([0, 0, 0, 0.25])
        deliver(SYMBOLS, start, now, now, is_history=False, share=0.6, revise=revise)
    later = end + 3 * HOUR
    deliver(SYMBOLS, day, end, later, is_history=True, share=0.5, revise=0.5)
    return day, end


@pytest.mark.parametrize("delay", [DELAY, timedelta(0), timedelta(minutes=45)])
def test_a_replay_cuts_the_same_windows_as_a_live_read(worker, corrected_past, delay):
    day, end = corrected_past
    newest = pin(worker, end, delay)
    history = read_history(worker, SYMBOLS, day - 12 * HOUR, end + 9 * HOUR, newest)
    rows = 0
    for hour in range(70):
        slot = day + hour * HOUR
        live = pin(worker, slot, delay)
        read = read_bars(worker, SYMBOLS, slot - 12 * HOUR, live)
        cut = history.frames_at(slot, 12)
        assert list(cut) == list(read) == SYMBOLS
        for symbol in SYMBOLS:
            assert cut[symbol].equals(read[symbol])
            assert arrow_ipc(cut[symbol]) == arrow_ipc(read[symbol])
            rows += len(cut[symbol])
    assert rows > 1000


def test_a_replay_under_an_old_pin_does_not_see_what_was_learnt_later(worker, corrected_past):
    day, end = corrected_past
    for max_batch in (0, 1, 5, 20):
        old = pin(worker, end, DELAY)
        old = type(old)(slot=old.slot, cutoff=old.cutoff, max_batch=max_batch)
        history = read_history(worker, SYMBOLS, day, end, old)
        for slot in (day + 20 * HOUR, day + 40 * HOUR, end):
            at = type(old)(slot=slot, cutoff=slot + DELAY, max_batch=max_batch)
            read = read_bars(worker, SYMBOLS, slot - 20 * HOUR, at)
            cut = history.frames_at(slot, 20)
            assert all(cut[symbol].equals(read[symbol]) for symbol in SYMBOLS)


def test_no_window_holds_a_bar_that_closes_after_its_slot(worker, corrected_past):
    day, end = corrected_past
    history = read_history(worker, SYMBOLS, day, end, pin(worker, end, DELAY))
    for hour in range(1, 61):
        slot = day + hour * HOUR
        frames = history.frames_at(slot, hour)
        read = read_bars(worker, SYMBOLS, day, pin(worker, slot, DELAY))
        for frame in [*frames.values(), *read.values()]:
            assert frame.is_empty() or frame["ts_open"].max() + HOUR <= slot


def test_peeking_ahead_is_refused(worker, corrected_past):
    day, end = corrected_past
    history = read_history(worker, SYMBOLS, day, end, pin(worker, end, DELAY))
    with pytest.raises(OutsideHistoryError):
        history.frames_at(end + HOUR, 1)
    with pytest.raises(OutsideHistoryError):
        history.frames_at(day + HOUR, 2)


def test_a_window_rebuilt_later_has_the_same_digest(worker, given, bars, day):
    slot = day + 3 * HOUR
    now = slot + timedelta(minutes=1)
    ingest(worker, given(X=bars([1.1, 2.2, 3.3])), ["X"], day, slot, now, is_history=False)
    pinned = pin(worker, slot, DELAY)

    def digest():
        frames = read_bars(worker, ["X"], day, pinned)
        return input_digest(slot, {symbol: arrow_ipc(frame) for symbol, frame in frames.items()})

    before = digest()
    ingest(worker, given(X=bars([9.9] * 3)), ["X"], day, slot, now, is_history=False)
    assert digest() == before


def test_a_digest_tells_slots_symbols_their_order_and_their_borders_apart(day):
    digests = {
        input_digest(day, {"A": b"1", "B": b"2"}),
        input_digest(day, {"B": b"2", "A": b"1"}),
        input_digest(day + HOUR, {"A": b"1", "B": b"2"}),
        input_digest(day, {"A": b"1B", "": b"2"}),
        input_digest(day, {"A": b"", "1B": b"2"}),
        input_digest(day, {"A": b"1"}),
    }
    assert len(digests) == 6
    assert all(digest.startswith("sha256:") for digest in digests)


def test_a_window_has_exactly_the_columns_of_the_contract(worker, given, bars, day):
    now = day + 9 * HOUR
    source = given(X=bars([1.0, 2.0]), Y=bars([]))
    ingest(worker, source, ["X", "Y"], day, now, now, is_history=True)
    frames = read_bars(worker, ["Y", "X"], day, pin(worker, now, DELAY))
    assert list(frames) == ["Y", "X"]
    assert len(frames["X"]) == 2
    assert frames["Y"].is_empty()
    for frame in frames.values():
        assert dict(frame.schema) == WINDOW_SCHEMA
        assert frame.n_chunks() <= 1
    cut = read_history(worker, ["Y"], day, now, pin(worker, now, DELAY)).frames_at(now, 5)
    assert dict(cut["Y"].schema) == WINDOW_SCHEMA


def test_an_unknown_symbol_is_named(worker, day):
    with pytest.raises(UnknownSymbolError, match="NOPE"):
        read_bars(worker, ["NOPE"], day, pin(worker, day, DELAY))
    with pytest.raises(LookupError, match="NOPE"):
        read_history(worker, ["NOPE"], day, day, pin(worker, day, DELAY))


def test_a_slot_is_a_full_hour_in_utc(worker, day):
    for slot in (day.replace(tzinfo=None), day + timedelta(minutes=1)):
        with pytest.raises(ValueError, match="full hour in UTC"):
            pin(worker, slot, DELAY)
    with pytest.raises(ValueError, match="delay"):
        pin(worker, day, -DELAY)


def test_floats_come_back_to_the_last_bit(worker, given, day):
    dice = np.random.default_rng(3)
    raw = dice.integers(1, 0x7FE0_0000_0000_0000, 4000, dtype=np.int64).view(np.float64)
    opened = [day + timedelta(minutes=at) for at in range(len(raw))]
    frame = pl.DataFrame(
        {
            "ts_open": opened,
            "ts_close": [at + timedelta(minutes=1) for at in opened],
            **dict.fromkeys(("open", "high", "low", "close", "volume"), raw),
        }
    ).with_columns(pl.col("ts_open", "ts_close").cast(pl.Datetime("us", "UTC")))
    now = day + 100 * HOUR
    ingest(worker, given(X=frame), ["X"], day, now, now, is_history=True)
    stored = read_bars(worker, ["X"], day, pin(worker, now, DELAY))["X"]
    assert (stored["close"].to_numpy().view(np.int64) == raw.view(np.int64)).all()


@hypothesis_given(
    values=st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), min_size=1, max_size=40),
    junk=st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), max_size=20),
)
@settings(max_examples=80, deadline=None)
def test_equal_columns_give_equal_bytes_however_they_came_about(values, junk):
    whole = pl.DataFrame({"volume": [*junk, *values, *junk]}, schema={"volume": pl.Float64})
    cut = whole.slice(len(junk), len(values))
    under = pl.DataFrame({"volume": [1.5 if value is None else value for value in values]})
    mask = pl.Series([value is None for value in values])
    masked = under.with_columns(pl.when(mask).then(None).otherwise("volume").alias("volume"))
    fresh = pl.DataFrame({"volume": values}, schema={"volume": pl.Float64})
    gathered = whole[list(range(len(junk), len(junk) + len(values)))]
    assert {arrow_ipc(one) for one in (cut, masked, gathered)} == {arrow_ipc(fresh)}
    assert pl.read_ipc_stream(arrow_ipc(cut)).equals(fresh)


def test_cutting_a_window_takes_less_than_a_millisecond(worker, day):
    start, end = day - 1500 * HOUR, day
    ingest(worker, SampleSource(), SYMBOLS, start, end, end, is_history=True)
    history = read_history(worker, SYMBOLS, start, end, pin(worker, end, DELAY))
    begun = perf_counter()
    for hour in range(500):
        frames = history.frames_at(end - hour * HOUR, 500)
    each_ms = (perf_counter() - begun) / 500 * 1000
    assert [len(frame) for frame in frames.values()] == [500] * 3
    # Ten times the target: the machine may be busy.
    assert each_ms < 10


def test_time_stamps_are_utc_whatever_the_sessions_zone(worker, given, bars, day):
    worker.execute("set timezone = 'Asia/Kolkata'")
    worker.execute("set datestyle = 'German'")
    now = day + 9 * HOUR
    ingest(worker, given(X=bars([1.0])), ["X"], day, now, now, is_history=True)
    frame = read_bars(worker, ["X"], day, pin(worker, now, DELAY))["X"]
    assert frame["ts_open"].to_list() == [datetime(2026, 1, 5, tzinfo=UTC)]
