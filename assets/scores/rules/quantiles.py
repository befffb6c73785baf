"""Scores of forecasts by quantiles. Lower is better, but for coverage and PIT, which are to fit.

A distribution is known at the levels that its provider named, and nowhere else: what
is said between them is interpolated, and what lies outside them is not extrapolated.
"""

import polars as pl

PAIRS = pl.List(pl.List(pl.Float64()))
"""Quantiles of a forecast: [level, value] pairs, in the order of their levels."""

TOLERANCE = 1e-9
"""Levels a and b are symmetric where |a + b - 1| is below: 0.1 + 0.9 is not 1 in binary."""


def pinball(quantile: pl.Expr, outcome: pl.Expr, level: float | pl.Expr) -> pl.Expr:
    """Quantile loss (1{y <= q} - a)(q - y), in the target's unit.

    Koenker and Bassett (1978); consistent for the a-quantile (Gneiting 2011,
    section 3.3). At a = 0.5 it is half the absolute error.

    Args:
        quantile: q, the forecast of the quantile.
        outcome: y.
        level: a, in (0, 1).

    >>> q, y = pl.col("q"), pl.col("y")
    >>> frame = pl.DataFrame({"q": [1.0, 1.0], "y": [3.0, 0.0]})
    >>> frame.select(pinball(q, y, 0.75)).to_series().to_list()
    [1.5, 0.25]
    """
    above = quantile - outcome
    return pl.when(above >= 0).then((1 - level) * above).otherwise(-level * above)


def interval_score(lower: pl.Expr, upper: pl.Expr, outcome: pl.Expr, alpha: pl.Expr) -> pl.Expr:
    """(u - l) + 2/alpha (l - y) where y < l, + 2/alpha (y - u) where y > u; the target's unit.

    Winkler (1972); Gneiting and Raftery (2007), equation 43, for the central
    1 - alpha interval [l, u].
    """
    outside = pl.max_horizontal(lower - outcome, outcome - upper, pl.lit(0.0))
    return (upper - lower) + 2 / alpha * outside


def quantile_scores(forecasts: pl.DataFrame) -> pl.DataFrame:
    """Every score of forecasts by quantiles, a row for each row given.

    Args:
        forecasts: `quantiles` (`PAIRS`, null where a forecast has none) and `outcome`.

    Returns:
        `pinball_loss`: mean quantile loss over the levels given, the target's unit;
        twice that is the estimate of CRPS from quantiles (Laio and Tamea 2007;
        as `crps_quantile` of scoringrules: every level counts the same,
        however unevenly they are spaced). `interval_score`: of the widest pair of levels
        that is symmetric about 0.5; null where there is none. `pit`: F(y), by
        linear interpolation between quantiles; the middle of the levels where
        several quantiles equal y; below the lowest level a it is a / 2, above
        the highest b it is (1 + b) / 2: the middle of what is left (Gneiting,
        Balabdaoui and Raftery 2007, section 3.1). Null where there are no quantiles.

    >>> pairs = [[0.25, 1.0], [0.75, 3.0]]
    >>> given = pl.DataFrame({"quantiles": [pairs, None], "outcome": [2.0, 2.0]})
    >>> quantile_scores(given).rows()
    [(0.25, 2.0, 0.5), (None, None, None)]
    """
    numbered = forecasts.select(
        pl.col("quantiles").cast(PAIRS), "outcome", row=pl.int_range(pl.len(), dtype=pl.Int64)
    )
    long = (
        numbered.filter(pl.col("quantiles").list.len() > 0)
        .explode("quantiles")
        .with_columns(level=pl.col("quantiles").list.get(0), value=pl.col("quantiles").list.get(1))
    )
    loss = pinball(pl.col("value"), pl.col("outcome"), pl.col("level"))
    scores = (
        long.with_columns(pinball_loss=loss, **_sides())
        .group_by("row")
        .agg(
            pl.col("outcome").first(),
            pl.col("pinball_loss").mean(),
            pl.col("below", "low", "equal_max").max(),
            pl.col("above", "high", "equal_min").min(),
        )
        .select("row", "pinball_loss", pit=_pit())
    )
    return (
        numbered.select("row")
        .join(scores, on="row", how="left", maintain_order="left")
        .join(_widest_intervals(long), on="row", how="left", maintain_order="left")
        .select("pinball_loss", "interval_score", "pit")
    )


def widest_pair(levels: list[float]) -> tuple[float, float] | None:
    """The lowest level with a symmetric partner, and the partner.

    >>> widest_pair([0.05, 0.1, 0.5, 0.9]), widest_pair([0.1, 0.5])
    ((0.1, 0.9), None)
    """
    for low in sorted(levels):
        for high in levels:
            if low < high and abs(low + high - 1) < TOLERANCE:
                return low, high
    return None


def _sides() -> dict[str, pl.Expr]:
    """Level and value of each quantile, by the side of the outcome that it is on."""
    level, value, outcome = pl.col("level"), pl.col("value"), pl.col("outcome")
    equal = pl.when(value == outcome).then(level)
    return {
        "below": pl.when(value < outcome).then(level),
        "low": pl.when(value < outcome).then(value),
        "above": pl.when(value > outcome).then(level),
        "high": pl.when(value > outcome).then(value),
        "equal_min": equal,
        "equal_max": equal,
    }


def _pit() -> pl.Expr:
    below, above, low, high = (pl.col(name) for name in ("below", "above", "low", "high"))
    between = below + (above - below) * (pl.col("outcome") - low) / (high - low)
    return (
        pl.when(pl.col("equal_min").is_not_null())
        .then((pl.col("equal_min") + pl.col("equal_max")) / 2)
        .when(below.is_null())
        .then(above / 2)
        .when(above.is_null())
        .then((1 + below) / 2)
        .otherwise(between)
    )


def _widest_intervals(long: pl.DataFrame) -> pl.DataFrame:
    sides = long.select(
        "row", "level", "value", "outcome",
        pair=((pl.min_horizontal(pl.col("level"), 1 - pl.col("level")) / TOLERANCE)
              .round().cast(pl.Int64)),
    )  # fmt: skip
    lower = sides.filter(pl.col("level") < 0.5 - TOLERANCE)
    upper = sides.filter(pl.col("level") > 0.5 + TOLERANCE)
    return (
        lower.join(upper.select("row", "pair", upper="value"), on=["row", "pair"])
        .sort("row", "level")
        .unique("row", keep="first", maintain_order=True)
        .select(
            "row",
            interval_score=interval_score(
                pl.col("value"), pl.col("upper"), pl.col("outcome"), 2 * pl.col("level")
            ),
        )
    )
