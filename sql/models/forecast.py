"""What each version answered at each slot, or why it did not."""

from typing import Any

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

from sql.models.base import Base, BigId, Instant, Str

DUE = "provenance in ('live', 'late', 'missed')"


class SlotPin(Base):
    __tablename__ = "slot_pin"
    __table_args__ = (
        {"schema": "forecast", "comment": "What a run pinned a slot to, once; insert-only."},
    )

    dagster_run_id: Mapped[Str] = mapped_column(
        primary_key=True, comment="Run that shares the pin among its processes"
    )
    slot: Mapped[Instant] = mapped_column(
        primary_key=True, comment="as_of: the hour that is forecast at"
    )
    cutoff: Mapped[Instant] = mapped_column(comment="Bars available by then are visible")
    max_batch: Mapped[int] = mapped_column(
        BigInteger, comment="Newest ingest batch read; 0 before the first"
    )
    pinned_at: Mapped[Instant] = mapped_column(comment="When its first process asked")


class SlotRecord(Base):
    __tablename__ = "slot_record"
    __table_args__ = (
        UniqueConstraint("version_id", "slot", "provenance"),
        Index(
            "slot_record_due_once", "version_id", "slot", unique=True, postgresql_where=text(DUE)
        ),
        Index("slot_record_slot_idx", "slot"),
        Index("slot_record_leaf_once", "leaf_index", unique=True),
        CheckConstraint(
            "provenance in ('live', 'late', 'missed', 'replayed', 'backfilled')",
            name="provenance_known",
        ),
        CheckConstraint("path in ('cold', 'forked', 'replay')", name="path_known"),
        CheckConstraint("(provenance = 'missed') = (reason is not null)", name="missed_says_why"),
        CheckConstraint(
            "extract(minute from slot) = 0 and extract(second from slot) = 0",
            name="slot_on_the_hour",
        ),
        {"schema": "forecast", "comment": "One version at one slot; insert-only."},
    )

    id: Mapped[BigId] = mapped_column(comment="Internal")
    version_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("registry.version.id", ondelete="restrict"), comment="Which version"
    )
    slot: Mapped[Instant] = mapped_column(comment="as_of: the hour the forecast was made at")
    provenance: Mapped[Str] = mapped_column(comment="live, late, missed, replayed, backfilled")
    reason: Mapped[Str | None] = mapped_column(comment="Of a miss: kind, then what happened")
    cutoff: Mapped[Instant] = mapped_column(comment="Bars available by then were visible")
    max_batch: Mapped[int] = mapped_column(BigInteger, comment="Newest ingest batch read")
    input_digest: Mapped[Str | None] = mapped_column(comment="sha256 of the window given")
    image_digest: Mapped[Str] = mapped_column(comment="What ran")
    engine: Mapped[Str] = mapped_column(comment="docker or embedded")
    path: Mapped[Str] = mapped_column(comment="cold, forked or replay")
    recorded_at: Mapped[Instant] = mapped_column(comment="When this row was written")
    wall_ms: Mapped[float] = mapped_column(Float(53), comment="Of this slot in the sandbox")
    cpu_ms: Mapped[float | None] = mapped_column(
        Float(53), comment="User and system time of its sandbox; null where not measured"
    )
    peak_memory_mb: Mapped[float | None] = mapped_column(
        Float(53), comment="MiB its sandbox held at most; null where not measured"
    )
    dagster_run_id: Mapped[Str | None] = mapped_column(comment="Run that wrote it")
    leaf_index: Mapped[int | None] = mapped_column(
        BigInteger,
        ForeignKey("transparency.leaf.index", ondelete="restrict"),
        comment="Its leaf; null for replayed and backfilled",
    )
    log: Mapped[Str] = mapped_column(comment="The model's stdout and stderr, cut at 64 KB")


class Forecast(Base):
    __tablename__ = "forecast"
    __table_args__ = (
        CheckConstraint("horizon_hours between 1 and 168", name="horizon_in_range"),
        CheckConstraint("probability_up between 0 and 1", name="probability_in_range"),
        {"schema": "forecast", "comment": "One number for a symbol and horizon; insert-only."},
    )

    slot_record_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("forecast.slot_record.id", ondelete="restrict"),
        primary_key=True,
        comment="Version and slot",
    )
    instrument_id: Mapped[int] = mapped_column(
        ForeignKey("market.instrument.id", ondelete="restrict"), primary_key=True, comment="Symbol"
    )
    horizon_hours: Mapped[int] = mapped_column(primary_key=True, comment="Whole hours")
    target_time: Mapped[Instant] = mapped_column(comment="slot + horizon")
    point: Mapped[float] = mapped_column(Float(53), comment="Log return, or price")
    quantiles: Mapped[list[Any] | None] = mapped_column(JSONB, comment="[[level, value], ...]")
    probability_up: Mapped[float | None] = mapped_column(Float(53), comment="P(close rises)")


class Opening(Base):
    __tablename__ = "opening"
    __table_args__ = (
        {"schema": "forecast", "comment": "What opens a forecast leaf's commitment; insert-only."},
    )

    slot_record_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("forecast.slot_record.id", ondelete="restrict"),
        primary_key=True,
        comment="Version and slot",
    )
    salt: Mapped[bytes] = mapped_column(LargeBinary, comment="32 random bytes")
    payload: Mapped[bytes] = mapped_column(LargeBinary, comment="Canonical JSON of the forecasts")


class ReplayAudit(Base):
    __tablename__ = "replay_audit"
    __table_args__ = (
        CheckConstraint("differing between 0 and audited", name="differing_in_range"),
        CheckConstraint(
            "(differing > 0) = (first_difference is not null)", name="difference_is_named"
        ),
        {
            "schema": "forecast",
            "comment": "Replayed slots run again in fresh sandboxes; insert-only.",
        },
    )

    id: Mapped[BigId] = mapped_column(comment="Internal")
    version_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("registry.version.id", ondelete="restrict"),
        index=True,
        comment="Which version",
    )
    first_slot: Mapped[Instant] = mapped_column(comment="Earliest slot run again")
    last_slot: Mapped[Instant] = mapped_column(comment="Latest slot run again, inclusive")
    audited: Mapped[int] = mapped_column(comment="How many slots were drawn")
    differing: Mapped[int] = mapped_column(comment="How many gave another answer")
    first_difference: Mapped[Str | None] = mapped_column(comment="Slot and row, for people")
    dagster_run_id: Mapped[Str | None] = mapped_column(comment="Run that audited")
    audited_at: Mapped[Instant] = mapped_column(comment="When")
