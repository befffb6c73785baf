"""What is kept of a delivery beside its bars: the batch, the rows refused, the answers.

An answer is kept once, compressed, under its digest; the batch says which
symbol and period it answered. So an import can be made again, by a source that
reads better than it did. Sample data is not kept: it can be made again anyway.
"""

import hashlib
import zlib
from collections.abc import Sequence
from datetime import datetime

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from assets.market_data.schema import Reject
from assets.market_data.source import Delivery, InstrumentDeclaration, PermanentSourceError, Source

BATCH_LOCK = 0x53425F42415443
"""Key of the advisory lock ("SB_BATC") under which batches are numbered and written."""


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


class Answer(msgspec.Struct, frozen=True):
    """What one symbol's delivery answered; `[start, end)` of `ts_open`, UTC.

    Attributes:
        declaration: the symbol.
        delivery: its answer.
    """

    declaration: InstrumentDeclaration
    start: datetime
    end: datetime
    delivery: Delivery

    @property
    def digest(self) -> str:
        """sha256 of the answer as it came."""
        return f"sha256:{hashlib.sha256(self.delivery.raw_bytes).hexdigest()}"


class KeptAnswer(msgspec.Struct, frozen=True):
    """As a batch lists its answers."""

    symbol: str
    start: datetime
    end: datetime
    fetched_at: datetime
    digest: str


class AnswerNotKeptError(LookupError):
    """A batch whose answers are not there any more, or never were."""


def lock_batches(connection: psycopg.Connection) -> int:
    """Wait for other writers of batches; the number of the next one, until the commit."""
    # The lock's own snapshot must not be the one that comparisons read.
    connection.execute("set transaction isolation level read committed")
    connection.execute("select pg_advisory_xact_lock(%s)", [BATCH_LOCK])
    row = connection.execute("select coalesce(max(id), 0) + 1 from market.ingest_batch").fetchone()
    return int(row[0]) if row else 1


def declare(connection: psycopg.Connection, source: Source, declared: InstrumentDeclaration) -> int:
    """The instrument's id; added with the source's name for it where it is new.

    Raises:
        PermanentSourceError: what is known of it cannot be what the source offers.
    """
    connection.execute(
        "insert into market.instrument (symbol, calendar, is_sample, currency, tick_size)"
        " values (%s, %s, %s, %s, %s) on conflict (symbol) do nothing",
        [declared.symbol, declared.calendar, source.is_sample, declared.currency,
         declared.tick_size],
    )  # fmt: skip
    known = connection.execute(
        "select id, calendar, is_sample from market.instrument where symbol = %s", [declared.symbol]
    ).fetchone()
    if known is None or known[2] != source.is_sample:
        raise PermanentSourceError(
            declared.symbol,
            "one symbol cannot hold sample data and market data",
            "take another symbol, or an empty database",
        )
    if known[1] != declared.calendar:
        raise PermanentSourceError(
            declared.symbol,
            f"its calendar is {known[1]}, and source {source.name} declares {declared.calendar}",
            "declare the same, or take another symbol",
        )
    connection.execute(
        "insert into market.instrument_alias values (%s, %s, %s) on conflict do nothing",
        [known[0], source.name, declared.alias or declared.symbol],
    )
    return int(known[0])


def write_batch(
    connection: psycopg.Connection,
    source: Source,
    answers: Sequence[Answer],
    summary: IngestSummary,
    now: datetime,
    *,
    is_history: bool,
) -> None:
    """The batch's row, and the answers it was made of."""
    whole = hashlib.sha256(b"".join(answer.delivery.raw_bytes for answer in answers))
    counts = {
        name: getattr(summary, name) for name in ("new", "same", "corrected", "rejected", "empty")
    }
    listed = [
        KeptAnswer(
            answer.declaration.symbol, answer.start, answer.end, answer.delivery.fetched_at,
            answer.digest,
        )
        for answer in answers
    ]  # fmt: skip
    connection.execute(
        "insert into market.ingest_batch (id, source, fetched_at, committed_at, is_history,"
        " raw_digest, counts, answers) values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            summary.batch_id,
            source.name,
            max((answer.delivery.fetched_at for answer in answers), default=now),
            now,
            is_history,
            f"sha256:{whole.hexdigest()}",
            Jsonb(counts),
            Jsonb(msgspec.to_builtins(listed)),
        ],
    )
    if not source.is_sample:
        for answer in answers:
            _keep(connection, answer)


def _keep(connection: psycopg.Connection, answer: Answer) -> None:
    raw, digest = answer.delivery.raw_bytes, answer.digest
    known = "select 1 from market.raw_answer where digest = %s"
    if connection.execute(known, [digest]).fetchone() is None:
        connection.execute(
            "insert into market.raw_answer values (%s, %s, %s)",
            [digest, len(raw), zlib.compress(raw)],
        )


def kept_answers(connection: psycopg.Connection, batch_id: int) -> list[tuple[KeptAnswer, bytes]]:
    """The answers that a batch was made of, as they came.

    Raises:
        AnswerNotKeptError: no such batch, or an answer of it is not kept.
    """
    row = connection.execute(
        "select answers from market.ingest_batch where id = %s", [batch_id]
    ).fetchone()
    if row is None:
        raise AnswerNotKeptError(f"there is no batch {batch_id}")
    listed = msgspec.convert(row[0], list[KeptAnswer])
    return [(one, _body(connection, one.digest, batch_id)) for one in listed]


def _body(connection: psycopg.Connection, digest: str, batch_id: int) -> bytes:
    row = connection.execute(
        "select body from market.raw_answer where digest = %s", [digest]
    ).fetchone()
    if row is None:
        raise AnswerNotKeptError(
            f"answer {digest} of batch {batch_id} is not kept (sample data, or past its"
            " retention): import from the source again"
        )
    return zlib.decompress(row[0])


def answered(
    connection: psycopg.Connection, source: Source, symbol: str
) -> list[tuple[datetime, datetime]]:
    """Periods for which the source has answered for a symbol, wholly past when it did."""
    rows = connection.execute(
        "select (a ->> 'start')::timestamptz, (a ->> 'end')::timestamptz"
        " from market.ingest_batch b, jsonb_array_elements(b.answers) a"
        " where b.source = %s and a ->> 'symbol' = %s"
        " and (a ->> 'end')::timestamptz <= (a ->> 'fetched_at')::timestamptz",
        [source.name, symbol],
    ).fetchall()
    return [(start, end) for start, end in rows]


def write_rejects(
    connection: psycopg.Connection, batch_id: int, rejects: dict[str, list[Reject]]
) -> None:
    """Refused rows by symbol."""
    if not any(rejects.values()):
        return
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "copy market.reject (batch_id, symbol, row_number, rule, row) from stdin"
        ) as copy,
    ):
        for symbol, refused in rejects.items():
            for one in refused:
                copy.write_row((batch_id, symbol, one.row_number, one.rule, Jsonb(one.row)))
