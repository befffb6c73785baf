"""What two symbols' bars say about each other: a copy, another zone, another side.

Second sources of one market share the name before the dot: `EURUSD` and
`EURUSD.FXCM`. A copy may hide behind any two names.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import combinations

import polars as pl

from assets.market_data.checks import NAMED_HOURS, CheckResult
from assets.market_data.frames import PRICES

COPY_SHARE = 0.95
COPY_BARS = 100
LARGEST_LAG_HOURS = 12
LAG_BARS = 100
LAG_CORRELATION = 0.5
SIDE_SHARE = 0.95
SIDE_BARS = 500

Bars = Mapping[str, pl.DataFrame]
Comparison = Callable[[pl.DataFrame, pl.DataFrame], str]


def market_of(symbol: str) -> str:
    """The name before the dot.

    >>> market_of("EURUSD.FXCM")
    'EURUSD'
    """
    return symbol.partition(".")[0]


def copies(bars: Bars) -> dict[str, CheckResult]:
    """Which symbols carry one series: 95 % of their common hours are equal bars?

    The hours in which such a pair differs are named: one of the two is wrong.
    """
    moving = [
        frame.filter(pl.col("high") > pl.col("low")).select(
            pl.lit(symbol).alias("symbol"), "ts_open", *PRICES
        )
        for symbol, frame in bars.items()
        if len(frame) >= COPY_BARS
    ]
    found: dict[str, dict[str, str | int | float | list[str]]] = defaultdict(dict)
    if len(moving) > 1:
        shared = (
            pl.concat(moving)
            .filter(pl.len().over("ts_open", *PRICES) > 1)
            .group_by("ts_open", *PRICES)
            .agg(pl.col("symbol").sort())
        )
        for names in shared["symbol"].unique().to_list():
            for one, other in combinations(names, 2):
                if other not in found[one]:
                    found[one][other] = found[other][one] = _told(bars[one], bars[other])
    results = {}
    for symbol in bars:
        told = {other: text for other, text in found[symbol].items() if text}
        results[symbol] = CheckResult(not told, told)
    return results


def _told(one: pl.DataFrame, other: pl.DataFrame) -> str:
    pair = _paired(one, other)
    same = pair.select(
        pl.all_horizontal(pl.col(name) == pl.col(f"{name}_right") for name in PRICES)
    ).to_series()
    if len(pair) < COPY_BARS or same.sum() < COPY_SHARE * len(pair):
        return ""
    differ = pair.filter(~same)["ts_open"].head(NAMED_HOURS).to_list()
    hours = ", ".join(hour.isoformat() for hour in differ) or "nowhere"
    return f"{same.sum()} of {len(pair)} common hours are equal; they differ at {hours}"


def shifts(bars: Bars) -> dict[str, CheckResult]:
    """In which months does a symbol follow a second source some hours late or early?

    Hourly returns are correlated at lags of up to 12 hours. Which of the two is
    off cannot be told from them: both are named.
    """
    return _second_sources(bars, _shifted)


def _shifted(one: pl.DataFrame, other: pl.DataFrame) -> str:
    mine, theirs = _returns(one), _returns(other)
    lags = []
    for lag in range(-LARGEST_LAG_HOURS, LARGEST_LAG_HOURS + 1):
        moved = mine.with_columns(pl.col("ts_open") - pl.duration(hours=lag))
        lags.append(
            moved.join(theirs, on="ts_open")
            .group_by(month=pl.col("ts_open").dt.truncate("1mo"))
            .agg(pl.corr("move", "move_right").alias("match"), pl.len().alias("bars"))
            .with_columns(lag=pl.lit(lag))
        )
    best = (
        pl.concat(lags)
        .filter((pl.col("bars") >= LAG_BARS) & (pl.col("match") > LAG_CORRELATION))
        .sort("month", "match", descending=[False, True])
        .unique("month", keep="first", maintain_order=True)
        .filter(pl.col("lag") != 0)
    )
    return ", ".join(
        f"{month:%Y-%m} by {lag:+d} h" for month, lag in best.select("month", "lag").rows()
    )


def sides(bars: Bars) -> dict[str, CheckResult]:
    """Is one source's close above the other's in 95 % of hours: bid for ask?"""
    return _second_sources(bars, _sided)


def _sided(one: pl.DataFrame, other: pl.DataFrame) -> str:
    pair = _paired(one, other).filter(pl.col("close") != pl.col("close_right"))
    above = (pair["close"] > pair["close_right"]).mean()
    if len(pair) < SIDE_BARS or not isinstance(above, float):
        return ""
    if 1 - SIDE_SHARE < above < SIDE_SHARE:
        return ""
    side = "above" if above >= SIDE_SHARE else "below"
    return f"closes {side} it in {max(above, 1 - above):.1%} of {len(pair)} hours that differ"


def _second_sources(bars: Bars, told: Comparison) -> dict[str, CheckResult]:
    markets: dict[str, list[str]] = defaultdict(list)
    for symbol in bars:
        markets[market_of(symbol)].append(symbol)
    results = {}
    for symbol in bars:
        others = [other for other in markets[market_of(symbol)] if other != symbol]
        said = {other: told(bars[symbol], bars[other]) for other in others}
        found: dict[str, str | int | float | list[str]] = {k: v for k, v in said.items() if v}
        results[symbol] = CheckResult(not found, found)
    return results


def _paired(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    columns = ["ts_open", *PRICES]
    return one.select(columns).join(other.select(columns), on="ts_open").sort("ts_open")


def _returns(bars: pl.DataFrame) -> pl.DataFrame:
    return bars.select("ts_open", move=(pl.col("close") / pl.col("open")).log())
