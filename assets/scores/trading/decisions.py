"""Which position each slot asked for, and from when on."""

from datetime import datetime, timedelta

import polars as pl

from assets.market_data.frames import UTC_TIME
from assets.scores.trading.parameters import RuleParameters

HOUR = timedelta(hours=1)


def decisions(
    answers: pl.DataFrame, first: datetime, end: datetime, rule: RuleParameters
) -> pl.DataFrame:
    """One decision per slot in `[first, end)` and instrument: what was answered, else flat.

    Args:
        answers: of slots that count, each instrument once: `slot`, `available_at` (UTC),
            `instrument_id`, `direction` (-1, 0, 1), `symbols` (how many the version has).
        first: first slot, UTC.
        end: slots before it, UTC.
        rule: its delay and deadline.

    Returns:
        `instrument_id`, `takes_effect` (UTC), `position` (share of capital), sorted by time.
    """
    slots = pl.select(
        slot=pl.datetime_range(first, end, "1h", closed="left", time_zone="UTC", time_unit="us")
    )
    grid = slots.join(answers.select("instrument_id").unique(), how="cross")
    available = pl.coalesce(
        "available_at", pl.col("slot") + timedelta(minutes=rule.deadline_minutes)
    )
    position = pl.col("direction") / pl.col("symbols")
    return (
        grid.join(answers, on=["slot", "instrument_id"], how="left")
        .select(
            "instrument_id",
            takes_effect=(available + timedelta(hours=rule.delay_hours)).cast(UTC_TIME),
            position=position.fill_null(0.0).cast(pl.Float64),
        )
        .sort("takes_effect", "instrument_id")
    )


def directions(forecasts: pl.DataFrame) -> pl.DataFrame:
    """The direction of each slot's forecast of the shortest horizon.

    Args:
        forecasts: `slot`, `available_at`, `instrument_id`, `horizon_hours`, `symbols`, and
            `point` and `reference` in one unit; `reference` is what no change would be, as
            known at the slot: 0 for returns, the last close for prices.

    Returns:
        What `decisions` takes as its answers. No reference, no direction.
    """
    shortest = pl.col("horizon_hours") == pl.col("horizon_hours").min().over(
        "slot", "instrument_id"
    )
    direction = (pl.col("point") - pl.col("reference")).sign().fill_nan(None).fill_null(0.0)
    return forecasts.filter(shortest).select(
        "slot", "available_at", "instrument_id", "symbols", direction=direction
    )
