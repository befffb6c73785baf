"""Trades: from where a symbol's position takes a side to where it leaves it."""

import polars as pl

from assets.scores.measure import Measure


def closed_trades(bars_held: pl.DataFrame) -> pl.DataFrame:
    """The trades that were closed.

    A trade is a longest run of bars of one instrument on one side. Its net return is what
    it earned, the way to the open at which it was left included, less what getting in, every
    change of size and getting out cost, as a share of capital.

    Args:
        bars_held: as `rule.held` gives it: by instrument and time.

    Returns:
        `instrument_id`, `opened_at` and `closed_at` (opens of the bars, UTC), `net`.
    """
    side, of = pl.col("position").sign(), "instrument_id"
    rate = pl.when(pl.col("turnover") > 0).then(pl.col("cost") / pl.col("turnover"))
    before = pl.col("position").shift(1).over(of).fill_null(0.0)
    leaves = before.sign() != side
    in_part = pl.when(leaves).then(pl.col("position").abs()).otherwise(pl.col("turnover"))
    marked = bars_held.with_columns(
        trade=side.rle_id().over(of),
        cost_here=(in_part * rate).fill_null(0.0),
        # The next bar's way to its open, and what leaving there costs, are this trade's.
        gap_after=pl.col("gap").shift(-1).over(of).fill_null(0.0),
        cost_after=(pl.when(leaves).then(before.abs() * rate)).shift(-1).over(of).fill_null(0.0),
        left_at=pl.col("ts_open").shift(-1).over(of),
    )
    net = pl.col("intra") + pl.col("gap_after") - pl.col("cost_here") - pl.col("cost_after")
    return (
        marked.filter(side != 0)
        .group_by(of, "trade")
        .agg(
            opened_at=pl.col("ts_open").min(),
            closed_at=pl.col("left_at").sort_by("ts_open").last(),
            net=net.sum(),
        )
        .filter(pl.col("closed_at").is_not_null())
        .select(of, "opened_at", "closed_at", "net")
        .sort("closed_at", of)
    )


def trade_hit_rate(trades: pl.DataFrame) -> Measure:
    """Share of closed trades that earned more than they cost."""
    if trades.is_empty():
        return Measure(reason="no trade was closed")
    return Measure(value=float((trades["net"] > 0).sum()) / len(trades), count=len(trades))
