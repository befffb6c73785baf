"""Whether a model's answer is one: complete, declared, finite, in order."""

import itertools
import math
from collections.abc import Iterable

from sandbox.runner.errors import Missed
from signalbox import Forecast, Manifest

MAX_LOG_RETURN = 5.0
MAX_PRICE = 1e12


def checked(rows: Iterable[Forecast], manifest: Manifest) -> tuple[Forecast, ...]:
    """The answer in canonical form: manifest order, 6 significant digits.

    Raises:
        Missed: `invalid`, naming the first fault.

    >>> rounded(0.123456789), rounded(-0.0)
    (0.123457, 0.0)
    """
    found: dict[tuple[str, int], Forecast] = {}
    for row in rows:
        _check_declared(row, manifest)
        key = (row.symbol, row.horizon_hours)
        if key in found:
            raise Missed("invalid", f"{_name(row)} stands twice")
        found[key] = _checked_row(row, manifest)
    forecast = manifest.forecast
    wanted = list(itertools.product(forecast.symbols, forecast.horizons_hours))
    for symbol, hours in wanted:
        if (symbol, hours) not in found:
            raise Missed("invalid", f"{symbol} {hours} h is missing; the manifest declares it")
    return tuple(found[key] for key in wanted)


def rounded(value: float) -> float:
    """To 6 significant digits, and no negative zero."""
    return float(f"{value:.6g}") + 0.0


def _check_declared(row: Forecast, manifest: Manifest) -> None:
    forecast = manifest.forecast
    if row.symbol not in forecast.symbols:
        raise Missed("invalid", f"symbol {row.symbol[:40]!r} is not in the manifest")
    if row.horizon_hours not in forecast.horizons_hours:
        raise Missed(
            "invalid", f"{row.symbol}: horizon {row.horizon_hours} h is not in the manifest"
        )


def _checked_row(row: Forecast, manifest: Manifest) -> Forecast:
    target = manifest.forecast.target
    _check_value(row, "point", row.point, target)
    levels = manifest.forecast.quantiles
    given = row.quantiles or {}
    if set(given) != set(levels):
        named = ", ".join(f"{level:g}" for level in levels) or "none"
        raise Missed("invalid", f"{_name(row)}: the manifest's quantile levels are {named}")
    for level in levels:
        _check_value(row, f"quantile {level:g}", given[level], target)
    for low, high in itertools.pairwise(levels):
        if given[high] < given[low]:
            raise Missed("invalid", f"{_name(row)}: quantile {high:g} lies below {low:g}")
    up = row.probability_up
    if up is not None and not 0.0 <= up <= 1.0:
        raise Missed("invalid", f"{_name(row)}: probability_up {up:g} is outside 0 to 1")
    return Forecast(
        symbol=row.symbol,
        horizon_hours=row.horizon_hours,
        point=rounded(row.point),
        quantiles={level: rounded(given[level]) for level in levels} if levels else None,
        probability_up=None if up is None else rounded(up),
    )


def _check_value(row: Forecast, what: str, value: float, target: str) -> None:
    if not math.isfinite(value):
        raise Missed("invalid", f"{_name(row)}: {what} is {value}, not a finite number")
    if target == "return" and abs(value) > MAX_LOG_RETURN:
        raise Missed(
            "invalid",
            f"{_name(row)}: {what} {value:g} is no log return (|x| <= {MAX_LOG_RETURN:g})",
        )
    if target == "price" and not 0.0 < value <= MAX_PRICE:
        raise Missed(
            "invalid", f"{_name(row)}: {what} {value:g} is no price (0 < x <= {MAX_PRICE:g})"
        )


def _name(row: Forecast) -> str:
    return f"{row.symbol} {row.horizon_hours} h"
