"""What costs nothing to say, for every forecast: the yardstick of skill.

Computed from the closes alone, for exactly the forecasts that are measured, so that no signal
is compared over hours in which the yardstick did not run.
"""

import polars as pl

from assets.scores import rules

BASELINES = ("naive", "seasonal_naive")
SEASON_HOURS = 24


def naive_errors(owed: pl.DataFrame, closes: pl.DataFrame) -> pl.DataFrame:
    """Absolute errors of the naive baselines, and the outcome.

    naive: the close at the slot, so a return of 0. seasonal_naive: the close one day (24 hours)
    before the target, or as many days as make it known at the slot; Hyndman and Athanasopoulos
    (2021), section 5.2. None where the market was shut then.

    Args:
        owed: `slot`, `instrument_id`, `horizon_hours`, `target` (`return` or `price`), and keys,
            which are kept.
        closes: `instrument_id`, `ts_close`, `close`; one of each time.

    Returns:
        Those whose outcome is known, with `outcome`, `naive` and `seasonal_naive` (absolute
        errors, in the target's unit; the second null without a close to go by).
    """
    hours = pl.col("horizon_hours")
    days = (hours + SEASON_HOURS - 1) // SEASON_HOURS
    timed = owed.with_columns(
        target_time=pl.col("slot") + pl.duration(hours=hours),
        season=pl.col("slot") + pl.duration(hours=hours - SEASON_HOURS * days),
    )
    known = closes.select("instrument_id", "ts_close", "close")
    priced = (
        timed.join(
            known.rename({"close": "at_slot"}),
            left_on=["instrument_id", "slot"],
            right_on=["instrument_id", "ts_close"],
        )
        .join(
            known.rename({"close": "at_target"}),
            left_on=["instrument_id", "target_time"],
            right_on=["instrument_id", "ts_close"],
        )
        .join(
            known.rename({"close": "at_season"}),
            left_on=["instrument_id", "season"],
            right_on=["instrument_id", "ts_close"],
            how="left",
        )
    )
    is_return = pl.col("target") == "return"
    naive = pl.when(is_return).then(0.0).otherwise("at_slot")
    seasonal = (
        pl.when(is_return)
        .then((pl.col("at_season") / pl.col("at_slot")).log())
        .otherwise("at_season")
    )
    realised = (pl.col("at_target") / pl.col("at_slot")).log()
    return (
        priced.with_columns(outcome=pl.when(is_return).then(realised).otherwise("at_target"))
        .with_columns(
            naive=rules.absolute_error(naive, pl.col("outcome")),
            seasonal_naive=rules.absolute_error(seasonal, pl.col("outcome")),
        )
        .select(*owed.columns, "outcome", *BASELINES)
    )
