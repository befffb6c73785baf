"""What a series of hourly returns comes to.

Simple net returns, one an hour; T of them. The rate without risk is 0. H is how many hours of
the series' market there are in a year (`hours.hours_per_year`): nothing assumes 252 days.
"""

import math

import numpy as np
import polars as pl

from assets.scores.honesty.bootstrap import Array, Statistic, interval
from assets.scores.honesty.sharpe import sharpe_per_hour, spread
from assets.scores.measure import Measure
from assets.scores.trading.drawdown import wealth

HOURS_TO_ANNUALISE = 100
NO_HOURS = "no hour in this period"
RETURN_MEASURES = (
    "total_return",
    "annualised_return",
    "volatility",
    "sharpe",
    "sortino",
    "calmar",
    "max_drawdown",
)


def return_measures(series: pl.DataFrame, per_year: float, block: int) -> dict[str, Measure]:
    """Return, risk and their ratios.

    Args:
        series: `net`, ascending by hour.
        per_year: H.
        block: of the bootstrap, in hours.
    """
    net = series["net"].to_numpy()
    if not len(net):
        return dict.fromkeys(RETURN_MEASURES, Measure(reason=NO_HOURS))
    return {
        "total_return": total_return(net, block),
        "annualised_return": annualised_return(net, per_year, block),
        "volatility": volatility(net, per_year, block),
        "sharpe": sharpe(net, per_year, block),
        "sortino": sortino(net, per_year, block),
        "calmar": calmar(net, per_year),
        "max_drawdown": Measure(value=_depth(net), count=len(net)),
    }


def total_return(net: Array, block: int) -> Measure:
    """prod(1 + r) - 1, a share of the capital at the start."""
    if np.any(net <= -1):
        return Measure(value=-1.0, count=len(net))
    return _measure(
        math.expm1(float(np.log1p(net).sum())), np.log1p(net)[:, None], _grown(1.0), block
    )


def annualised_return(net: Array, per_year: float, block: int) -> Measure:
    """prod(1 + r)^(H / T) - 1, a share a year."""
    hours = len(net)
    if hours < HOURS_TO_ANNUALISE:
        return Measure(reason=f"fewer than {HOURS_TO_ANNUALISE} hours", count=hours)
    if np.any(net <= -1):
        return Measure(value=-1.0, count=hours)
    exponent = per_year / hours
    grown = float(np.log1p(net).sum()) * exponent
    if grown > math.log(np.finfo(np.float64).max):
        return Measure(reason="too large a number", count=hours)
    return _measure(math.expm1(grown), np.log1p(net)[:, None], _grown(exponent), block)


def volatility(net: Array, per_year: float, block: int) -> Measure:
    """std(r) sqrt(H), with T - 1; a share, for a year."""
    hours = len(net)
    if hours < 2:  # noqa: PLR2004 - one return has no spread
        return Measure(reason="fewer than 2 hours", count=hours)

    def of(sums: Array) -> Array:
        return _deviation(sums, hours) * math.sqrt(per_year)

    return _measure(spread(net) * math.sqrt(per_year), _moments(net), of, block)


def sharpe(net: Array, per_year: float, block: int) -> Measure:
    """mean(r) / std(r) sqrt(H); Sharpe (1994), without a rate without risk."""
    hours, ratio = len(net), sharpe_per_hour(net)
    if ratio is None:
        why = "returns do not vary" if hours > 1 else "fewer than 2 hours"
        return Measure(reason=why, count=hours)

    def of(sums: Array) -> Array:
        return sums[:, 0] / hours / _deviation(sums, hours) * math.sqrt(per_year)

    return _measure(ratio * math.sqrt(per_year), _moments(net), of, block)


def sortino(net: Array, per_year: float, block: int) -> Measure:
    """mean(r) sqrt(H) / sqrt(mean(min(r, 0)^2)); Sortino and Price (1994), target 0."""
    hours = len(net)
    below = np.minimum(net, 0) ** 2
    if not below.any():
        return Measure(reason="no hour lost", count=hours)

    def of(sums: Array) -> Array:
        downside: Array = np.sqrt(np.maximum(sums[:, 1], 0) / hours)
        return sums[:, 0] / hours / downside * math.sqrt(per_year)

    terms = np.column_stack((net, below))
    return _measure(float(of(terms.sum(axis=0)[None])[0]), terms, of, block)


def calmar(net: Array, per_year: float) -> Measure:
    """Annualised return over max drawdown; Young (1991), over the whole period."""
    yearly, depth = annualised_return(net, per_year, len(net)), _depth(net)
    if yearly.value is None:
        return Measure(reason=yearly.reason, count=len(net))
    if depth == 0:
        return Measure(reason="it never fell", count=len(net))
    return Measure(value=yearly.value / depth, count=len(net))


def _depth(net: Array) -> float:
    path = wealth(net)
    return float(np.max(1 - path / np.maximum.accumulate(path)))


def _moments(net: Array) -> Array:
    # Around the mean: far smaller numbers, and the same deviation. The mean goes with them.
    return np.column_stack((net, (net - net.mean()) ** 2, net - net.mean()))


def _deviation(sums: Array, hours: int) -> Array:
    about = sums[:, 1] - sums[:, 2] ** 2 / hours
    deviation: Array = np.sqrt(np.maximum(about, 0) / (hours - 1))
    return np.where(deviation > 0, deviation, np.nan)


def _grown(exponent: float) -> Statistic:
    def of(sums: Array) -> Array:
        return np.expm1(sums[:, 0] * exponent)

    return of


def _measure(value: float, terms: Array, statistic: Statistic, block: int) -> Measure:
    ends = interval(terms, statistic, block)
    low, high = ends or (None, None)
    return Measure(value=value, count=len(terms), low=low, high=high)
