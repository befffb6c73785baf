"""What `forecast_history` returned, by the hour it speaks of.

Either pairs `(as_of, Forecast)`, or a polars or pandas frame with the columns
`as_of`, `symbol`, `horizon_hours`, `point`, one `q<level>` per quantile, and
`probability_up` if the model has one. A row whose point is missing (None or NaN),
as at the edge of a rolling mean, says that the model has no answer there.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from signalbox import Forecast, Window

Answers = dict[datetime, list[Forecast]]
Pair = tuple[datetime, Forecast]

PAIR = 2
COLUMNS = ("as_of", "symbol", "horizon_hours", "point")


class WrongHistoryError(TypeError):
    """`forecast_history` returned neither pairs nor such a frame."""


class AnswersOf:
    """Calls a model's `forecast_history`, and files its answers."""

    def __init__(
        self, history: Callable[[Window], object], levels: Sequence[float], answers: Answers
    ) -> None:
        self._history = history
        self._levels = levels
        self._answers = answers

    def __call__(self, window: Window) -> int:
        """Take the place of all answers before; how many hours there are now.

        Raises:
            WrongHistoryError: the answers cannot be read.
        """
        returned = self._history(window)
        self._answers.clear()
        pairs = self._frame(returned) if hasattr(returned, "columns") else _pairs(returned)
        for as_of, row in pairs:
            if row.point is not None and not math.isnan(row.point):
                self._answers.setdefault(_instant(as_of), []).append(row)
        return len(self._answers)

    def _frame(self, frame: Any) -> Iterator[Pair]:
        names = [str(name) for name in frame.columns]
        for name in COLUMNS:
            if name not in names:
                raise WrongHistoryError(
                    f"forecast_history returned a frame without {name}; it has {', '.join(names)}"
                )
        levels = {name: float(name[1:]) for name in names if _is_level(name)}
        missing = [level for level in self._levels if level not in levels.values()]
        if missing:
            raise WrongHistoryError(f"forecast_history returned a frame without q{missing[0]:g}")
        up = frame["probability_up"].to_list() if "probability_up" in names else None
        quantiles = {level: frame[name].to_list() for name, level in levels.items()}
        columns = [frame[name].to_list() for name in COLUMNS]
        for number, (as_of, symbol, hours, point) in enumerate(zip(*columns, strict=True)):
            values = {level: column[number] for level, column in quantiles.items()}
            yield as_of, Forecast(symbol, hours, point, values or None, up and up[number])


def _is_level(name: str) -> bool:
    return name[:1] == "q" and name[1:].replace(".", "", 1).isdigit()


def _pairs(returned: object) -> Iterator[Pair]:
    if not isinstance(returned, Iterable):
        raise WrongHistoryError(
            f"forecast_history returned {type(returned).__name__}; return pairs (as_of, Forecast)"
            " or a frame"
        )
    for pair in returned:
        if not (isinstance(pair, tuple) and len(pair) == PAIR):
            raise WrongHistoryError(
                f"forecast_history returned {type(pair).__name__} where a pair"
                " (as_of, Forecast) belongs"
            )
        if not isinstance(pair[1], Forecast):
            raise WrongHistoryError(
                f"forecast_history returned a pair with {type(pair[1]).__name__} where a Forecast"
                " belongs"
            )
        yield pair


def _instant(as_of: object) -> datetime:
    if not isinstance(as_of, datetime) or as_of.tzinfo is None:
        raise WrongHistoryError(
            f"as_of {as_of!r} is no time with a time zone; it is ts_open of an hour's last bar"
            " plus one hour, UTC"
        )
    return as_of.astimezone(UTC)
