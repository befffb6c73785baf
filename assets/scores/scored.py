"""Scored forecasts as a frame: what every measure of forecasts is computed from."""

import polars as pl

from assets.market_data.frames import UTC_TIME
from assets.scores import rules
from assets.scores.rules.quantiles import PAIRS

FACTS: dict[str, pl.DataType] = {
    "slot": UTC_TIME,
    "horizon_hours": pl.Int32(),
    "point": pl.Float64(),
    "outcome": pl.Float64(),
}
"""What every row has; beside them `instrument_id` or `symbol`."""

SCORES: dict[str, pl.DataType] = {
    "target": pl.String(),
    "reference": pl.Float64(),
    "error": pl.Float64(),
    "absolute_error": pl.Float64(),
    "squared_error": pl.Float64(),
    "symmetric_error": pl.Float64(),
    "hit": pl.Boolean(),
    "scale": pl.Float64(),
    "squared_scale": pl.Float64(),
    "seasonal_naive": pl.Float64(),
    "naive2": pl.Float64(),
    "quantiles": PAIRS,
    "pinball_loss": pl.Float64(),
    "interval_score": pl.Float64(),
    "pit": pl.Float64(),
    "probability_up": pl.Float64(),
    "brier": pl.Float64(),
    "log_score": pl.Float64(),
}
"""What a row may have: columns of `score.score` and `forecast.forecast`, null where unknown."""


def with_scores(forecasts: pl.DataFrame) -> pl.DataFrame:
    """Every score that follows from forecast and outcome alone.

    Args:
        forecasts: `point`, `outcome`, `reference`, `quantiles` (`PAIRS`), `probability_up`; what
            else there is is kept.

    Returns:
        With `error`, `absolute_error` (the target's unit), `squared_error` (its square),
        `symmetric_error`, `hit`, `brier` (shares), `log_score` (nats), `pinball_loss`,
        `interval_score` (the target's unit) and `pit`; null where there is none.
    """
    point, outcome, reference = pl.col("point"), pl.col("outcome"), pl.col("reference")
    said, rose = pl.col("probability_up"), outcome > reference
    return forecasts.with_columns(
        error=rules.error(point, outcome),
        absolute_error=rules.absolute_error(point, outcome),
        squared_error=rules.squared_error(point, outcome),
        symmetric_error=rules.price_symmetric_error(point, outcome, reference),
        hit=rules.hit(point, outcome, reference),
        brier=rules.brier(said, rose),
        log_score=rules.log_score(said, rose),
        **rules.quantile_scores(forecasts).to_dict(),
    )


def checked(scored: pl.DataFrame) -> pl.DataFrame:
    """The columns above, the symbol's under `instrument`.

    What is null or absent, and follows from the rest, is computed: scores of old rows.

    Args:
        scored: a row for each forecast, in its newest score. `quantiles` are pairs, or
            JSON text of them.

    Raises:
        ValueError: a column of `FACTS` is absent, or a value of them null or not finite.
    """
    instrument = next((name for name in ("instrument_id", "symbol") if name in scored.columns), "")
    if absent := [name for name in (*FACTS, instrument) if name not in scored.columns]:
        raise ValueError(f"scored forecasts lack {[name or 'instrument_id' for name in absent]}")
    if "quantiles" in scored.columns and scored.schema["quantiles"] == pl.String:
        scored = scored.with_columns(pl.col("quantiles").str.json_decode(PAIRS))
    frame = scored.select(
        pl.col(instrument).alias("instrument"),
        *(pl.col(name).cast(kind) for name, kind in FACTS.items()),
        *(
            (pl.col(name) if name in scored.columns else pl.lit(None)).cast(kind).alias(name)
            for name, kind in SCORES.items()
        ),
    )
    for name in ("point", "outcome"):
        if not frame.select(pl.col(name).is_finite().fill_null(value=False).all()).item():
            raise ValueError(f"{name} of a scored forecast is null or not finite")
    known = pl.when(pl.col("target") == "return").then(pl.lit(0.0))
    frame = frame.with_columns(pl.coalesce("reference", known).alias("reference"))
    anew = with_scores(frame)
    return frame.with_columns(pl.coalesce(pl.col(name), anew[name]).alias(name) for name in SCORES)
