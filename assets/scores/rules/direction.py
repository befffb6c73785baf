"""Was the direction right?"""

import polars as pl


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
