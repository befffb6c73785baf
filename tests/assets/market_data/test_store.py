"""A delivery lands whole or not at all, and the past stays what it was."""

import hashlib
import threading
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from assets.market_data import FileSource, PermanentSourceError, SampleSource, ingest, pin
from assets.market_data.store import BAR_TABLE, write_bars
from assets.market_data.window import read_bars
from sql.roles import WORKER

HOUR = timedelta(hours=1)
DELAY = timedelta(minutes=2)
LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)


def _closes(connection, pinned, symbol="X", start=LONG_AGO):
    return read_bars(connection, [symbol], start, pinned)[symbol]["close"].to_list()


def test_a_real_file_lands_whole_and_comes_back_bit_by_bit(worker, shared_bars):
    source = FileSource(shared_bars)
    summary = ingest(worker, source, ["BTCUSD.COINBASE"], LONG_AGO, LATER, LATER, is_history=True)
    assert (summary.new, summary.same, summary.corrected, summary.rejected) == (20_111, 0, 0, 0)
    stored = read_bars(worker, ["BTCUSD.COINBASE"], LONG_AGO, pin(worker, LATER, DELAY))
    filed = source.fetch("BTCUSD.COINBASE", LONG_AGO, LATER, LATER).frame
    assert stored["BTCUSD.COINBASE"].equals(filed.sort("ts_open").drop("ts_close"))


def test_a_batch_remembers_what_it_was_made_of(worker, given, bars, day):
    now = day + 5 * HOUR
    source = given(X=bars([1.0]), Y=bars([2.0]))
    ingest(worker, source, ["X", "Y"], day, now, now, is_history=True)
    batch = worker.execute(
        "select id, source, fetched_at, committed_at, is_history, raw_digest"
        " from market.ingest_batch"
    ).fetchone()
    digest = hashlib.sha256(b"rawraw").hexdigest()
    assert batch == (1, "given", now, now, True, f"sha256:{digest}")


def test_the_same_delivery_again_writes_no_bar(worker, given, bars, day):
    source = given(X=bars([1.0, 2.0]))
    now = day + 5 * HOUR
    ingest(worker, source, ["X"], day, now, now, is_history=False)
    again = ingest(worker, source, ["X"], day, now, now, is_history=False)
    assert (again.new, again.same, again.corrected) == (0, 2, 0)
    assert worker.execute("select count(*) from market.bar").fetchone() == (2,)


def test_a_correction_never_changes_what_a_past_pin_saw(worker, given, bars, day):
    slot, learnt = day + 2 * HOUR, day + 2 * HOUR + timedelta(minutes=1)
    ingest(worker, given(X=bars([1.0, 2.0])), ["X"], day, slot, learnt, is_history=False)
    before = pin(worker, slot, DELAY)
    # One minute before the cut-off: only the batch number tells it from what the pin saw.
    corrected = learnt + timedelta(seconds=30)
    summary = ingest(
        worker, given(X=bars([1.0, 2.5])), ["X"], day, slot, corrected, is_history=False
    )
    assert (summary.same, summary.corrected) == (1, 1)
    assert _closes(worker, before) == [1.0, 2.0]
    assert _closes(worker, pin(worker, slot, DELAY)) == [1.0, 2.5]


def test_a_correction_of_an_imported_past_is_not_visible_to_the_slots_before_it(
    worker, given, bars, day
):
    now = day + 48 * HOUR
    slot = day + 3 * HOUR
    ingest(worker, given(X=bars([1.0, 2.0])), ["X"], day, now, now, is_history=True)
    assert _closes(worker, pin(worker, slot, DELAY)) == [1.0, 2.0]
    ingest(worker, given(X=bars([1.0, 9.0])), ["X"], day, now, now, is_history=True)
    assert _closes(worker, pin(worker, slot, DELAY)) == [1.0, 2.0]
    assert _closes(worker, pin(worker, now, DELAY)) == [1.0, 9.0]


def test_an_imported_past_was_available_a_feeds_delay_after_each_close(worker, given, bars, day):
    now = day + 48 * HOUR
    ingest(worker, given(X=bars([1.0, 2.0])), ["X"], day, now, now, is_history=True)
    assert _closes(worker, pin(worker, day + HOUR, DELAY)) == [1.0]
    assert _closes(worker, pin(worker, day + HOUR, DELAY - timedelta(seconds=1))) == []


def test_a_live_bar_is_available_from_when_we_learnt_it(worker, given, bars, day):
    late = day + HOUR + timedelta(minutes=30)
    ingest(worker, given(X=bars([1.0])), ["X"], day, late, late, is_history=False)
    assert _closes(worker, pin(worker, day + HOUR, DELAY)) == []
    assert _closes(worker, pin(worker, day + 2 * HOUR, DELAY)) == [1.0]


def test_a_correction_by_a_clock_that_went_back_is_seen_all_the_same(worker, given, bars, day):
    ahead, back = day + 9 * HOUR, day + 5 * HOUR
    ingest(worker, given(X=bars([1.0])), ["X"], day, ahead, ahead, is_history=False)
    ingest(worker, given(X=bars([2.0])), ["X"], day, ahead, back, is_history=False)
    assert _closes(worker, pin(worker, day + 10 * HOUR, DELAY)) == [2.0]


