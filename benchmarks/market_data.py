"""Bars in and out of the database, as ratios within one run.

`import_vs_copy`: a validated import of bars (fetch, schema, comparison, batch,
insert), as the speed of a bare binary COPY of the same rows into a table of the
same columns, constraints and index: 1 is as fast, 0.5 takes twice as long.
`import_vs_heap`: the same against a table without any, where nothing is checked.
`asof_vs_plain`: the window of 20 symbols and 2,000 bars out of a big table with
2 % corrections, as a multiple of the time of the same read without the logic of
revisions. `growth`: that read from the big table against the small one, which
is a copy of the database made when it was small. Each read is the median of
many, the four kinds alternating, on held connections.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import psycopg
from sqlalchemy import URL

from assets.market_data import Delivery, InstrumentDeclaration, SlotPin, ingest, read_bars
from assets.market_data.frames import UTC_TIME, WINDOW_SCHEMA, read_frame, write_frame
from assets.market_data.store import BAR_TABLE, FEED_DELAY
from assets.market_data.window import split
from sql import embedded
from sql.migrate import migrate
from sql.roles import DATABASE, OWNER, conninfo, create_roles, new_secrets, role_url

START = datetime(2000, 1, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
SYMBOLS = 20
WINDOW_HOURS = 2_000
CORRECTED_SHARE = 0.02
BARE = """
create table public.bare_copy (like market.bar including all);
alter table public.bare_copy add foreign key (instrument_id) references market.instrument,
  add foreign key (batch_id) references market.ingest_batch;
create table public.heap (like market.bar)
"""
PLAIN = """
select instrument_id, ts_open, open, high, low, close, volume from market.bar
where instrument_id = any (%(ids)s) and ts_open >= %(start)s and ts_open < %(slot)s
order by instrument_id, ts_open
"""


class MadeUp:
    """A random walk of any length, made before it is asked for."""

    name = "made-up"
    is_sample = False
    history_step = None

    def __init__(self, rows: int) -> None:
        self.frame = walk(rows, seed=7)

    def instruments(self) -> list[InstrumentDeclaration]:
        """One."""
        return [InstrumentDeclaration("IMPORT", "24x7")]

    def fetch(self, symbol: str, start: datetime, end: datetime, now: datetime) -> Delivery:
        """All of it."""
        del symbol, start, end
        return Delivery(self.frame, now, b"")

    def read(self, symbol: str, raw_bytes: bytes) -> pl.DataFrame:
        """All of it."""
        del symbol, raw_bytes
        return self.frame


def walk(rows: int, seed: int) -> pl.DataFrame:
    """Bars of minutes, so that a million fit into a calendar."""
    draws = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(draws.normal(0, 0.0005, rows)))
    opened = np.append(100.0, close[:-1])
    spread = np.abs(draws.normal(0, 0.0005, rows))
    minutes = np.arange(rows, dtype=np.int64) * 60_000_000 + int(START.timestamp()) * 1_000_000
    return pl.DataFrame(
        {
            "ts_open": minutes,
            "ts_close": minutes + 60_000_000,
            "open": opened,
            "high": np.maximum(opened, close) * (1 + spread),
            "low": np.minimum(opened, close) * (1 - spread),
            "close": close,
            "volume": draws.integers(0, 1000, rows).astype(float),
        }
    ).with_columns(pl.col("ts_open", "ts_close").cast(UTC_TIME))


def main() -> None:
    """Print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--import-rows", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=1_000_000, help="rows of the small table")
    parser.add_argument("--big", type=int, default=20_000_000, help="rows of the big table")
    parser.add_argument("--rounds", type=int, default=30, help="reads of each kind")
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="signalbox-bench-", dir="/var/tmp"))
    home.chmod(0o755)
    server = embedded.start(home)
    try:
        passwords = new_secrets()
        create_roles(server.admin, passwords)
        migrate(role_url(server.admin, OWNER, passwords[OWNER]))
        result = _measure(server.admin, options)
    finally:
        server.stop()
        shutil.rmtree(home)
    if not options.json:
        for name, value in result.items():
            print(f"{name:24} {value}")
    print(msgspec.json.encode(result).decode())


