"""Figures of the business, one row per day and figure."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Float, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, BigId, Instant, Str


class MetricDay(Base):
    __tablename__ = "metric_day"
    __table_args__ = (
        CheckConstraint("num_nulls(value, reason) = 1", name="null_says_why"),
        Index("metric_day_day_idx", "day", "metric"),
        {
            "schema": "ledger",
            "comment": "Figures by docs/operations/business.md; insert-only, the newest counts.",
        },
    )

    id: Mapped[BigId] = mapped_column(comment="Order of insertion")
    day: Mapped[date] = mapped_column(comment="UTC; the figure is of its end")
    metric: Mapped[Str] = mapped_column(comment="mrr, active, trials, conversion, churn, revenue")
    currency: Mapped[Str | None] = mapped_column(comment="Of money, which is in minor units")
    signal_id: Mapped[int | None] = mapped_column(
        BigInteger,
        ForeignKey("registry.signal.id", ondelete="restrict"),
        comment="Of revenue; null: the whole installation",
    )
    value: Mapped[float | None] = mapped_column(Float(53), comment="Null where not defined")
    reason: Mapped[Str | None] = mapped_column(comment="Why it is null")
    computed_at: Mapped[Instant] = mapped_column(comment="When")
