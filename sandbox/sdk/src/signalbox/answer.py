"""Whether a model's answer is one: complete, declared, finite, in order."""

import itertools
import math
from collections.abc import Iterable

from signalbox.forecast import Forecast
from signalbox.manifest import Manifest

MAX_LOG_RETURN = 5.0
MAX_PRICE = 1e12


class InvalidAnswerError(ValueError):
    """The answer breaks a rule; names the first fault."""


class AnswerCheck:
    """The rules that one manifest sets for every answer."""

    def __init__(self, manifest: Manifest) -> None:
        forecast = manifest.forecast
        self._symbols = frozenset(forecast.symbols)
        self._wanted = list(itertools.product(forecast.symbols, forecast.horizons_hours))
        self._declared = frozenset(self._wanted)
        self._levels = forecast.quantiles
        self._level_set = frozenset(forecast.quantiles)
        self._target = forecast.target

    def checked(self, rows: Iterable[Forecast]) -> tuple[Forecast, ...]:
        """The answer in canonical form: manifest order, 6 significant digits.

        Raises:
            InvalidAnswerError: naming the first fault.
        """
        found: dict[tuple[str, int], Forecast] = {}
        for row in rows:
            key = (row.symbol, row.horizon_hours)
            if key not in self._declared:
                raise self._undeclared(row)
            if key in found:
                raise InvalidAnswerError(f"{_name(row)} stands twice")
            found[key] = self._checked_row(row)
        for key in self._wanted:
            if key not in found:
                symbol, hours = key
                raise InvalidAnswerError(f"{symbol} {hours} h is missing; the manifest declares it")
        return tuple([found[key] for key in self._wanted])

    def _undeclared(self, row: Forecast) -> InvalidAnswerError:
        if row.symbol not in self._symbols:
            return InvalidAnswerError(f"symbol {row.symbol[:40]!r} is not in the manifest")
        return InvalidAnswerError(
            f"{row.symbol}: horizon {row.horizon_hours} h is not in the manifest"
        )

    def _checked_row(self, row: Forecast) -> Forecast:
        self._check_value(row, None, row.point)
        levels, quantiles, up = self._levels, None, row.probability_up
        given = row.quantiles or {}
        if given.keys() != self._level_set:
            named = ", ".join(f"{level:g}" for level in levels) or "none"
            raise InvalidAnswerError(f"{_name(row)}: the manifest's quantile levels are {named}")
        if levels:
            for level in levels:
                self._check_value(row, level, given[level])
            for low, high in itertools.pairwise(levels):
                if given[high] < given[low]:
                    raise InvalidAnswerError(f"{_name(row)}: quantile {high:g} lies below {low:g}")
            quantiles = {level: rounded(given[level]) for level in levels}
        if up is not None:
            if not 0.0 <= up <= 1.0:
                raise InvalidAnswerError(f"{_name(row)}: probability_up {up:g} is outside 0 to 1")
            up = rounded(up)
        return Forecast(row.symbol, row.horizon_hours, rounded(row.point), quantiles, up)

    def _check_value(self, row: Forecast, level: float | None, value: float) -> None:
        is_return = self._target == "return"
        # False for NaN and infinity too; what was wrong is found out only then.
        if -MAX_LOG_RETURN <= value <= MAX_LOG_RETURN if is_return else 0.0 < value <= MAX_PRICE:
            return
        what = f"{_name(row)}: {'point' if level is None else f'quantile {level:g}'}"
        if not math.isfinite(value):
            raise InvalidAnswerError(f"{what} is {value}, not a finite number")
        if is_return:
            raise InvalidAnswerError(
                f"{what} {value:g} is no log return (|x| <= {MAX_LOG_RETURN:g})"
            )
        raise InvalidAnswerError(f"{what} {value:g} is no price (0 < x <= {MAX_PRICE:g})")


def rounded(value: float) -> float:
    """To 6 significant digits, and no negative zero.

    >>> rounded(0.123456789), rounded(-0.0)
    (0.123457, 0.0)
    """
    return float("%.6g" % value) + 0.0  # noqa: UP031 - a third faster than format, 45 times a slot


def _name(row: Forecast) -> str:
    return f"{row.symbol} {row.horizon_hours} h"