def _measure(admin: URL, options: argparse.Namespace) -> dict[str, float]:
    big_url = conninfo(admin.set(database=DATABASE))
    with psycopg.connect(big_url, autocommit=True) as connection:
        connection.execute("create schema if not exists public")
        connection.execute(BARE)
        imported, copied, heaped = _import_and_copy(connection, options.import_rows)
        small_hours = _fill(connection, 0, options.small // SYMBOLS)
    with psycopg.connect(conninfo(admin), autocommit=True) as connection:
        connection.execute(f"create database small template {DATABASE}")
    with (
        psycopg.connect(big_url, autocommit=True) as big,
        psycopg.connect(conninfo(admin.set(database="small")), autocommit=True) as small,
    ):
        big_hours = _fill(big, small_hours, options.big // SYMBOLS)
        small_asof, small_plain, big_asof, big_plain = _medians(
            [*_reads(small, small_hours), *_reads(big, big_hours)], options.rounds
        )
    return {
        "import_rows": options.import_rows,
        "import_seconds": round(imported, 3),
        "copy_seconds": round(copied, 3),
        "heap_seconds": round(heaped, 3),
        "import_vs_copy": round(copied / imported, 3),
        "import_vs_heap": round(heaped / imported, 3),
        "small_rows": options.small,
        "big_rows": options.big,
        "small_asof_ms": round(small_asof * 1000, 2),
        "small_plain_ms": round(small_plain * 1000, 2),
        "big_asof_ms": round(big_asof * 1000, 2),
        "big_plain_ms": round(big_plain * 1000, 2),
        "asof_vs_plain": round(big_asof / big_plain, 3),
        "growth": round(big_asof / small_asof, 3),
    }


def _import_and_copy(connection: psycopg.Connection, rows: int) -> tuple[float, float, float]:
    source = MadeUp(rows)
    now = START + timedelta(minutes=rows)
    began = time.perf_counter()
    summary = ingest(connection, source, ["IMPORT"], START, now, now, is_history=True)
    imported = time.perf_counter() - began
    assert summary.new == rows
    same = source.frame.with_columns(
        instrument_id=pl.lit(1), batch_id=pl.lit(1), available_at=pl.col("ts_close") + FEED_DELAY
    )
    began = time.perf_counter()
    write_frame(connection, "public.bare_copy", same, BAR_TABLE)
    copied = time.perf_counter() - began
    began = time.perf_counter()
    write_frame(connection, "public.heap", same, BAR_TABLE)
    return imported, copied, time.perf_counter() - began


def _fill(connection: psycopg.Connection, known: int, hours: int) -> int:
    """Hourly bars of each symbol up to so many, 2 % of them corrected in a batch of their own."""
    # The rows refer to what is there: checking 20 million of them is not what is measured.
    connection.execute("set session_replication_role = replica")
    if not known:
        connection.execute(
            "insert into market.instrument (symbol, calendar, is_sample)"
            " select 'S' || n, '24x7', false from generate_series(1, %s) n",
            [SYMBOLS],
        )
    first = _batch(connection)
    second = _batch(connection)
    for symbol, instrument_id in _ids(connection).items():
        bars = walk(hours - known, seed=instrument_id).with_row_index("at", offset=known)
        hour = START + pl.col("at").cast(pl.Int64) * pl.duration(hours=1)
        original = bars.with_columns(
            instrument_id=pl.lit(instrument_id), batch_id=pl.lit(first), ts_open=hour,
            ts_close=hour + HOUR, available_at=hour + HOUR + FEED_DELAY,
        )  # fmt: skip
        corrected = original.sample(fraction=CORRECTED_SHARE, seed=len(symbol)).with_columns(
            batch_id=pl.lit(second), available_at=pl.col("available_at") + HOUR
        )
        write_frame(connection, "market.bar", original, BAR_TABLE)
        write_frame(connection, "market.bar", corrected, BAR_TABLE)
    connection.execute("vacuum analyze market.bar")
    return hours


def _batch(connection: psycopg.Connection) -> int:
    row = connection.execute(
        "insert into market.ingest_batch (id, source, fetched_at, committed_at, is_history,"
        " raw_digest, counts) select max(id) + 1, 'made-up', now(), now(), true, '', '{}'"
        " from market.ingest_batch returning id"
    ).fetchone()
    return int(row[0]) if row else 0


def _ids(connection: psycopg.Connection) -> dict[str, int]:
    return dict(
        connection.execute(
            "select symbol, id from market.instrument where symbol like 'S%%' order by id"
        ).fetchall()
    )


def _reads(connection: psycopg.Connection, hours: int) -> list[Callable[[], int]]:
    """The as-of read and the plain one; each gives its number of rows."""
    slot = START + hours * HOUR
    start = slot - WINDOW_HOURS * HOUR
    ids = _ids(connection)
    pinned = SlotPin(slot=slot, cutoff=slot + FEED_DELAY, max_batch=10**9)
    values = {"ids": list(ids.values()), "start": start, "slot": slot}

    def asof() -> int:
        return sum(map(len, read_bars(connection, list(ids), start, pinned).values()))

    def plain() -> int:
        rows = read_frame(connection, PLAIN, values, {"instrument_id": pl.Int32(), **WINDOW_SCHEMA})
        return sum(map(len, split(rows, ids).values()))

    assert asof() == SYMBOLS * WINDOW_HOURS
    assert plain() > SYMBOLS * WINDOW_HOURS
    return [asof, plain]


def _medians(reads: list[Callable[[], int]], rounds: int) -> list[float]:
    """Median seconds of each."""
    taken: list[list[float]] = [[] for _ in reads]
    for _ in range(rounds):
        for read, seconds in zip(reads, taken, strict=True):
            began = time.perf_counter()
            read()
            seconds.append(time.perf_counter() - began)
    return [statistics.median(seconds) for seconds in taken]


if __name__ == "__main__":
    main()
