"""Scores of `probability_up`, the probability p that the close rises above the reference.

o is 1 where it rose and 0 where it fell or stayed.
"""

import msgspec
import polars as pl

BINS = 10
CLIP = 1e-6
"""The log score takes p as no nearer to 0 or 1: a sure forecast that fails costs 13.8 nats."""


def brier(probability: pl.Expr, rose: pl.Expr) -> pl.Expr:
    """(p - o)^2, a share in [0, 1]; lower is better (Brier 1950, halved as is usual today)."""
    return (probability - rose.cast(pl.Float64)).pow(2)


def log_score(probability: pl.Expr, rose: pl.Expr) -> pl.Expr:
    """-ln p where it rose, -ln(1 - p) where not, in nats; lower is better (Good 1952).

    p is clipped to [`CLIP`, 1 - `CLIP`].

    >>> frame = pl.DataFrame({"p": [0.5, 0.0], "o": [True, True]})
    >>> [round(x, 4) for x in frame.select(log_score(pl.col("p"), pl.col("o"))).to_series()]
    [0.6931, 13.8155]
    """
    said = probability.clip(CLIP, 1 - CLIP)
    return -pl.when(rose).then(said.log()).otherwise((1 - said).log())


class BrierParts(msgspec.Struct, frozen=True):
    """Murphy's partition of the mean Brier score.

    Attributes:
        reliability: how far what was said is from what came of it; lower is better.
        resolution: how far what came differs between what was said; higher is better.
        uncertainty: of the outcomes themselves.
    """

    reliability: float
    resolution: float
    uncertainty: float


def reliability_table(forecasts: pl.DataFrame) -> pl.DataFrame:
    """What was said against what came of it, by tenths of p.

    Args:
        forecasts: `probability` and `rose` (Boolean), without nulls.

    Returns:
        `bin` (0 to 9; p = 1 belongs to the last), `count`, `probability` (mean of
        what was said), `frequency` (share that rose); bins without forecasts are
        left out.

    >>> said = pl.DataFrame({"probability": [0.72, 0.78, 0.1], "rose": [True, False, False]})
    >>> reliability_table(said).rows()
    [(1, 1, 0.1, 0.0), (7, 2, 0.75, 0.5)]
    """
    # 0.7 * 10 is below 7 for the 0.7 of some computations: said to six digits, so taken to nine.
    bin_ = (pl.col("probability") * BINS).round(9).floor().clip(0, BINS - 1).cast(pl.Int64)
    return (
        forecasts.group_by(bin_.alias("bin"))
        .agg(
            count=pl.len().cast(pl.Int64),
            probability=pl.col("probability").mean(),
            frequency=pl.col("rose").cast(pl.Float64).mean(),
        )
        .sort("bin")
    )


def brier_parts(forecasts: pl.DataFrame) -> BrierParts | None:
    """Reliability, resolution and uncertainty over `reliability_table`.

    Murphy (1973): mean Brier score = reliability - resolution + uncertainty. That is
    exact where the forecasts of a bin are equal; where they differ within it, the
    difference is what varies within bins (Stephenson, Coelho and Jolliffe 2008).

    Args:
        forecasts: as of `reliability_table`.

    Returns:
        None where there are no forecasts.
    """
    if forecasts.is_empty():
        return None
    table = reliability_table(forecasts)
    base = float(forecasts["rose"].cast(pl.Float64).mean())  # type: ignore[arg-type]
    total = len(forecasts)

    def weighted(term: pl.Expr) -> float:
        return float(table.select((pl.col("count") * term).sum()).item()) / total

    return BrierParts(
        reliability=weighted((pl.col("probability") - pl.col("frequency")).pow(2)),
        resolution=weighted((pl.col("frequency") - base).pow(2)),
        uncertainty=base * (1 - base),
    )
