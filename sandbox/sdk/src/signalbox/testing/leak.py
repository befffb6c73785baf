"""The leak report: a model's own answers for a whole history, against those it gives hour by hour.

In lockstep nothing of the future is there to be seen, so peeking can only hide in
answers that are computed for many hours at once, such as a backtest. A model that
defines `forecast_history(window)` hands those over, and they are compared with
what `forecast` answers when each hour is the last it knows.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from signalbox.forecast import Forecast
from signalbox.testing.process import Rows

MAX_NAMED = 20
# Sums in another order differ in the last of six digits; no peek hides below that.
RELATIVE, ABSOLUTE = 1e-5, 1e-9

Verdict = Literal["same", "differs", "not_comparable"]
Cause = Literal["looks_ahead", "whole_history", "longer_past", "unknown"]


class Difference(msgspec.Struct, frozen=True):
    """One number of one row; None where a side has none."""

    as_of: datetime
    symbol: str
    horizon_hours: int
    column: str
    forecast: float | None
    forecast_history: float | None

    def __str__(self) -> str:
        return (
            f"{self.as_of:%Y-%m-%d %H:%M} UTC {self.symbol} {self.horizon_hours} h {self.column}:"
            f" forecast {_text(self.forecast)}, forecast_history {_text(self.forecast_history)}"
        )


class LeakReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the comparison.

    Attributes:
        verdict: `same` speaks of the hours compared, and of nothing else.
        reason: why nothing could be compared; None otherwise.
        hours_compared: how many hours both functions answered.
        hours_differing: in how many of them some row differs.
        rows_differing: how many rows (symbol x horizon) differ in all.
        differences: the first rows that differ, each with its first column that does.
        cause: what a difference comes from, as far as it can be told.
        hours_ahead: for `looks_ahead`, how many hours.
        explanation: cause and remedy, in one sentence.
        bars: what the bars were.
    """

    verdict: Verdict
    reason: str | None = None
    hours_compared: int = 0
    hours_differing: int = 0
    rows_differing: int = 0
    differences: tuple[Difference, ...] = ()
    cause: Cause | None = None
    hours_ahead: int | None = None
    explanation: str | None = None
    bars: str = ""

    def lines(self) -> Iterator[str]:
        """For people: the verdict, then what it rests on."""
        if self.verdict == "not_comparable":
            yield f"not comparable: {self.reason}"
            return
        if self.verdict == "same":
            yield f"{self.hours_compared} hours compared, none differs ({self.bars})"
            return
        yield (
            f"{self.hours_differing} of {self.hours_compared} hours differ,"
            f" {self.rows_differing} rows ({self.bars})"
        )
        yield f"first: {self.differences[0]}"
        yield f"likely cause: {self.explanation}"

    @property
    def summary(self) -> str:
        """The verdict in one line."""
        return next(self.lines())


def not_comparable(reason: str) -> LeakReport:
    """A report of nothing compared. It never counts as clean.

    The reason may be the model's own words; no database keeps a NUL.
    """
    return LeakReport(verdict="not_comparable", reason=reason.replace("\0", "\ufffd"))


def compare(
    lockstep: Mapping[datetime, Rows], recalled: Mapping[datetime, Rows], bars: str
) -> LeakReport:
    """The report of all hours that both have; its cause is not looked for yet."""
    hours = sorted(lockstep.keys() & recalled.keys())
    if not hours:
        return not_comparable(
            "forecast_history left out every hour that was asked for; return a row for each hour"
            " of the window that has lookback_hours before it"
        )
    differences = [
        found for hour in hours for found in differing(hour, lockstep[hour], recalled[hour])
    ]
    return LeakReport(
        verdict="differs" if differences else "same",
        hours_compared=len(hours),
        hours_differing=len({one.as_of for one in differences}),
        rows_differing=len(differences),
        differences=tuple(differences[:MAX_NAMED]),
        bars=bars,
    )


def differing(as_of: datetime, ours: Sequence[Forecast], theirs: Rows) -> list[Difference]:
    """Of each row that differs its first column that does; both in canonical order."""
    found = []
    for left, right in zip(ours, theirs, strict=True):
        there = dict(_columns(right))
        for column, value in _columns(left):
            if not _close(value, there.get(column)):
                found.append(
                    Difference(
                        as_of, left.symbol, left.horizon_hours, column, value, there.get(column)
                    )
                )
                break
    return found


def _columns(row: Forecast) -> Iterator[tuple[str, float | None]]:
    yield "point", row.point
    for level, value in (row.quantiles or {}).items():
        yield f"q{level:g}", value
    yield "probability_up", row.probability_up


def _close(left: float | None, right: float | None) -> bool:
    if left is None or right is None:
        return left is right
    return math.isclose(left, right, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _text(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"
