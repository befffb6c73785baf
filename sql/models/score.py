"""Forecasts against what happened."""

from sqlalchemy import BigInteger, Boolean, Float, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, Instant


class Score(Base):
    __tablename__ = "score"
    __table_args__ = (
        ForeignKeyConstraint(
            ["slot_record_id", "instrument_id", "horizon_hours"],
            [
                "forecast.forecast.slot_record_id",
                "forecast.forecast.instrument_id",
                "forecast.forecast.horizon_hours",
            ],
            ondelete="restrict",
        ),
        {
            "schema": "score",
            "comment": "Insert-only: a corrected outcome scores again in a new row.",
        },
    )

    slot_record_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="Forecast")
    instrument_id: Mapped[int] = mapped_column(primary_key=True, comment="Forecast")
    horizon_hours: Mapped[int] = mapped_column(primary_key=True, comment="Forecast")
    outcome_batch_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, comment="Newest batch among the bars that decided it"
    )
    scored_at: Mapped[Instant] = mapped_column(comment="When")
    outcome: Mapped[float] = mapped_column(Float(53), comment="In the forecast's unit")
    error: Mapped[float] = mapped_column(Float(53), comment="point - outcome")
    absolute_error: Mapped[float] = mapped_column(Float(53), comment="|error|")
    squared_error: Mapped[float] = mapped_column(Float(53), comment="error squared")
    hit: Mapped[bool | None] = mapped_column(
        Boolean, comment="Direction right; null: the forecast or the market had none"
    )
    reference: Mapped[float | None] = mapped_column(
        Float(53), comment="What no change would have been: 0, or the close at the slot"
    )
    symmetric_error: Mapped[float | None] = mapped_column(
        Float(53), comment="2 |X - Y| / (|X| + |Y|) of prices, 0 to 2"
    )
    scale: Mapped[float | None] = mapped_column(
        Float(53), comment="Mean absolute seasonal difference knowable at the slot"
    )
    squared_scale: Mapped[float | None] = mapped_column(
        Float(53), comment="Mean squared seasonal difference knowable at the slot"
    )
    seasonal_naive: Mapped[float | None] = mapped_column(
        Float(53), comment="Seasonal naive forecast; null: that hour had no bar"
    )
    naive2: Mapped[float | None] = mapped_column(Float(53), comment="Forecast of M4's Naive2")
    pinball_loss: Mapped[float | None] = mapped_column(
        Float(53), comment="Mean quantile loss over the levels; null: no quantiles"
    )
    interval_score: Mapped[float | None] = mapped_column(
        Float(53), comment="Of the widest symmetric pair of levels; null: none"
    )
    pit: Mapped[float | None] = mapped_column(
        Float(53), comment="Interpolated level of the outcome, 0 to 1"
    )
    brier: Mapped[float | None] = mapped_column(
        Float(53), comment="(probability_up - rose) squared; null: no probability"
    )
    log_score: Mapped[float | None] = mapped_column(Float(53), comment="In nats; null as brier")
