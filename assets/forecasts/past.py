"""From bars to what one version was shown at many past slots."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import psycopg

from assets.forecasts.version import PublishedVersion
from assets.market_data.digest import arrow_ipc
from assets.market_data.history import read_history
from assets.market_data.steps import Step, steps
from assets.market_data.window import SlotPin, read_bars
from sandbox.runner.reads import HistoricalRead
from sandbox.runner.run import Feed


class PastBars:
    """The bars of many past slots of one version, read once."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        version: PublishedVersion,
        first: datetime,
        pin: SlotPin,
    ) -> None:
        """Bars for the slots from `first` to the pinned one; its delay and batch hold for all."""
        self._connection = connection
        self._hours = version.manifest.forecast.lookback_hours
        self._pin = pin
        start = first - timedelta(hours=self._hours)
        self._history = read_history(
            connection, version.manifest.forecast.symbols, start, pin.slot, pin
        )

    def feed(self, slot: datetime) -> Feed:
        """What the version would have seen live at `slot`."""
        frames = self._history.frames_at(slot, self._hours)
        tables = {symbol: arrow_ipc(frame) for symbol, frame in frames.items()}
        return Feed(as_of=slot, tables=tables, historical=self.historical(slot))

    def steps(self, slots: Sequence[datetime]) -> Iterator[Step]:
        """The same for ascending slots, each as what changed."""
        return steps(self._history, slots, self._hours)

    def historical(self, slot: datetime) -> HistoricalRead:
        """Answers `window.historical` under the slot's cut-off."""
        delay = self._pin.cutoff - self._pin.slot
        pin = SlotPin(slot=slot, cutoff=slot + delay, max_batch=self._pin.max_batch)

        def read(symbol: str, start: datetime, end: datetime) -> bytes:
            frame = read_bars(self._connection, [symbol], start, pin)[symbol]
            return arrow_ipc(frame.filter(pl.col("ts_open") < end))

        return read
