"""What scores and bars add up to, computed anew each hour.

Derived, so that rows are replaced: everything in them follows from scores, bars and the
log, which are insert-only.
"""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Float, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, BigId, Instant, Str


class Performance(Base):
    __tablename__ = "performance"
    __table_args__ = (
        CheckConstraint("period in ('30d', '90d', 'all')", name="known_period"),
        CheckConstraint("live_slots >= 0", name="live_slots_counted"),
        Index(
            "performance_of_idx",
            "signal_id",
            "version_id",
            "period",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        {"schema": "score", "comment": "Measures of a signal or of one of its versions; derived."},
    )

    id: Mapped[BigId] = mapped_column(comment="Order of insertion")
    signal_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("registry.signal.id", ondelete="restrict"), comment="Whose"
    )
    version_id: Mapped[int | None] = mapped_column(
        BigInteger,
        ForeignKey("registry.version.id", ondelete="restrict"),
        comment="Null: the signal, as its subscribers received it",
    )
    period: Mapped[Str] = mapped_column(comment="30d, 90d or all: slots before as_of")
    as_of: Mapped[Instant] = mapped_column(comment="Slots before it count")
    computed_at: Mapped[Instant] = mapped_column(comment="When")
    live_since: Mapped[Instant | None] = mapped_column(comment="First live slot ever")
    live_slots: Mapped[int] = mapped_column(comment="Slots proven live in the period")
    sharpe: Mapped[float | None] = mapped_column(
        Float(53),
        comment="To rank by: annualised, of the declared rule after costs; null:"
        " the record is too short, or see measures",
    )
    max_drawdown: Mapped[float | None] = mapped_column(
        Float(53), comment="To rank by: share of the peak, 0 to 1; null as sharpe"
    )
    skill: Mapped[float | None] = mapped_column(
        Float(53),
        comment="To rank by: 1 - loss / loss of the best naive baseline, misses"
        " charged; null as sharpe",
    )
    hit_rate: Mapped[float | None] = mapped_column(
        Float(53),
        comment="To rank by: right directions of those that had one, misses"
        " charged; null as sharpe",
    )
    measures: Mapped[dict[str, Any]] = mapped_column(
        JSONB,
        comment="The document performance/1: measures by name with value, reason, count, interval",
    )


class RuleReturn(Base):
    __tablename__ = "rule_return"
    __table_args__ = (
        {"schema": "score", "comment": "Hourly return of a signal's trading rule; derived."},
    )

    signal_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("registry.signal.id", ondelete="restrict"),
        primary_key=True,
        comment="Whose",
    )
    hour: Mapped[Instant] = mapped_column(primary_key=True, comment="Start of the hour held")
    computed_at: Mapped[Instant] = mapped_column(comment="When")
    gross: Mapped[float] = mapped_column(Float(53), comment="Simple return before costs")
    cost: Mapped[float] = mapped_column(Float(53), comment="Costs, as a share of capital")
    net: Mapped[float] = mapped_column(Float(53), comment="gross - cost")
    turnover: Mapped[float] = mapped_column(
        Float(53), comment="Change of positions, as a share of capital"
    )


class Definition(Base):
    __tablename__ = "definition"
    __table_args__ = (
        CheckConstraint("better in ('lower', 'higher')", name="better_known"),
        {"schema": "score", "comment": "What each measure is; as the code that computes it says."},
    )

    name: Mapped[Str] = mapped_column(primary_key=True, comment="As measures are keyed")
    position: Mapped[int] = mapped_column(comment="Order in which they are shown")
    formula: Mapped[Str] = mapped_column(comment="What is computed")
    source: Mapped[Str] = mapped_column(comment="Who says so")
    unit: Mapped[Str] = mapped_column(comment="Of the value")
    better: Mapped[Str | None] = mapped_column(comment="lower or higher; null: neither")
    over: Mapped[Str] = mapped_column(comment="What its count counts")
