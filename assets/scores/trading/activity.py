"""How much the rule traded and held."""

import polars as pl

from assets.scores.measure import Measure
from assets.scores.trading.returns import NO_HOURS

SECONDS_A_DAY = 86_400
ACTIVITY_MEASURES = ("turnover_per_day", "exposure", "costs")


def activity_measures(series: pl.DataFrame) -> dict[str, Measure]:
    """Turnover, exposure and what trading cost.

    Args:
        series: as `rule.hourly` gives it.

    Returns:
        `turnover_per_day`: capital that changed hands in a day of the calendar, from the first
        hour to the end of the last; `exposure`: mean gross exposure, share of capital; `costs`:
        sum of what was charged, share of capital.
    """
    hours = len(series)
    if not hours:
        return dict.fromkeys(ACTIVITY_MEASURES, Measure(reason=NO_HOURS))
    spanned = (series["hour"][-1] - series["hour"][0]).total_seconds() + 3600
    return {
        "turnover_per_day": Measure(
            value=float(series["turnover"].sum()) * SECONDS_A_DAY / spanned, count=hours
        ),
        "exposure": Measure(value=float(series["exposure"].to_numpy().mean()), count=hours),
        "costs": Measure(value=float(series["cost"].sum()), count=hours),
    }
