"""Errors of point forecasts. Lower is better."""

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


def symmetric_error(point: pl.Expr, outcome: pl.Expr) -> pl.Expr:
    """2 |x - y| / (|x| + |y|), a share in [0, 2]; null where both are 0.

    The term of sMAPE as in the M4 competition (Makridakis, Spiliotis and
    Assimakopoulos 2020), without its factor 100. Take prices: of
    returns, whose zero is no scale's, it says nothing.

    >>> frame = pl.DataFrame({"x": [1.0, 0.0, 0.0], "y": [3.0, 2.0, 0.0]})
    >>> frame.select(symmetric_error(pl.col("x"), pl.col("y"))).to_series().to_list()
    [1.0, 2.0, None]
    """
    size = point.abs() + outcome.abs()
    return pl.when(size != 0).then(2 * absolute_error(point, outcome) / size)


def price_symmetric_error(point: pl.Expr, outcome: pl.Expr, reference: pl.Expr) -> pl.Expr:
    """`symmetric_error` of prices, for either target.

    A log return x says the price c e^x for the close c at the slot, and c cancels:
    2 |e^x - e^y| / (e^x + e^y) = 2 tanh(|x - y| / 2).

    Args:
        point: x.
        outcome: y.
        reference: r, 0 for returns; a price never is.
    """
    of_returns = 2 * (absolute_error(point, outcome) / 2).tanh()
    of_prices = symmetric_error(point, outcome)
    return pl.when(reference == 0).then(of_returns).when(reference != 0).then(of_prices)
