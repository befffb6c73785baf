"""Did forecasts and outcomes move together? Shares in [-1, 1]; higher is better.

Said x and came y are moves from the reference, so that price forecasts are not
credited with the price they started from.
"""

import polars as pl

FEWEST = 3
"""Of two pairs every correlation is 1 or -1."""


def moves(value: pl.Expr, reference: pl.Expr) -> pl.Expr:
    """The move from the reference: a price's as a share of it, a return itself."""
    return pl.when(reference == 0).then(value).otherwise(value / reference - 1)


def correlations(pairs: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """Pearson's and Spearman's correlation of x and y in each group.

    Pearson (1895); Spearman (1904): that of the ranks, ties by their middle rank.

    Args:
        pairs: `x`, `y` without nulls, and the columns `by`.
        by: what makes a group.

    Returns:
        `by`, `count`, `pearson` and `spearman`: null where the group has fewer than
        `FEWEST` pairs, or one side does not vary.

    >>> pairs = pl.DataFrame({"g": [1] * 4, "x": [1.0, 2.0, 3.0, 4.0], "y": [1.0, 2.0, 3.0, 9.0]})
    >>> [round(x, 4) for x in correlations(pairs, ["g"]).row(0)]
    [1, 4, 0.898, 1.0]
    """
    grouped = pairs.group_by(by, maintain_order=True).agg(
        count=pl.len().cast(pl.Int64),
        pearson=pl.corr("x", "y"),
        spearman=pl.corr(pl.col("x").rank("average"), pl.col("y").rank("average")),
        # A constant's variance may be a residue of its rounding; its range is 0.
        varies=(pl.col("x").max() > pl.col("x").min()) & (pl.col("y").max() > pl.col("y").min()),
    )
    known = pl.col("varies") & (pl.col("count") >= FEWEST)
    return grouped.select(
        *by,
        "count",
        *(
            pl.when(known & pl.col(name).is_finite()).then(pl.col(name).clip(-1, 1)).alias(name)
            for name in ("pearson", "spearman")
        ),
    )


def information_ratio(coefficients: pl.Series) -> float | None:
    """ICIR: mean of the information coefficients over their standard deviation (ddof 1).

    Grinold and Kahn (2000), chapter 6, without their square root of the breadth.

    Returns:
        None for fewer than two, or where they do not vary.

    >>> round(information_ratio(pl.Series([0.1, 0.3])), 6)
    1.414214
    """
    known = coefficients.drop_nulls()
    if len(known) < 2 or known.max() == known.min():  # noqa: PLR2004 - a deviation takes two
        return None
    return float(known.mean() / known.std())  # type: ignore[operator, arg-type]
