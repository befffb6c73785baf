"""One signal's losses against another's, over what both forecast."""

from typing import Literal

import polars as pl

from assets.scores.forecast_measures import mean
from assets.scores.measure import Measure
from assets.scores.rules.comparison import Comparison, diebold_mariano
from assets.scores.scored import checked

KEYS = ["slot", "instrument", "horizon_hours"]
LOSSES = ("absolute_error", "squared_error", "pinball_loss", "interval_score", "brier", "log_score")


def skill(
    scored: pl.DataFrame, baseline_scored: pl.DataFrame, loss: str = "absolute_error"
) -> Measure:
    """1 - mean loss / mean loss of the baseline, over the forecasts that both made.

    Murphy (1988); above 0 beats the baseline, 1 is perfect.

    Args:
        scored: as of `forecast_measures`, of one signal.
        baseline_scored: of another, over the same period.
        loss: one of `LOSSES`.

    Returns:
        `count` is how many (slot, instrument, horizon) are common; no value, with the reason,
        where there are none, where they forecast different targets, or where the baseline
        was right to the last digit.

    Raises:
        ValueError: as of `forecast_measures`, or another loss.
    """
    common = _common(scored, baseline_scored, loss)
    if isinstance(common, str):
        return Measure(reason=common)
    of_one, of_other = (mean(common, pl.col(name), "") for name in ("loss", "other"))
    if of_one.value is None or of_other.value is None:
        return Measure(reason=of_one.reason or of_other.reason, count=len(common))
    if of_other.value == 0:
        return Measure(reason="the baseline was right to the last digit", count=len(common))
    return Measure(value=1 - of_one.value / of_other.value, count=len(common))


def rival(scored: pl.DataFrame, name: Literal["naive", "seasonal_naive", "naive2"]) -> pl.DataFrame:
    """What a naive forecast would have scored at the very same slots, symbols and horizons.

    For `skill` where no baseline signal forecast them: every score holds its naive rivals.

    Args:
        scored: as of `forecast_measures`.
        name: of the rival; `naive` is no change.

    Returns:
        Scored point forecasts of those where the rival is known.

    Raises:
        ValueError: as of `forecast_measures`.
    """
    frame = checked(scored)
    point = "reference" if name == "naive" else name
    return frame.drop_nulls(point).select(
        "slot", pl.col("instrument").alias("instrument_id"), "horizon_hours", "outcome",
        "target", "reference", "scale", "squared_scale", "seasonal_naive", "naive2",
        point=pl.col(point),
    )  # fmt: skip


def equal_accuracy(
    scored: pl.DataFrame,
    baseline_scored: pl.DataFrame,
    horizon_hours: int,
    loss: str = "absolute_error",
) -> Comparison:
    """Diebold and Mariano's test at one horizon; `count` is of slots that both scored.

    Losses of several symbols at one slot are averaged first: they move together, and are
    not so many trials. Slots are taken as one an hour; what lies between two is not seen.

    Args:
        scored: as of `forecast_measures`, of one signal.
        baseline_scored: of another, over the same period.
        horizon_hours: which forecasts.
        loss: one of `LOSSES`.

    Raises:
        ValueError: as of `skill`.
    """
    common = _common(scored, baseline_scored, loss)
    if isinstance(common, str):
        return Comparison(reason=common)
    slots = (
        common.filter(pl.col("horizon_hours") == horizon_hours)
        .group_by("slot")
        .agg(pl.col("loss", "other").mean())
        .sort("slot")
    )
    return diebold_mariano(slots["loss"].to_numpy(), slots["other"].to_numpy(), horizon_hours)


def _common(scored: pl.DataFrame, baseline: pl.DataFrame, loss: str) -> pl.DataFrame | str:
    """`loss` and `other` of the forecasts that both made, or why there is nothing."""
    if loss not in LOSSES:
        raise ValueError(f"no loss {loss!r}; there are {', '.join(LOSSES)}")
    mine, theirs = (checked(frame).drop_nulls(loss) for frame in (scored, baseline))
    targets = pl.concat([mine["target"], theirs["target"]]).drop_nulls().unique().to_list()
    if len(targets) > 1:
        return f"one forecasts {' and the other '.join(sorted(targets))}"
    common = mine.select(*KEYS, loss=loss).join(theirs.select(*KEYS, other=loss), on=KEYS)
    return "no forecast of the same slot, symbol and horizon" if common.is_empty() else common
