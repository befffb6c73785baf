"""Every check over what is stored: the newest version of each bar, as known now."""

from collections.abc import Callable, Mapping
from datetime import datetime

import polars as pl
import psycopg

from assets.market_data.calendar import UnknownCalendarError
from assets.market_data.checks import ON_BARS, CheckResult, closed_market, gaps, stale_feed
from assets.market_data.comparisons import copies, shifts, sides
from assets.market_data.frames import DELIVERY_SCHEMA, read_frame
from assets.market_data.window import split

Findings = dict[str, dict[str, CheckResult]]
"""Results by check and symbol."""

COMPARED: dict[str, Callable[[Mapping[str, pl.DataFrame]], dict[str, CheckResult]]] = {
    "no_symbol_is_another": copies,
    "second_sources_agree_on_the_hour": shifts,
    "second_sources_are_on_one_side": sides,
}
CHECKS = {
    "no_gaps": "While a market is open, by its calendar, bars cover the time.",
    "feed_is_fresh": "At most two whole open hours went by without a bar.",
    "no_bars_of_a_closed_market": "No bar opens while its market is closed.",
    "no_repeated_hours": "No run of bars is a copy of bars up to 48 hours before.",
    "no_spikes": "No move is over 20 times the median hourly move of the 168 bars before.",
    "no_flat_runs": "The price never stands still for three bars or more.",
    "opens_are_opens": "Opens are more than the closes before them.",
    "volume_where_price_moved": "Where the price moved, something was traded.",
    "volume_in_one_unit": "The median volume of 24 bars never changes by a factor of 100 at once.",
    "no_symbol_is_another": "No two symbols have equal bars in 95 % of their common hours.",
    "second_sources_agree_on_the_hour": "Two sources of a market move in the same hours.",
    "second_sources_are_on_one_side": "Neither of two sources nearly always closes higher.",
}
"""What each check holds, for the catalogue."""
MADE_UP = ("opens_are_opens",)
"""Checks that generated bars break by design."""

NEWEST = """
select distinct on (b.instrument_id, b.ts_open)
       b.instrument_id, b.ts_open, b.ts_close, b.open, b.high, b.low, b.close, b.volume
from market.bar b
where b.instrument_id = any (%(ids)s) and b.ts_open >= %(start)s and b.ts_open < %(end)s
order by b.instrument_id, b.ts_open, b.available_at desc, b.batch_id desc
"""


def examine(
    connection: psycopg.Connection,
    symbols: list[str],
    start: datetime,
    end: datetime,
    *,
    gaps_from: datetime | None = None,
) -> Findings:
    """Run every check over bars with `start <= ts_open < end`.

    Args:
        connection: as `signalbox_worker`.
        symbols: compared with each other, too; one that never came is a stale feed.
        start: UTC, inclusive.
        end: UTC, exclusive; the feed should have delivered until then.
        gaps_from: gaps count from then to `end`; None: between each symbol's first
            bar and its last.
    """
    known = {
        symbol: (instrument_id, calendar, is_sample)
        for instrument_id, symbol, calendar, is_sample in connection.execute(
            "select id, symbol, calendar, is_sample from market.instrument where symbol = any (%s)",
            [symbols],
        )
    }
    ids = {symbol: known[symbol][0] for symbol in symbols if symbol in known}
    rows = read_frame(
        connection, NEWEST, {"ids": list(ids.values()), "start": start, "end": end},
        {"instrument_id": pl.Int32(), **DELIVERY_SCHEMA},
    )  # fmt: skip
    bars = split(rows, ids)
    findings: Findings = {name: {} for name in CHECKS}
    for symbol in symbols:
        if symbol not in known:
            findings["feed_is_fresh"][symbol] = stale_feed(None, "24x7", end)
    for symbol, frame in bars.items():
        _, calendar, is_sample = known[symbol]
        judged = _by_calendar(frame, calendar, gaps_from, end)
        judged |= {name: check(frame) for name, check in ON_BARS.items()}
        for name, result in judged.items():
            if not (is_sample and name in MADE_UP):
                findings[name][symbol] = result
    for name, compare in COMPARED.items():
        findings[name] |= compare(bars)
    return findings


def _by_calendar(
    bars: pl.DataFrame, calendar: str, gaps_from: datetime | None, end: datetime
) -> dict[str, CheckResult]:
    newest = None if bars.is_empty() else bars["ts_close"].max()
    newest_close = newest if isinstance(newest, datetime) else None
    first, last = gaps_from, end
    if first is None:
        first, last = (bars["ts_open"][0], newest_close) if newest_close else (end, end)
    try:
        return {
            "no_gaps": gaps(bars, calendar, first, last),
            "feed_is_fresh": stale_feed(newest_close, calendar, end),
            "no_bars_of_a_closed_market": closed_market(bars, calendar),
        }
    except UnknownCalendarError as error:
        return {"no_gaps": CheckResult(passed=False, metadata={"calendar": str(error)})}


def failed(findings: Findings) -> Findings:
    """Only what did not pass."""
    bad = {
        name: {symbol: result for symbol, result in results.items() if not result.passed}
        for name, results in findings.items()
    }
    return {name: results for name, results in bad.items() if results}
