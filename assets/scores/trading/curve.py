"""What the rule had earned by each day, and how far it had fallen by then."""

from datetime import date, timedelta

import msgspec
import numpy as np
import polars as pl

from assets.scores.trading.drawdown import wealth

POINTS_AT_MOST = 750
STEPS_DAYS = (1, 7, 28)
# Hundredths of a millionth: far below what an hour costs, and half the bytes.
DECIMALS = 8


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """One point for each UTC day, or for so many of them; empty where there was no hour.

    Attributes:
        step_days: days that a point stands for: 1, or as few of 7 and 28 as leave 750 points.
        days: the last UTC day of each point.
        total_return: from the beginning to the end of that day, a share of the capital.
        drawdown: the deepest fall from the peak so far within the point's days, 0 to 1.
        scored_slots: slots of those days with a scored forecast.
    """

    step_days: int = 1
    days: list[date] = []
    total_return: list[float] = []
    drawdown: list[float] = []
    scored_slots: list[int] = []


def curve(series: pl.DataFrame, scored: pl.Series) -> Curve:
    """The course of the rule's series, ending at its total return.

    W(t) = prod(1 + n) of the hours up to t. A point is W - 1 after the last hour that began on
    its days, and max of 1 - W(t) / max W(s), s <= t, over their hours: the largest of all points
    is `max_drawdown`. A day without an hour repeats the return before it and did not fall.

    Args:
        series: `hour` (UTC, ascending) and `net`.
        scored: slots with a scored forecast, UTC, each once.
    """
    if series.is_empty():
        return Curve()
    path = wealth(series["net"].to_numpy())
    falls = 1 - path / np.maximum.accumulate(path)
    hours = series.select(
        day=pl.col("hour").dt.date(), earned=pl.Series(path[1:] - 1), fell=pl.Series(falls[1:])
    )
    days = _days([*hours["day"].to_list(), *scored.dt.date().to_list()])
    step = next(one for one in STEPS_DAYS if len(days) <= one * POINTS_AT_MOST)
    points = (
        days.to_frame("day")
        .join(_of_a_day(hours), on="day", how="left")
        .join(
            scored.dt.date().value_counts(name="slots").rename({scored.name: "day"}),
            on="day",
            how="left",
        )
        .sort("day")
        # Counted from the last day on, so that the last point is whole and the end.
        .with_columns(point=(pl.col("day").max() - pl.col("day")).dt.total_days() // step)
        .with_columns(pl.col("earned").forward_fill().fill_null(0.0))
        .group_by("point", maintain_order=True)
        .agg(
            pl.col("day").last(),
            pl.col("earned").last().round(DECIMALS),
            pl.col("fell").max().fill_null(0.0).round(DECIMALS),
            pl.col("slots").sum(),
        )
    )
    return Curve(
        step_days=step,
        days=points["day"].to_list(),
        total_return=points["earned"].to_list(),
        drawdown=points["fell"].to_list(),
        scored_slots=points["slots"].to_list(),
    )


def _days(known: list[date]) -> pl.Series:
    first, last = min(known), max(known)
    return pl.Series([first + timedelta(days=n) for n in range((last - first).days + 1)])


def _of_a_day(hours: pl.DataFrame) -> pl.DataFrame:
    return hours.group_by("day", maintain_order=True).agg(
        pl.col("earned").last(), pl.col("fell").max()
    )
