"""One delivery of bars into the database, all of it or none.

Theory of operation: the source is asked first, outside any transaction. Then,
under a lock that only writers of batches take, the delivery is compared with
the newest version of every bar that is known, and what is new or differs is
inserted under the next batch number. The lock is held until the commit, so
batch numbers are committed in their order: a reader that pinned batch n sees
the same rows whenever it reads again. (`now()` and sequences are drawn in one
order and committed in another.)

Deliberately absent: update. A correction is a new row that says when it could
first have been known.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import polars as pl
import psycopg
from psycopg.types.json import Jsonb

from assets.market_data.frames import DELIVERY_SCHEMA, PRICES, UTC_TIME, copy_in, copy_out
from assets.market_data.schema import FrameError, Reject, validate
from assets.market_data.source import (
    Delivery,
    InstrumentDeclaration,
    PermanentSourceError,
    Source,
    calendar_of,
)

BATCH_LOCK = 0x53425F42415443
"""Key of the advisory lock ("SB_BATC") under which batches are numbered and written."""

FEED_DELAY = timedelta(minutes=2)
"""How long after its close a bar of an imported past counts as having been available."""

VALUES = ("ts_close", *PRICES, "volume")
BAR_TABLE: dict[str, pl.DataType] = {
    "instrument_id": pl.Int32(),
    "ts_open": UTC_TIME,
    "ts_close": UTC_TIME,
    "available_at": UTC_TIME,
    "batch_id": pl.Int64(),
    **dict.fromkeys((*PRICES, "volume"), pl.Float64()),
}
KNOWN = """
select distinct on (b.instrument_id, b.ts_open)
       b.instrument_id, (extract(epoch from b.ts_open) * 1000000)::bigint,
       (extract(epoch from b.ts_close) * 1000000)::bigint,
       (extract(epoch from b.available_at) * 1000000)::bigint,
       b.open, b.high, b.low, b.close, b.volume
from market.bar b
where b.instrument_id = any (%(ids)s) and b.ts_open between %(first)s and %(last)s
order by b.instrument_id, b.ts_open, b.available_at desc, b.batch_id desc
"""


class IngestSummary(msgspec.Struct, frozen=True):
    """What a delivery brought, in rows.

    Attributes:
        batch_id: its number; later than every number committed before.
        new: hours not known before.
        same: hours known with the same values; not written again.
        corrected: hours known with other values; written as a new version.
        rejected: rows refused, in `market.reject`.
        empty: symbols for which the source had no bar in the period.
    """

    batch_id: int
    new: int
    same: int
    corrected: int
    rejected: int
    empty: tuple[str, ...]


class _Checked(msgspec.Struct, frozen=True):
    declaration: InstrumentDeclaration
    delivery: Delivery
    good: pl.DataFrame
    rejects: list[Reject]


def ingest(
    connection: psycopg.Connection,
    source: Source,
    symbols: Sequence[str],
    start: datetime,
    end: datetime,
    now: datetime,
    *,
    is_history: bool,
    feed_delay: timedelta = FEED_DELAY,
) -> IngestSummary:
    """Fetch bars with `start <= ts_open < end`, and store what is new or corrected.

    Args:
        connection: autocommit, as `signalbox_worker`.
        source: who is asked.
        symbols: what to ask for; instruments not known yet are added.
        start: UTC, inclusive.
        end: UTC, exclusive.
        now: UTC; decides what is closed.
        is_history: an imported past, already revised by its source. Its bars
            count as available `feed_delay` after their close. Otherwise, and
            for every correction, a bar is available from `now`.
        feed_delay: see `is_history`.

    Raises:
        TransientSourceError: the source may answer later; nothing was stored.
        PermanentSourceError: an unknown symbol, a malformed delivery, or
            sample data and market data under one symbol; nothing was stored.
    """
    checked = [_fetch(source, symbol, start, end, now) for symbol in dict.fromkeys(symbols)]
    with connection.transaction():
        # The lock's own snapshot must not be the one that the comparison reads.
        connection.execute("set transaction isolation level read committed")
        connection.execute("select pg_advisory_xact_lock(%s)", [BATCH_LOCK])
        ids = _declare(connection, source, [one.declaration for one in checked])
        bars = _delivered(checked, ids)
        fresh = _compared(bars, _known(connection, bars))
        fresh = _dated(fresh, now, feed_delay if is_history else None)
        corrected = int(fresh["is_known"].sum())
        summary = IngestSummary(
            batch_id=_next_batch(connection),
            new=len(fresh) - corrected,
            same=len(bars) - len(fresh),
            corrected=corrected,
            rejected=sum(len(one.rejects) for one in checked),
            empty=tuple(one.declaration.symbol for one in checked if one.delivery.frame.is_empty()),
        )
        _write_batch(connection, source, checked, summary, now, is_history=is_history)
        write_bars(connection, fresh.with_columns(batch_id=pl.lit(summary.batch_id)))
        _write_rejects(connection, checked, summary.batch_id)
    return summary


def write_bars(connection: psycopg.Connection, bars: pl.DataFrame) -> None:
    """Append rows to `market.bar`, in the columns and types of `BAR_TABLE`."""
    if bars.is_empty():
        return
    copy_in(
        connection,
        "copy market.bar (instrument_id, ts_open, ts_close, available_at, batch_id,"
        " open, high, low, close, volume) from stdin (format csv)",
        bars.select(pl.col(name).cast(kind) for name, kind in BAR_TABLE.items()),
    )


def _fetch(source: Source, symbol: str, start: datetime, end: datetime, now: datetime) -> _Checked:
    declaration = InstrumentDeclaration(symbol, calendar_of(source, symbol))
    delivery = source.fetch(symbol, start, end, now)
    # A period without bars is for the gap check to judge, which knows the market's hours.
    if delivery.frame.is_empty():
        return _Checked(declaration, delivery, delivery.frame, [])
    try:
        validated = validate(delivery.frame, now)
    except FrameError as error:
        raise PermanentSourceError(symbol, str(error), f"mend source {source.name}") from error
    return _Checked(declaration, delivery, validated.good, validated.rejects)


def _declare(
    connection: psycopg.Connection, source: Source, declarations: list[InstrumentDeclaration]
) -> dict[str, int]:
    ids: dict[str, int] = {}
    for declared in declarations:
        connection.execute(
            "insert into market.instrument (symbol, calendar, is_sample) values (%s, %s, %s)"
            " on conflict (symbol) do nothing",
            [declared.symbol, declared.calendar, source.is_sample],
        )
        row = connection.execute(
            "select id, is_sample from market.instrument where symbol = %s", [declared.symbol]
        ).fetchone()
        if row is None or row[1] != source.is_sample:
            raise PermanentSourceError(
                declared.symbol,
                "one symbol cannot hold sample data and market data",
                "take another symbol, or an empty database",
            )
        ids[declared.symbol] = row[0]
    return ids


def _delivered(checked: list[_Checked], ids: dict[str, int]) -> pl.DataFrame:
    empty = pl.DataFrame(schema={"instrument_id": pl.Int32(), **DELIVERY_SCHEMA})
    parts = [
        one.good.select(
            pl.lit(ids[one.declaration.symbol], dtype=pl.Int32).alias("instrument_id"),
            *DELIVERY_SCHEMA,
        )
        for one in checked
    ]
    return pl.concat([empty, *parts])


def _known(connection: psycopg.Connection, bars: pl.DataFrame) -> pl.DataFrame:
    schema = {
        "instrument_id": pl.Int32(),
        "ts_open": UTC_TIME,
        **{f"{name}_known": UTC_TIME for name in ("ts_close", "available_at")},
        **dict.fromkeys((f"{name}_known" for name in (*PRICES, "volume")), pl.Float64()),
    }
    if bars.is_empty():
        return pl.DataFrame(schema=schema)
    period = {
        "ids": bars["instrument_id"].unique().to_list(),
        "first": bars["ts_open"].min(),
        "last": bars["ts_open"].max(),
    }
    return copy_out(connection, KNOWN, period, schema)


def _compared(bars: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Rows that are new or differ, with `is_known` and `available_at_known`."""
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_known")) for name in VALUES)
    is_known = pl.col("ts_close_known").is_not_null()
    joined = bars.join(known, on=["instrument_id", "ts_open"], how="left")
    return joined.filter(~(is_known & same)).with_columns(is_known=is_known)


