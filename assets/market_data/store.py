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

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl
import psycopg

from assets.market_data.batch import (
    Answer,
    IngestSummary,
    declare,
    kept_answers,
    lock_batches,
    write_batch,
    write_rejects,
)
from assets.market_data.frames import DELIVERY_SCHEMA, PRICES, UTC_TIME, read_frame, write_frame
from assets.market_data.patience import Patience, fetch_patiently
from assets.market_data.schema import FrameError, Validated, validate
from assets.market_data.source import (
    Delivery,
    PermanentSourceError,
    Source,
    SourceError,
    closed_within,
    declaration_of,
)

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
       b.instrument_id, b.ts_open, b.ts_close as ts_close_known,
       b.available_at as available_at_known, b.open as open_known, b.high as high_known,
       b.low as low_known, b.close as close_known, b.volume as volume_known
from market.bar b
where b.instrument_id = any (%(ids)s) and b.ts_open between %(first)s and %(last)s
order by b.instrument_id, b.ts_open, b.available_at desc, b.batch_id desc
"""
KNOWN_SCHEMA: dict[str, pl.DataType] = {
    "instrument_id": pl.Int32(),
    "ts_open": UTC_TIME,
    **{f"{name}_known": UTC_TIME for name in ("ts_close", "available_at")},
    **dict.fromkeys((f"{name}_known" for name in (*PRICES, "volume")), pl.Float64()),
}


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
    patience: Patience = Patience(),  # noqa: B008 - frozen
    failures: list[SourceError] | None = None,
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
        patience: how often a transient error is met by asking again.
        failures: takes the errors of symbols that fail, and the others are
            stored; None: the first error is raised. Where all fail, it is raised too.

    Raises:
        TransientSourceError: the source may answer later; nothing was stored.
        PermanentSourceError: an unknown symbol, a malformed delivery, or
            sample data and market data under one symbol; nothing was stored.
    """
    answers = []
    for symbol in dict.fromkeys(symbols):
        try:
            declaration_of(source, symbol)
            delivery = fetch_patiently(source, symbol, start, end, now, patience)
            # Once it was asked, a source may know more of an instrument.
            answer = Answer(declaration_of(source, symbol), start, end, delivery)
            answers.append((answer, _validated(source, answer, now)))
        except SourceError as error:
            if failures is None:
                raise
            failures.append(error)
    if failures and not answers:
        raise failures[0]
    return _stored(connection, source, answers, now, feed_delay if is_history else None)


def ingest_again(
    connection: psycopg.Connection,
    source: Source,
    batch_id: int,
    now: datetime,
    feed_delay: timedelta = FEED_DELAY,
) -> IngestSummary:
    """Read the kept answers of a batch anew, and store what comes out differently.

    Args:
        connection: autocommit, as `signalbox_worker`.
        source: reads the answers, as it does now; it is not asked.
        batch_id: an import; bars that were missed count as it would have dated them.
        now: UTC; what a correction is available from.
        feed_delay: as of `ingest`.

    Raises:
        AnswerNotKeptError: no such batch, or its answers are gone.
        PermanentSourceError: as of `ingest`; nothing was stored.
    """
    answers = []
    for kept, raw in kept_answers(connection, batch_id):
        bars = source.read(kept.symbol, raw)
        frame = closed_within(bars, kept.start, kept.end, kept.fetched_at)
        delivery = Delivery(frame, kept.fetched_at, raw)
        answer = Answer(declaration_of(source, kept.symbol), kept.start, kept.end, delivery)
        answers.append((answer, _validated(source, answer, now)))
    row = connection.execute(
        "select is_history from market.ingest_batch where id = %s", [batch_id]
    ).fetchone()
    return _stored(connection, source, answers, now, feed_delay if row and row[0] else None)


def _stored(
    connection: psycopg.Connection,
    source: Source,
    validated: list[tuple[Answer, Validated]],
    now: datetime,
    history_delay: timedelta | None,
) -> IngestSummary:
    answers = [answer for answer, _ in validated]
    checked = {answer.declaration.symbol: one for answer, one in validated}
    with connection.transaction():
        batch_id = lock_batches(connection)
        ids = {
            answer.declaration.symbol: declare(connection, source, answer.declaration)
            for answer in answers
        }
        bars = _delivered(checked, ids)
        fresh = _dated(_compared(bars, _known(connection, bars)), now, history_delay)
        corrected = int(fresh["is_known"].sum())
        summary = IngestSummary(
            batch_id=batch_id,
            new=len(fresh) - corrected,
            same=len(bars) - len(fresh),
            corrected=corrected,
            rejected=sum(len(one.rejects) for one in checked.values()),
            empty=tuple(
                answer.declaration.symbol for answer in answers if answer.delivery.frame.is_empty()
            ),
        )
        write_batch(connection, source, answers, summary, now, is_history=history_delay is not None)
        write_bars(connection, fresh.with_columns(batch_id=pl.lit(batch_id)))
        write_rejects(
            connection, batch_id, {symbol: one.rejects for symbol, one in checked.items()}
        )
    return summary


def write_bars(connection: psycopg.Connection, bars: pl.DataFrame) -> None:
    """Append rows to `market.bar`, in the columns and types of `BAR_TABLE`."""
    if not bars.is_empty():
        write_frame(connection, "market.bar", bars, BAR_TABLE)


def _validated(source: Source, answer: Answer, now: datetime) -> Validated:
    frame = answer.delivery.frame
    # A period without bars is for the gap check to judge, which knows the market's hours.
    if frame.is_empty():
        return Validated(frame, [])
    try:
        return validate(frame, now)
    except FrameError as error:
        raise PermanentSourceError(
            answer.declaration.symbol, str(error), f"mend source {source.name}"
        ) from error


def _delivered(checked: dict[str, Validated], ids: dict[str, int]) -> pl.DataFrame:
    empty = pl.DataFrame(schema={"instrument_id": pl.Int32(), **DELIVERY_SCHEMA})
    parts = [
        one.good.select(
            pl.lit(ids[symbol], dtype=pl.Int32).alias("instrument_id"), *DELIVERY_SCHEMA
        )
        for symbol, one in checked.items()
    ]
    return pl.concat([empty, *parts])


def _known(connection: psycopg.Connection, bars: pl.DataFrame) -> pl.DataFrame:
    if bars.is_empty():
        return pl.DataFrame(schema=KNOWN_SCHEMA)
    period = {
        "ids": bars["instrument_id"].unique().to_list(),
        "first": bars["ts_open"].min(),
        "last": bars["ts_open"].max(),
    }
    return read_frame(connection, KNOWN, period, KNOWN_SCHEMA)


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
