"""What one symbol's stored bars say about their source: what is missing, what looks wrong.

Checks warn and name hours; they refuse nothing. A row that is no bar is refused
before, by `schema`. Each check takes bars sorted by `ts_open`, with the columns
`ts_open`, `ts_close`, `open`, `high`, `low`, `close`, `volume`.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import polars as pl

from assets.market_data.calendar import (
    HOUR_US,
    Intervals,
    hours_of,
    open_intervals,
    without,
)
from assets.market_data.frames import PRICES

NAMED_HOURS = 100
STALE_HOURS = 2
FLAT_RUN = 3
SPIKE_TIMES = 20.0
SCALE_BARS = 168
REPEAT_WITHIN = 48
REPEAT_RUN = 3
DERIVED_SHARE = 0.99
ENOUGH_BARS = 200
UNIT_TIMES = 100.0
UNIT_BARS = 24

BarCheck = Callable[[pl.DataFrame], "CheckResult"]


class CheckResult(msgspec.Struct, frozen=True):
    """Outcome of one check of one symbol.

    Attributes:
        passed: nothing to do.
        metadata: what an operator needs to act; `hours` as ISO 8601 UTC, the
            first 100.
    """

    passed: bool
    metadata: dict[str, str | int | float | list[str]]


def naming(hours: list[datetime], **more: str | float) -> CheckResult:
    """A result that fails if there are hours to name."""
    named = [hour.isoformat() for hour in hours[:NAMED_HOURS]]
    return CheckResult(not hours, {"count": len(hours), **more, "hours": named})


def gaps(bars: pl.DataFrame, calendar: str, start: datetime, end: datetime) -> CheckResult:
    """Which open hours of `[start, end)` have no bar? A part of an hour counts as one.

    Raises:
        UnknownCalendarError: see `calendar`.
    """
    return naming(hours_of(without(open_intervals(calendar, start, end), _covered(bars))))


def closed_market(bars: pl.DataFrame, calendar: str) -> CheckResult:
    """Which bars open while the market is closed: stubs, or stamps of another zone?"""
    if bars.is_empty():
        return naming([])
    first, last = bars["ts_open"][0], bars["ts_open"][-1]
    instants = _covered(bars)
    instants[:, 1] = instants[:, 0] + 1
    outside = without(instants, open_intervals(calendar, first, last + timedelta(hours=1)))
    return naming(hours_of(outside))


def stale_feed(newest_close: datetime | None, calendar: str, now: datetime) -> CheckResult:
    """Has the feed been silent for more than two whole hours of open market?

    Args:
        newest_close: `ts_close` of the newest bar, UTC; None: there is none.
        calendar: the instrument's.
        now: UTC.
    """
    if newest_close is None:
        return CheckResult(passed=False, metadata={"newest_close": "none"})
    silent = open_intervals(calendar, newest_close, now)
    count = int((silent[:, 1] - silent[:, 0]).sum() // HOUR_US)
    named = [hour.isoformat() for hour in hours_of(silent)[:count][:NAMED_HOURS]]
    return CheckResult(
        count <= STALE_HOURS,
        {"newest_close": newest_close.isoformat(), "silent_hours": count, "hours": named},
    )


def repeated_hours(bars: pl.DataFrame) -> CheckResult:
    """Which bars are copies of bars up to two days before: an outage filled with old hours?

    Copies must have the volume too. Where none is published, or bars are flat,
    chance repeats single bars: only a run of three copies at one distance counts.
    """
    distance = pl.col("at") - pl.col("at").shift(1).over(*PRICES, "volume")
    is_plain = (pl.col("high") == pl.col("low")) | pl.col("volume").is_null()
    copied = bars.with_row_index("at").select(
        "ts_open", is_plain=is_plain, distance=distance, run=distance.rle_id()
    )
    counts = ~pl.col("is_plain") | (pl.len().over("run") >= REPEAT_RUN)
    # A standstill is a copy of the bar before it, again and again: `flat_runs` has it.
    stands = pl.col("is_plain") & (pl.col("distance") == 1)
    found = copied.filter((pl.col("distance") <= REPEAT_WITHIN) & counts & ~stands)
    return naming(found["ts_open"].to_list())


def spikes(bars: pl.DataFrame) -> CheckResult:
    """Which moves are over 20 times the median hourly move of the week before?"""
    adjoins = pl.col("ts_open") == pl.col("ts_close").shift(1)
    # Over a closed market prices jump rightly: there the move within the bar counts.
    before = pl.when(adjoins).then(pl.col("close").shift(1)).otherwise("open")
    moves = bars.select("ts_open", move=(pl.col("close") / before).log().abs())
    scale = pl.col("move").rolling_median(SCALE_BARS, min_samples=24).shift(1)
    found = moves.filter((pl.col("move") > SPIKE_TIMES * scale) & (scale > 0))
    largest = found["move"].max()
    return naming(
        found["ts_open"].to_list(),
        largest_move=round(float(largest), 4) if isinstance(largest, float) else 0.0,
    )


def flat_runs(bars: pl.DataFrame) -> CheckResult:
    """Where does the price stand still for three bars or more, as in an outage filled up?"""
    is_flat = pl.col("high") == pl.col("low")
    moves = ~is_flat | ~is_flat.shift(1) | (pl.col("close") != pl.col("close").shift(1))
    runs = bars.select("ts_open", is_flat=is_flat, run=moves.fill_null(value=True).cum_sum())
    found = runs.filter("is_flat").filter(pl.len().over("run") >= FLAT_RUN)
    return naming(found["ts_open"].to_list(), flat_bars=int(runs["is_flat"].sum()))


def derived_opens(bars: pl.DataFrame) -> CheckResult:
    """Is every open the close before it: not an open, but a copy?"""
    pairs = bars.select(
        same=pl.col("open") == pl.col("close").shift(1),
        adjoins=pl.col("ts_open") == pl.col("ts_close").shift(1),
    ).filter("adjoins")
    share = pairs["same"].mean()
    share = share if isinstance(share, float) else 0.0
    passed = len(pairs) < ENOUGH_BARS or share < DERIVED_SHARE
    return CheckResult(passed, {"share": round(share, 4), "bars": len(pairs)})


def missing_volume(bars: pl.DataFrame) -> CheckResult:
    """Which bars moved without any volume, where volume is published?"""
    found = bars.filter((pl.col("volume") == 0) & (pl.col("high") > pl.col("low")))
    return naming(found["ts_open"].to_list())


def volume_unit(bars: pl.DataFrame) -> CheckResult:
    """Where does the median daily volume change by a hundred at once: coins for money?"""
    volume = bars.filter(pl.col("volume") > 0).select("ts_open", level=pl.col("volume").log())
    after = pl.col("level").reverse().rolling_median(UNIT_BARS).reverse()
    before = pl.col("level").rolling_median(UNIT_BARS).shift(1)
    step = volume.select("ts_open", step=after - before).with_columns(
        is_large=(pl.col("step").abs() > pl.lit(UNIT_TIMES).log()).fill_null(value=False)
    )
    runs = step.with_columns(run=pl.col("is_large").rle_id()).filter("is_large")
    # The step is where the medians before and after differ most.
    found = (
        runs.sort(pl.col("step").abs(), descending=True)
        .unique("run", keep="first", maintain_order=True)
        .sort("ts_open")
    )
    times = [f"{value:.3g}" for value in found["step"].exp()]
    return naming(found["ts_open"].to_list(), times=", ".join(times[:NAMED_HOURS]))


ON_BARS: dict[str, BarCheck] = {
    "no_repeated_hours": repeated_hours,
    "no_spikes": spikes,
    "no_flat_runs": flat_runs,
    "opens_are_opens": derived_opens,
    "volume_where_price_moved": missing_volume,
    "volume_in_one_unit": volume_unit,
}
"""Checks that need nothing but a symbol's bars, by their names in the catalogue."""


def _covered(bars: pl.DataFrame) -> Intervals:
    covered: Intervals = bars.select(pl.col("ts_open", "ts_close").to_physical()).to_numpy()
    return covered.copy()
