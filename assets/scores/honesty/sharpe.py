"""How sure a Sharpe ratio is: probabilistic and deflated.

All ratios here are per hour and not annualised: mean over standard deviation of hourly net
returns. Both formulas take hours to be independent; the bootstrap interval does not.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from assets.scores.honesty.bootstrap import Array
from assets.scores.measure import Measure

HOURS_AT_LEAST = 3
NORMAL = NormalDist()
# Below it a spread is rounding: constant returns do not give exactly zero.
NO_SPREAD = 1e-12


def spread(returns: Array) -> float:
    """Standard deviation with T - 1; exactly 0 where it is only rounding."""
    if len(returns) < 2:  # noqa: PLR2004 - one return has no spread
        return 0.0
    deviation = float(np.std(returns, ddof=1))
    return deviation if deviation > NO_SPREAD * float(np.max(np.abs(returns))) else 0.0


def sharpe_per_hour(returns: Array) -> float | None:
    """Mean over standard deviation; None where returns do not vary."""
    deviation = spread(returns)
    return float(np.mean(returns)) / deviation if deviation else None


def probabilistic_sharpe(returns: Array, benchmark: float = 0.0) -> Measure:
    """Probability that the true Sharpe ratio exceeds a benchmark.

    PSR = Z[(SR - SR*) sqrt(T - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2)], with g3 the skewness
    and g4 the kurtosis (3 for a normal); Bailey and Lopez de Prado (2012).

    Args:
        returns: hourly, net.
        benchmark: SR*, per hour.
    """
    observed = sharpe_per_hour(returns)
    hours = len(returns)
    if hours < HOURS_AT_LEAST or observed is None:
        why = "returns do not vary" if hours >= HOURS_AT_LEAST else "fewer than 3 hours"
        return Measure(reason=why, count=hours)
    standard = (returns - returns.mean()) / returns.std()
    skew, kurtosis = float(np.mean(standard**3)), float(np.mean(standard**4))
    variance = 1 - skew * observed + (kurtosis - 1) / 4 * observed**2
    if variance <= 0:
        return Measure(reason="the ratio's variance is not positive", count=hours)
    score = (observed - benchmark) * math.sqrt(hours - 1) / math.sqrt(variance)
    return Measure(value=NORMAL.cdf(score), count=hours)


def expected_maximum(trials: int, variance: float) -> float:
    """The best Sharpe ratio that so many tries without any skill are expected to show.

    SR0 = sqrt(V) ((1 - g) Z^-1(1 - 1/N) + g Z^-1(1 - 1/(N e))), g Euler's constant; Bailey and
    Lopez de Prado (2014).

    Args:
        trials: N; one try is no selection, and gives 0.
        variance: V, of the tries' Sharpe ratios, per hour.

    >>> round(expected_maximum(100, 0.5 / 250), 4)
    0.1132
    """
    if trials <= 1:
        return 0.0
    first = NORMAL.inv_cdf(1 - 1 / trials)
    second = NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * ((1 - np.euler_gamma) * first + np.euler_gamma * second)


def deflated_sharpe(returns: Array, trials: int, known: Sequence[float]) -> Measure:
    """Probability that the true Sharpe ratio is positive, after so many tries.

    PSR at SR* = SR0; Bailey and Lopez de Prado (2014). V is the variance of the
    ratios that are known, and never below 1 / (T - 1), the sampling variance of a ratio of
    zero over T hours: tries that were withdrawn or rejected leave no ratio, but were made.

    Args:
        returns: hourly, net.
        trials: N: every version that the provider ever pushed, of all signals.
        known: Sharpe ratios per hour of those versions that have a record.
    """
    if len(returns) < HOURS_AT_LEAST:
        return Measure(reason="fewer than 3 hours", count=len(returns))
    floor = 1 / (len(returns) - 1)
    seen = float(np.var(known, ddof=1)) if len(known) > 1 else 0.0
    return probabilistic_sharpe(returns, expected_maximum(trials, max(seen, floor)))
