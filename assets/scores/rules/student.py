"""Student's t distribution: the share of it that is farther out than a statistic."""

import math

TINY = 1e-300
PRECISION = 1e-15
MOST_TERMS = 10_000


def two_sided_p(statistic: float, degrees: int) -> float:
    """P(|T| >= |statistic|) for T of Student's distribution.

    Abramowitz and Stegun (1964), 26.7.1, by the regularised incomplete beta function.

    >>> round(two_sided_p(2.0, 10), 6)
    0.073388
    """
    # Of x and 1 - x, the one that is small is computed, never subtracted from 1.
    square = statistic * statistic
    x, rest = degrees / (degrees + square), square / (degrees + square)
    return _incomplete_beta(x, rest, degrees / 2, 0.5)


def _incomplete_beta(x: float, rest: float, a: float, b: float) -> float:
    """I_x(a, b) with rest = 1 - x: A. and S. 26.5.8, by Lentz's method."""
    if x <= 0 or rest <= 0:
        return float(x > 0)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(rest, x, b, a)
    front = math.exp(
        a * math.log(x)
        + b * math.log(rest)
        - (math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b))
    )
    return front / a / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    value, c, d = 1.0, 1.0, 0.0
    for term in range(1, MOST_TERMS):
        m = term // 2
        if term % 2 == 0:
            coefficient = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            coefficient = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / (_away_from_zero(1 + coefficient * d))
        c = _away_from_zero(1 + coefficient / c)
        value *= c * d
        if abs(c * d - 1) < PRECISION:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
