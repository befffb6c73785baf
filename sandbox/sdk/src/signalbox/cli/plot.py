"""Forecasts in a terminal: the last as a table, all of them as a line of blocks."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from signalbox.forecast import Forecast

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 60
Rows = Sequence[Forecast]


def table(answers: Mapping[datetime, Rows], hours: int) -> Iterator[str]:
    """The last so many hours, a line for each symbol and horizon."""
    newest = sorted(answers)[-hours:]
    first = answers[newest[0]][0] if newest else None
    levels = [f"q{level:g}" for level in (first.quantiles or {})] if first else []
    up = ["up"] if first and first.probability_up is not None else []
    yield _line("as of (UTC)", "symbol", "h", ["point", *levels, *up])
    for hour in newest:
        for row in answers[hour]:
            numbers = [row.point, *(row.quantiles or {}).values()]
            numbers += [row.probability_up] if up and row.probability_up is not None else []
            yield _line(
                f"{hour:%Y-%m-%d %H:%M}", row.symbol, str(row.horizon_hours),
                [f"{number:.6g}" for number in numbers],
            )  # fmt: skip


def plots(answers: Mapping[datetime, Rows]) -> Iterator[str]:
    """For each symbol and horizon all points, oldest first, between their extremes."""
    series: dict[tuple[str, int], list[float]] = {}
    for hour in sorted(answers):
        for row in answers[hour]:
            series.setdefault((row.symbol, row.horizon_hours), []).append(row.point)
    for (symbol, hours), points in series.items():
        low, high = min(points), max(points)
        yield f"{symbol:<10} {hours:>3} h  {sparkline(points)}  {low:.3g} to {high:.3g}"


def sparkline(values: Sequence[float], width: int = WIDTH) -> str:
    """At most `width` blocks, each as high as the mean of its share of the values.

    >>> sparkline([0, 1, 2, 3, 4, 5, 6, 7])
    '▁▂▃▄▅▆▇█'
    >>> sparkline([0.5] * 4)
    '▁▁▁▁'
    """
    columns = min(width, len(values))
    bounds = [round(column * len(values) / columns) for column in range(columns + 1)]
    means = [sum(values[low:high]) / (high - low) for low, high in itertools.pairwise(bounds)]
    low, high = min(means), max(means)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[round((mean - low) * scale)] for mean in means)


def _line(as_of: str, symbol: str, hours: str, numbers: Sequence[str]) -> str:
    return f"{as_of:<16}  {symbol:<10} {hours:>3}  " + " ".join(f"{n:>12}" for n in numbers)
