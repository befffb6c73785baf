"""How wrong a forecast was: one formula each, written once.

Every rule takes and gives polars expressions. x is the point forecast and y
the outcome, both in the target's unit: a log return over the horizon, or a
price. Lower is better, but for `hit`.
"""

import polars as pl


def error(point: pl.Expr, outcome: pl.Expr) -> pl.Expr:
    """Signed error x - y, in the target's unit: positive where the forecast was too high."""
    return point - outcome


def absolute_error(point: pl.Expr, outcome: pl.Expr) -> pl.Expr:
    """|x - y|, in the target's unit; the median minimises it (Gneiting 2011, table 1)."""
    return error(point, outcome).abs()


def squared_error(point: pl.Expr, outcome: pl.Expr) -> pl.Expr:
    """(x - y)^2, in the target's unit squared; the mean minimises it (Gneiting 2011, table 1)."""
    return error(point, outcome).pow(2)


def hit(point: pl.Expr, outcome: pl.Expr, reference: pl.Expr) -> pl.Expr:
    """Was the direction right? sgn(x - r) = sgn(y - r), as in Pesaran and Timmermann (1992).

    Args:
        point: x.
        outcome: y.
        reference: r, what no change would be: 0 for returns, the close at the
            slot for prices; in the unit of x and y.

    Returns:
        Boolean; null where the forecast or the market had no direction.

    >>> x, y, r = pl.col("x"), pl.col("y"), pl.lit(0.0)
    >>> returns = pl.DataFrame({"x": [0.1, 0.1, 0.0, 0.1], "y": [0.2, -0.2, 0.2, 0.0]})
    >>> returns.select(hit(x, y, r)).to_series().to_list()
    [True, False, None, None]
    """
    said, went = (point - reference).sign(), (outcome - reference).sign()
    return pl.when((said != 0) & (went != 0)).then(said == went)


def pinball(quantile: pl.Expr, outcome: pl.Expr, level: float) -> pl.Expr:
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
