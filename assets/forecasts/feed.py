"""From bars to what one version is fed at one slot."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import psycopg

from assets.forecasts.version import PublishedVersion
from assets.market_data.digest import arrow_ipc, input_digest
from assets.market_data.window import SlotPin, read_bars
from sandbox.runner.run import Feed


@dataclass(frozen=True)
class PinnedFeed:
    """A feed, and what pins it: the same pin and digest, the same bytes."""

    feed: Feed
    pin: SlotPin
    input_digest: str


class SlotBars:
    """The bars of one slot, read once for all versions of a tick.

    Versions with equal symbols and look-back are fed the very same bytes. May be
    used from several threads.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        versions: Sequence[PublishedVersion],
        pin: SlotPin,
    ) -> None:
        self.pin = pin
        self._connection = connection
        lookback = max(v.manifest.forecast.lookback_hours for v in versions)
        symbols = sorted({s for v in versions for s in v.manifest.forecast.symbols})
        self._frames = read_bars(connection, symbols, pin.slot - timedelta(hours=lookback), pin)
        self._tables: dict[tuple[str, int], bytes] = {}
        self._feeds: dict[tuple[tuple[str, ...], int], PinnedFeed] = {}
        self._making = threading.Lock()

    def feed(self, version: PublishedVersion) -> PinnedFeed:
        """What a version sees: its symbols over its own look-back."""
        hours, symbols = version.manifest.forecast.lookback_hours, version.manifest.forecast.symbols
        with self._making:
            if (symbols, hours) not in self._feeds:
                tables = {symbol: self._table(symbol, hours) for symbol in symbols}
                self._feeds[symbols, hours] = _pinned(self._connection, tables, self.pin)
            return self._feeds[symbols, hours]

    def _table(self, symbol: str, hours: int) -> bytes:
        if (symbol, hours) not in self._tables:
            start = self.pin.slot - timedelta(hours=hours)
            frame = self._frames[symbol].filter(pl.col("ts_open") >= start)
            self._tables[symbol, hours] = arrow_ipc(frame)
        return self._tables[symbol, hours]


def _pinned(
    connection: psycopg.Connection[Any], tables: dict[str, bytes], pin: SlotPin
) -> PinnedFeed:
    def historical(symbol: str, start: datetime, end: datetime) -> bytes:
        frame = read_bars(connection, [symbol], start, pin)[symbol]
        return arrow_ipc(frame.filter(pl.col("ts_open") < end))

    return PinnedFeed(
        feed=Feed(as_of=pin.slot, tables=tables, historical=historical),
        pin=pin,
        input_digest=input_digest(pin.slot, tables),
    )
