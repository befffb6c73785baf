"""Recorded bars moved onto the present, labelled sample data.

A series is moved by whole weeks, so that weekday and hour stay what they were,
until its last bar lies at least 30 days after an anchor: whoever starts a
demonstration at the anchor has a month of real market before it ends.
"""

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from assets.market_data.file import FileSource, guess_calendar
from assets.market_data.source import (
    Delivery,
    InstrumentDeclaration,
    PermanentSourceError,
    closed_within,
    unknown_symbol,
)

WEEK = timedelta(weeks=1)
AHEAD = timedelta(days=30)


class RecordedSource:
    """Files of recorded bars, re-stamped.

    Args:
        folder: as of `FileSource`.
        symbols: which of its files to offer.
        anchor: the instant the recording must outlast by 30 days, UTC. Keep
            it for the life of a database: another anchor moves the series.

    Raises:
        PermanentSourceError: a symbol has no file.
    """

    name = "recorded"
    is_sample = True
    history_step = None

    def __init__(self, folder: Path, symbols: tuple[str, ...], anchor: datetime) -> None:
        self._files = FileSource(folder)
        self._shifts = {symbol: self._shift(symbol, anchor) for symbol in symbols}

    def _shift(self, symbol: str, anchor: datetime) -> timedelta:
        last = self._files.read(symbol, self._files.raw_bytes(symbol))["ts_open"].max()
        if not isinstance(last, datetime):
            raise PermanentSourceError(symbol, "no bar has a time stamp", "replace the file")
        return max(-((last - anchor - AHEAD) // WEEK), 0) * WEEK

    def instruments(self) -> list[InstrumentDeclaration]:
        """The symbols named to the constructor."""
        return [InstrumentDeclaration(symbol, guess_calendar(symbol)) for symbol in self._shifts]

    def fetch(self, symbol: str, start: datetime, end: datetime, now: datetime) -> Delivery:
        """As `FileSource.fetch`, in the present's time.

        Raises:
            TransientSourceError: the file cannot be read now.
            PermanentSourceError: the symbol was not named to the constructor.
        """
        if symbol not in self._shifts:
            raise unknown_symbol(symbol, list(self._shifts))
        raw = self._files.raw_bytes(symbol)
        return Delivery(
            closed_within(self.read(symbol, raw), start, end, now), fetched_at=now, raw_bytes=raw
        )

    def read(self, symbol: str, raw_bytes: bytes) -> pl.DataFrame:
        """All bars of a file's bytes, in the present's time."""
        return self._files.read(symbol, raw_bytes).with_columns(
            pl.col("ts_open", "ts_close") + self._shifts[symbol]
        )
