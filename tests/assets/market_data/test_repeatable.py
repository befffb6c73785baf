"""A pinned read is the same read for ever, whatever comes in meanwhile."""

import threading
from datetime import timedelta

import polars as pl
import psycopg
import pytest

from assets.market_data import SampleSource, arrow_ipc, ingest, input_digest, pin, read_bars
from sql.roles import GIT, WORKER

HOUR = timedelta(hours=1)
DELAY = timedelta(minutes=2)
SYMBOLS = ["A", "B", "C", "D"]
BARS = 2500


def _digest(connection, pinned, day):
    frames = read_bars(connection, SYMBOLS, day, pinned)
    assert {len(frame) for frame in frames.values()} == {BARS}
    return input_digest(pinned.slot, {symbol: arrow_ipc(one) for symbol, one in frames.items()})


def _frames(day, end):
    return {
        symbol: SampleSource((symbol,)).fetch(symbol, day, end, end).frame for symbol in SYMBOLS
    }


def test_ten_thousand_corrections_do_not_change_what_a_past_run_saw(worker, given, day):
    slot = day + BARS * HOUR
    frames = _frames(day, slot)
    ingest(worker, given(**frames), SYMBOLS, day, slot, slot, is_history=True)
    pinned = pin(worker, slot, DELAY)
    before = _digest(worker, pinned, day)
    revised = {
        symbol: frame.with_columns(pl.col("high") * 1.01) for symbol, frame in frames.items()
    }
    # Before the cut-off: by the clock alone they would be seen.
    at = slot + timedelta(minutes=1)
    summary = ingest(worker, given(**revised), SYMBOLS, day, slot, at, is_history=True)
    assert summary.corrected == 10_000
    assert _digest(worker, pinned, day) == before
    assert _digest(worker, pin(worker, slot, DELAY), day) != before


def test_four_writers_at_once_do_not_change_what_a_pinned_reader_sees(database, worker, given, day):
    slot = day + BARS * HOUR
    frames = _frames(day, slot)
    ingest(worker, given(**frames), SYMBOLS, day, slot, slot, is_history=True)
    pinned = pin(worker, slot, DELAY)
    before = _digest(worker, pinned, day)
    failures = []

    def write(factor):
        try:
            with database.connect(WORKER) as connection:
                for turn in range(1, 4):
                    revised = {
                        symbol: frame.with_columns(pl.col("high") * (factor + turn))
                        for symbol, frame in frames.items()
                    }
                    ingest(connection, given(**revised), SYMBOLS, day, slot, slot, is_history=True)
        except Exception as error:  # noqa: BLE001 - told to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=write, args=(10 * at,)) for at in range(1, 5)]
    for thread in threads:
        thread.start()
    reads = 0
    while any(thread.is_alive() for thread in threads) or reads == 0:
        assert _digest(worker, pinned, day) == before
        reads += 1
    for thread in threads:
        thread.join()
    assert failures == []
    assert worker.execute("select count(*) from market.ingest_batch").fetchone() == (13,)
    assert _digest(worker, pinned, day) == before


def test_the_git_process_that_tries_models_on_made_up_bars_reads_no_real_ones(database):
    with database.connect(GIT) as connection:
        for table in ("bar", "reject", "raw_answer", "instrument_alias"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select * from market.{table}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select market.bars_as_of('{1}', now(), now(), now(), 1)")


@pytest.mark.parametrize("change", ["update market.bar set close = 1", "delete from market.bar"])
def test_rewriting_a_bar_is_refused_to_the_superuser(database, worker, given, bars, day, change):
    now = day + 9 * HOUR
    ingest(worker, given(X=bars([1.0])), ["X"], day, now, now, is_history=False)
    with database.superuser() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(change)
