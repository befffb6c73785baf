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
