"""A past of many slots, read once and cut in memory by the rule of `window`.

Theory of operation: per symbol, every version of every bar is kept, sorted by
`ts_open` and then by when it came. A version is seen from
`max(ts_close, available_at - feed delay)` on. Of each bar the last version is
the settled one, from the instant it is seen. At a slot, a window whose bars are
all settled, which is nearly every one, is a slice of the settled frame, without
a copy. Otherwise the rows are gathered one by one from all versions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from assets.market_data.frames import UTC_TIME, WINDOW_SCHEMA, read_frame
from assets.market_data.window import SlotPin, as_model, instrument_ids, split

VERSIONS = """
select instrument_id, ts_open, open, high, low, close, volume, ts_close, available_at
from market.bars_as_of(%(ids)s::int[], %(start)s, %(end)s, %(cutoff)s, %(max_batch)s, true)
  with ordinality
order by ordinality
"""
HOUR_US = 3_600_000_000
Instants = npt.NDArray[np.int64]


class OutsideHistoryError(ValueError):
    """A window was asked for that reaches beyond what was read."""


class History:
    """Bars of some symbols with all their versions; see `read_history`.

    Attributes:
        start: earliest `ts_open` it holds, UTC.
        end: last slot it can answer for, UTC.
        pin: which batches it holds, and the feed's delay.
    """

    def __init__(
        self, frames: dict[str, pl.DataFrame], start: datetime, end: datetime, pin: SlotPin
    ) -> None:
        self.start = start
        self.end = end
        self.pin = pin
        delay = pin.cutoff - pin.slot
        self._symbols = {symbol: _Symbol(rows, delay) for symbol, rows in frames.items()}

    def frames_at(self, slot: datetime, lookback_hours: int) -> dict[str, pl.DataFrame]:
        """What `read_bars` gives at `slot` for bars of the last so many hours.

        Raises:
            OutsideHistoryError: the window begins before `start` or ends after `end`.
        """
        check_within(self, slot, lookback_hours)
        at = round(slot.timestamp()) * 1_000_000
        first = at - lookback_hours * HOUR_US
        return {symbol: one.window(first, at) for symbol, one in self._symbols.items()}

    @property
    def versions(self) -> dict[str, "Versions"]:
        """Every version of every bar, by symbol."""
        return {symbol: one.versions for symbol, one in self._symbols.items()}


def check_within(history: History, slot: datetime, lookback_hours: int) -> None:
    """Whether a window lies within what was read.

    Raises:
        OutsideHistoryError: it does not.
    """
    if slot - timedelta(hours=lookback_hours) < history.start or slot > history.end:
        raise OutsideHistoryError(
            f"{lookback_hours} hours before {slot.isoformat()} are not within"
            f" {history.start.isoformat()} .. {history.end.isoformat()}: read a longer history"
        )


@dataclass(frozen=True)
class Versions:
    """All versions of one symbol's bars, by `ts_open` and then by when they came.

    Attributes:
        cells: a row per column of `WINDOW_SCHEMA`, as `arrow_ipc_of_bars` takes them.
        seen_from: the first instant that sees each, microseconds since 1970.
    """

    cells: npt.NDArray[np.int64]
    seen_from: Instants


class _Symbol:
    """All versions of one symbol's bars, oldest first."""

    def __init__(self, rows: pl.DataFrame, delay: timedelta) -> None:
        known = pl.max_horizontal("ts_close", pl.col("available_at") - delay)
        seen_from = rows.select(known.to_physical()).to_series().to_numpy()
        opened = rows["ts_open"].to_physical().to_numpy()
        is_last = np.append(opened[1:] != opened[:-1], np.ones(min(len(opened), 1), bool))
        last = np.flatnonzero(is_last)
        self._versions = rows.select(list(WINDOW_SCHEMA)).rechunk()
        self._version_seen = seen_from
        self._last = last
        self._first = np.append(0, last[:-1] + 1)[: len(last)]
        self._settled = self._versions if len(last) == len(rows) else self._versions[last]
        self._opened: Instants = opened[last]
        self._settled_from: Instants = seen_from[last]

    @property
    def versions(self) -> Versions:
        columns = [column.to_physical().to_numpy() for column in self._versions.iter_columns()]
        cells = np.array([column.view(np.int64) for column in columns])
        return Versions(cells, self._version_seen)

    def window(self, first: int, slot: int) -> pl.DataFrame:
        low, high = np.searchsorted(self._opened, (first, slot))
        if not (self._settled_from[low:high] > slot).any():
            return self._settled.slice(int(low), int(high - low))
        return self._gathered(int(low), int(high), slot)

    def _gathered(self, low: int, high: int, slot: int) -> pl.DataFrame:
        rows = self._last[low:high].copy()
        for at in np.flatnonzero(self._settled_from[low:high] > slot):
            begin = self._first[low + at]
            seen = np.flatnonzero(self._version_seen[begin : rows[at] + 1] <= slot)
            rows[at] = begin + seen[-1] if len(seen) else -1
        return self._versions[rows[rows >= 0]]


def read_history(
    connection: psycopg.Connection,
    symbols: Sequence[str],
    start: datetime,
    end: datetime,
    pin: SlotPin,
) -> History:
    """Read bars with all their versions for slots up to `end`.

    Args:
        connection: as `signalbox_worker`.
        symbols: in the order in which windows name them.
        start: earliest `ts_open`: the first slot less the look-back, UTC.
        end: the last slot, UTC.
        pin: batches up to `max_batch` are read; the feed's delay is its cut-off
            less its slot, and holds for every slot.

    Raises:
        UnknownSymbolError: no such instrument.
    """
    ids = instrument_ids(connection, symbols)
    with as_model(connection):
        rows = read_frame(
            connection,
            VERSIONS,
            {
                "ids": list(ids.values()),
                "start": start,
                "end": end,
                "cutoff": end + (pin.cutoff - pin.slot),
                "max_batch": pin.max_batch,
            },
            {
                "instrument_id": pl.Int32(),
                **WINDOW_SCHEMA,
                "ts_close": UTC_TIME,
                "available_at": UTC_TIME,
            },
        )
    return History(split(rows, ids), start, end, pin)
