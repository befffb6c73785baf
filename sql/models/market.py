"""Bars under two clocks: when they were, and when we knew them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, BigId, Instant, Json, Str


class Instrument(Base):
    __tablename__ = "instrument"
    __table_args__ = ({"schema": "market", "comment": "What is traded."},)

    id: Mapped[int] = mapped_column(primary_key=True, comment="Internal")
    symbol: Mapped[Str] = mapped_column(unique=True, comment="The platform's name for it")
    calendar: Mapped[Str] = mapped_column(comment="24x7, FX, METAL or an exchange's MIC")
    is_sample: Mapped[bool] = mapped_column(comment="Sample data, labelled wherever it appears")
    currency: Mapped[Str | None] = mapped_column(comment="Of its prices; null: not known")
    tick_size: Mapped[float | None] = mapped_column(
        Float(53), comment="Smallest step of its price; null: not known"
    )


class InstrumentAlias(Base):
    __tablename__ = "instrument_alias"
    __table_args__ = (
        UniqueConstraint("source", "alias"),
        {"schema": "market", "comment": "What a source calls an instrument."},
    )

    instrument_id: Mapped[int] = mapped_column(
        ForeignKey("market.instrument.id", ondelete="restrict"),
        primary_key=True,
        comment="Which instrument",
    )
    source: Mapped[Str] = mapped_column(primary_key=True, comment="As in ingest_batch")
    alias: Mapped[Str] = mapped_column(comment="Its name there")


class IngestBatch(Base):
    __tablename__ = "ingest_batch"
    __table_args__ = (
        {"schema": "market", "comment": "One delivery of bars; its id orders what we knew."},
    )

    id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="Gapless, in commit order"
    )
    source: Mapped[Str] = mapped_column(comment="file, sample, ...")
    fetched_at: Mapped[Instant] = mapped_column(comment="When the source answered")
    committed_at: Mapped[Instant] = mapped_column(comment="When we knew it")
    is_history: Mapped[bool] = mapped_column(comment="Imported past: already revised by its source")
    raw_digest: Mapped[Str] = mapped_column(comment="sha256 of the raw answer")
    counts: Mapped[Json] = mapped_column(comment="new, same, corrected, rejected")
    answers: Mapped[Json] = mapped_column(
        server_default=text("'[]'::jsonb"), comment="Symbol, period and digest of each answer"
    )


class RawAnswer(Base):
    __tablename__ = "raw_answer"
    __table_args__ = (
        {"schema": "market", "comment": "Sources' answers as they came; equal ones once."},
    )

    digest: Mapped[Str] = mapped_column(primary_key=True, comment="sha256 of the answer")
    size_bytes: Mapped[int] = mapped_column(BigInteger, comment="Before compression")
    body: Mapped[bytes] = mapped_column(LargeBinary, comment="Compressed by zlib")


class Bar(Base):
    __tablename__ = "bar"
    __table_args__ = (
        CheckConstraint(
            "ts_close > ts_open and ts_close <= ts_open + interval '1 hour'", name="at_most_an_hour"
        ),
        CheckConstraint("available_at >= ts_close", name="known_after_it_closed"),
        CheckConstraint(
            "low > 0 and low <= least(open, close) and high >= greatest(open, close)"
            " and high < 'Infinity' and (volume is null or (volume >= 0 and volume < 'Infinity'))",
            name="prices_consistent",
        ),
        Index(
            "bar_asof",
            "instrument_id",
            "ts_open",
            text("available_at desc"),
            text("batch_id desc"),
            unique=True,
            postgresql_include=["ts_close", "open", "high", "low", "close", "volume"],
        ),
        {"schema": "market", "comment": "Hourly bars, insert-only: a correction is a new row."},
    )
    __mapper_args__ = {"primary_key": ["instrument_id", "ts_open", "available_at", "batch_id"]}  # noqa: RUF012

    instrument_id: Mapped[int] = mapped_column(
        ForeignKey("market.instrument.id", ondelete="restrict"), comment="Which instrument"
    )
    ts_open: Mapped[Instant] = mapped_column(comment="Start, inclusive")
    ts_close: Mapped[Instant] = mapped_column(comment="End, exclusive")
    available_at: Mapped[Instant] = mapped_column(comment="When a model could first have seen it")
    batch_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("market.ingest_batch.id", ondelete="restrict"),
        comment="When we learnt it",
    )
    open: Mapped[float] = mapped_column(Float(53), comment="Price")
    high: Mapped[float] = mapped_column(Float(53), comment="Price")
    low: Mapped[float] = mapped_column(Float(53), comment="Price")
    close: Mapped[float] = mapped_column(Float(53), comment="Price")
    volume: Mapped[float | None] = mapped_column(Float(53), comment="Units; null: not published")


class Reject(Base):
    __tablename__ = "reject"
    __table_args__ = ({"schema": "market", "comment": "Rows refused, with the rule they broke."},)

    id: Mapped[BigId] = mapped_column(comment="Order of insertion")
    batch_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("market.ingest_batch.id", ondelete="restrict"),
        index=True,
        comment="Which delivery",
    )
    symbol: Mapped[Str] = mapped_column(comment="As delivered")
    row_number: Mapped[int] = mapped_column(BigInteger, comment="Position in the delivery, from 0")
    rule: Mapped[Str] = mapped_column(comment="Name of the rule")
    row: Mapped[dict[str, object]] = mapped_column(JSONB, comment="The row as delivered")
