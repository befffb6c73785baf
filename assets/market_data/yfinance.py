"""Hourly bars of shares from Yahoo, for trying things out; the extra `yfinance`.

Prices are asked for unadjusted: an adjusted past changes with every dividend,
and each change would come in as a correction of everything before it.
"""

from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import polars as pl

from assets.market_data.closing import with_close
from assets.market_data.frames import PRICES, UTC_TIME
from assets.market_data.source import (
    Delivery,
    InstrumentDeclaration,
    MissingExtraError,
    TransientSourceError,
    closed_within,
    unknown_symbol,
)

CALENDAR = "XNYS"
COLUMNS = ("ts_open", *PRICES, "volume")


class YahooSource:
    """Bars that open on the half hour, as Yahoo's do.

    Args:
        symbols: what to offer.

    Raises:
        MissingExtraError: the extra is not installed.
    """

    name = "yfinance"
    is_sample = False
    history_step = timedelta(days=60)

    def __init__(self, symbols: tuple[str, ...]) -> None:
        try:
            import yfinance  # noqa: PLC0415
        except ImportError as error:
            raise MissingExtraError("yfinance") from error
        self._ticker = yfinance.Ticker
        self._symbols = symbols

    def instruments(self) -> list[InstrumentDeclaration]:
        """The symbols named to the constructor."""
        return [
            InstrumentDeclaration(symbol, CALENDAR, currency="USD", tick_size=0.01)
            for symbol in self._symbols
        ]

    def fetch(self, symbol: str, start: datetime, end: datetime, now: datetime) -> Delivery:
        """Bars with `start <= ts_open < end`, closed by `now`.

        Raises:
            TransientSourceError: Yahoo did not answer, or with nothing.
            PermanentSourceError: an unknown symbol.
        """
        if symbol not in self._symbols:
            raise unknown_symbol(symbol, list(self._symbols))
        try:
            history = self._ticker(symbol).history(
                start=start, end=end, interval="1h", auto_adjust=False, actions=False,
                prepost=False, raise_errors=True,
            )  # fmt: skip
        except Exception as error:  # it raises whatever its parser meets
            raise TransientSourceError(symbol, f"no answer ({error})", "ask again") from error
        raw = as_csv(history)
        frame = closed_within(self.read(symbol, raw), start, end, now)
        return Delivery(frame, fetched_at=now, raw_bytes=raw)

    def read(self, symbol: str, raw_bytes: bytes) -> pl.DataFrame:
        """All bars of a kept answer, the running one too."""
        del symbol
        return read_csv(raw_bytes)


def as_csv(history: Any) -> bytes:
    """A pandas frame of Yahoo's, as text: `ts_open` in microseconds since 1970, then the bar.

    Args:
        history: indexed by time with a zone; `Open`, `High`, `Low`, `Close`, `Volume`.
    """
    table = history[["Open", "High", "Low", "Close", "Volume"]].copy()
    table.insert(0, "ts_open", history.index.tz_convert("UTC").as_unit("us").asi8)
    text = StringIO()
    table.to_csv(text, index=False, header=list(COLUMNS))
    return text.getvalue().encode()


def read_csv(raw_bytes: bytes) -> pl.DataFrame:
    """Bars of `as_csv`, in the columns of a delivery."""
    kinds = {"ts_open": pl.Int64(), **dict.fromkeys(COLUMNS[1:], pl.Float64())}
    return with_close(pl.read_csv(raw_bytes, schema=kinds).cast({"ts_open": UTC_TIME}), CALENDAR)
