"""A past to try models on: made up, the same for everyone, every hour there."""

import functools
import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from signalbox.testing.process import Given
from signalbox.window import RefusedReadError

HOUR = timedelta(hours=1)
# As far back as a manifest may look, and a history to compare over.
HOURS = 12_000
END = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Past:
    """Bars of some symbols up to an hour.

    Attributes:
        first: of which there are bars, UTC.
        end: no bar closes after it, UTC.
        origin: where the bars come from, for people.
    """

    def __init__(self, frames: Mapping[str, pl.DataFrame], origin: str) -> None:
        """Of each symbol the columns of `signalbox.window.COLUMNS`, ascending, UTC."""
        opened = [frame["ts_open"] for frame in frames.values()]
        self.first: datetime = max(series[0] for series in opened)
        self.end: datetime = min(series[-1] for series in opened) + HOUR
        self.origin = origin
        self._frames = frames

    def given(self, as_of: datetime, hours: int) -> Given:
        """What a model sees at `as_of`, looking back so many hours."""
        tables = {
            symbol: _ipc(_between(frame, as_of - hours * HOUR, as_of))
            for symbol, frame in self._frames.items()
        }
        return Given(as_of, tables, functools.partial(self._historical, as_of))

    def _historical(self, as_of: datetime, symbol: str, start: datetime, end: datetime) -> bytes:
        if symbol not in self._frames:
            known = ", ".join(self._frames)
            raise RefusedReadError(f"{symbol[:40]} is not in the manifest; it names {known}")
        if end > as_of:
            raise RefusedReadError(f"end {end.isoformat()} is past the slot; ask up to it")
        if end <= start:
            raise RefusedReadError("the range is empty; end must be after start")
        return _ipc(_between(self._frames[symbol], start, end))


def made_up_past(symbols: Sequence[str]) -> Past:
    """`HOURS` hours up to `END` of a market that never was; each symbol's are its own."""
    return Past({symbol: _series(symbol) for symbol in symbols}, "made-up bars")


def _series(symbol: str) -> pl.DataFrame:
    seed = int.from_bytes(hashlib.sha256(symbol.encode()).digest()[:8])
    generator = np.random.Generator(np.random.PCG64(seed))
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.002, HOURS)))
    before = np.concatenate([[100.0], close[:-1]])
    return pl.DataFrame(
        {
            "ts_open": pl.datetime_range(
                END - HOURS * HOUR, END, "1h",
                closed="left", time_unit="us", time_zone="UTC", eager=True,
            ),
            "open": before,
            "high": np.maximum(before, close) * 1.0005,
            "low": np.minimum(before, close) * 0.9995,
            "close": close,
            "volume": generator.uniform(1, 100, HOURS),
        }
    )  # fmt: skip


def _between(frame: pl.DataFrame, start: datetime, end: datetime) -> pl.DataFrame:
    opened = frame["ts_open"]
    low, high = opened.search_sorted(start), opened.search_sorted(end)
    return frame.slice(low, high - low)


def _ipc(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.rechunk().write_ipc_stream(buffer, compat_level=pl.CompatLevel.oldest())
    return buffer.getvalue()