def test_bad_rows_are_kept_with_their_rule_and_the_good_ones_land(worker, given, bars, day):
    now = day + 9 * HOUR
    frame = bars([1.0, float("nan"), 3.0, float("inf"), 5.0])
    frame = frame.with_columns(high=pl.when(pl.col("close") == 3.0).then(0.5).otherwise("high"))
    frame = pl.concat([frame, frame[:1]])
    summary = ingest(worker, given(X=frame), ["X"], day, now, now, is_history=False)
    assert (summary.new, summary.rejected) == (2, 4)
    assert worker.execute(
        "select batch_id, symbol, row_number, rule, row ->> 'close' from market.reject order by id"
    ).fetchall() == [
        (1, "X", 1, "prices_finite", "NaN"),
        (1, "X", 2, "low_and_high_enclose", "3.0"),
        (1, "X", 3, "prices_finite", "inf"),
        (1, "X", 5, "hour_not_repeated", "1.0"),
    ]


def test_integer_columns_are_stored_as_the_numbers_they_are(worker, given, bars, day):
    now = day + 9 * HOUR
    ingest(worker, given(X=bars([1.0])), ["X"], day, now, now, is_history=False)
    whole = pl.DataFrame(
        {
            "instrument_id": [1],
            "ts_open": [day + HOUR],
            "ts_close": [day + 2 * HOUR],
            "available_at": [now],
            "batch_id": [1],
            "open": [3],
            "high": [3],
            "low": [3],
            "close": [3],
            "volume": [3],
        },
        schema_overrides={"ts_open": BAR_TABLE["ts_open"], "ts_close": BAR_TABLE["ts_close"]},
    )
    write_bars(worker, whole)
    stored = worker.execute("select close, volume from market.bar order by ts_open desc limit 1")
    assert stored.fetchone() == (3.0, 3.0)


def test_four_writers_of_batches_commit_in_the_order_of_their_numbers(database, given, bars, day):
    now = day + 99 * HOUR
    seen: list[tuple[int, int]] = []
    failed: list[Exception] = []

    def write(name):
        try:
            with database.connect(WORKER) as connection:
                for close in (1.0, 2.0, 3.0, 4.0, 5.0):
                    source = given(**{name: bars([close] * 20), "SHARED": bars([close] * 20)})
                    done = ingest(
                        connection, source, [name, "SHARED"], day, now, now, is_history=False
                    )
                    newest = pin(connection, day, DELAY).max_batch
                    seen.append((done.batch_id, newest))
        except Exception as error:  # noqa: BLE001 - told to the test's own thread
            failed.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in "ABCD"]
    for thread in threads:
        thread.start()
    with database.connect(WORKER) as watcher:
        while any(thread.is_alive() for thread in threads):
            # Never a hole: whoever sees batch n sees every batch before it.
            newest, count = watcher.execute(
                "select coalesce(max(id), 0), count(*) from market.ingest_batch"
            ).fetchone()
            assert newest == count
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(batch for batch, _ in seen) == list(range(1, 21))
    assert all(newest >= batch for batch, newest in seen)


def test_a_delivery_that_fails_leaves_nothing_behind(worker, given, bars, day):
    now = day + 9 * HOUR
    malformed = bars([1.0]).with_columns(pl.col("close").cast(pl.Int64))
    source = given(X=bars([1.0]), Y=malformed)
    with pytest.raises(PermanentSourceError, match="Y: column close is Int64"):
        ingest(worker, source, ["X", "Y"], day, now, now, is_history=False)
    for table in ("instrument", "ingest_batch", "bar", "reject"):
        assert worker.execute(f"select count(*) from market.{table}").fetchone() == (0,)


def test_an_unknown_symbol_is_refused_before_anything_is_stored(worker, given, bars, day):
    with pytest.raises(PermanentSourceError, match="NOPE"):
        ingest(worker, given(X=bars([1.0])), ["NOPE"], day, day, day, is_history=False)


def test_sample_data_never_mixes_with_market_data_under_one_symbol(worker, given, bars, day):
    now = day + 9 * HOUR
    ingest(worker, SampleSource(), ["EURUSD"], day, now, now, is_history=True)
    assert worker.execute("select is_sample from market.instrument").fetchone() == (True,)
    with pytest.raises(PermanentSourceError, match="sample data and market data"):
        ingest(worker, given(EURUSD=bars([1.0])), ["EURUSD"], day, now, now, is_history=False)


def test_a_closed_market_is_a_batch_that_says_so(worker, shared_bars):
    saturday = datetime(2017, 6, 3, 12, tzinfo=UTC)
    summary = ingest(
        worker,
        FileSource(shared_bars),
        ["EURUSD"],
        saturday,
        saturday + HOUR,
        LATER,
        is_history=True,
    )
    assert summary.empty == ("EURUSD",)
    assert (summary.new, summary.rejected) == (0, 0)
    counts = worker.execute("select counts from market.ingest_batch").fetchone()
    assert counts == ({"new": 0, "same": 0, "corrected": 0, "rejected": 0, "empty": ["EURUSD"]},)