def _dated(fresh: pl.DataFrame, now: datetime, delay: timedelta | None) -> pl.DataFrame:
    # A correction never dates before what it corrects, or it would stay hidden behind it.
    learnt = pl.max_horizontal(
        pl.lit(now, dtype=UTC_TIME), pl.col("ts_close"), pl.col("available_at_known")
    )
    first = learnt if delay is None else pl.col("ts_close") + delay
    available = pl.when("is_known").then(learnt).otherwise(first)
    return fresh.with_columns(available.alias("available_at"))


def _next_batch(connection: psycopg.Connection) -> int:
    row = connection.execute("select coalesce(max(id), 0) + 1 from market.ingest_batch").fetchone()
    return int(row[0]) if row else 1


def _write_batch(
    connection: psycopg.Connection,
    source: Source,
    checked: list[_Checked],
    summary: IngestSummary,
    now: datetime,
    *,
    is_history: bool,
) -> None:
    digest = hashlib.sha256()
    for one in checked:
        digest.update(one.delivery.raw_bytes)
    counts = {
        name: getattr(summary, name) for name in ("new", "same", "corrected", "rejected", "empty")
    }
    connection.execute(
        "insert into market.ingest_batch (id, source, fetched_at, committed_at, is_history,"
        " raw_digest, counts) values (%s, %s, %s, %s, %s, %s, %s)",
        [
            summary.batch_id,
            source.name,
            max((one.delivery.fetched_at for one in checked), default=now),
            now,
            is_history,
            f"sha256:{digest.hexdigest()}",
            Jsonb(counts),
        ],
    )


def _write_rejects(connection: psycopg.Connection, checked: list[_Checked], batch_id: int) -> None:
    rows = [
        (batch_id, one.declaration.symbol, reject.row_number, reject.rule, reject.row)
        for one in checked
        for reject in one.rejects
    ]
    if not rows:
        return
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "copy market.reject (batch_id, symbol, row_number, rule, row) from stdin"
        ) as copy,
    ):
        for *columns, row in rows:
            copy.write_row((*columns, Jsonb(row)))
