"""Decisions against bars: what the rule earned, cost and held, hour by hour."""

from datetime import datetime

import polars as pl

from assets.market_data.frames import UTC_TIME
from assets.scores.trading.parameters import RuleParameters

BASIS_POINT = 1e-4

SERIES_SCHEMA: dict[str, pl.DataType] = {
    "hour": UTC_TIME,
    **dict.fromkeys(("gross", "cost", "net", "turnover", "exposure"), pl.Float64()),
}


def held(decided: pl.DataFrame, bars: pl.DataFrame, rule: RuleParameters) -> pl.DataFrame:
    """Each bar from the first decision on, with the position that was held in it.

    p is the position in a bar, p' that in the bar before. The open is where positions change,
    so the way from the last close to the open is p's predecessor's:
    gross = p' (open / last close - 1) + p (close / open - 1).

    Args:
        decided: as `decisions` gives it.
        bars: `instrument_id`, `ts_open`, `open`, `close`: the newest version of each, no gaps
            filled; ascending by `ts_open`.
        rule: its costs.

    Returns:
        The bars with `position`, `gap` and `intra` (gross returns on the way to the open, and
        from there), `turnover` and `cost`, as shares of capital; by instrument and time.
    """
    joined = (
        bars.filter(pl.col("instrument_id").is_in(decided["instrument_id"].unique().implode()))
        .sort("ts_open")
        .join_asof(
            decided.sort("takes_effect"),
            left_on="ts_open",
            right_on="takes_effect",
            by="instrument_id",
            check_sortedness=False,
        )
        .sort("instrument_id", "ts_open")
        .with_columns(pl.col("position").fill_null(0.0))
    )
    before = pl.col("position").shift(1).over("instrument_id").fill_null(0.0)
    last_close = pl.col("close").shift(1).over("instrument_id")
    return (
        joined.with_columns(
            gap=(before * (pl.col("open") / last_close - 1)).fill_null(0.0),
            intra=pl.col("position") * (pl.col("close") / pl.col("open") - 1),
            turnover=(pl.col("position") - before).abs(),
        )
        .with_columns(cost=pl.col("turnover") * rule.cost_bps * BASIS_POINT)
        .filter(pl.col("ts_open") >= decided["takes_effect"].min())
    )


def hourly(bars_held: pl.DataFrame, hours: pl.DataFrame, end: datetime) -> pl.DataFrame:
    """The rule's series, one row an hour.

    An open hour without a bar has returns of 0: what happened in it is in the next bar's way
    to its open.

    Args:
        bars_held: as `held` gives it.
        hours: `hour`: those in which a market is open, from the first decision on.
        end: hours before it, UTC.

    Returns:
        `hour` (UTC, ascending), `gross`, `cost`, `net` (simple returns on the capital at the
        start of the hour), `turnover` (share of capital that changed hands), `exposure` (gross,
        share of capital).
    """
    by_hour = (
        bars_held.group_by("instrument_id", hour=pl.col("ts_open").dt.truncate("1h"))
        .agg(
            gross=(pl.col("gap") + pl.col("intra")).sum(),
            cost=pl.col("cost").sum(),
            turnover=pl.col("turnover").sum(),
            exposure=pl.col("position").abs().mean(),
        )
        .group_by("hour")
        .agg(pl.col("gross", "cost", "turnover", "exposure").sum())
    )
    whole = pl.concat([hours, by_hour.select("hour")]).unique().filter(pl.col("hour") < end)
    return (
        whole.join(by_hour, on="hour", how="left")
        .sort("hour")
        .with_columns(
            pl.col("gross", "cost", "turnover").fill_null(0.0),
            pl.col("exposure").forward_fill().fill_null(0.0),
        )
        .with_columns(net=pl.col("gross") - pl.col("cost"))
        .select(*SERIES_SCHEMA)
    )
