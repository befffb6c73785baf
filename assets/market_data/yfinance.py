"""Hourly bars of shares from Yahoo, for trying things out; the extra `yfinance`.

Prices are asked for unadjusted: an adjusted past changes with every dividend,
and each change would come in as a correction of everything before it.
"""

from datetime import datetime, timedelta
from http import HTTPStatus
from io import StringIO
from typing import Any

import polars as pl

from assets.market_data.closing import with_close
from assets.market_data.frames import PRICES, UTC_TIME
from assets.market_data.source import (
    Delivery,
    InstrumentDeclaration,
    MissingExtraError,
    PermanentSourceError,
    TransientSourceError,
    closed_within,
    unknown_symbol,
)

CALENDAR = "XNYS"
COLUMNS = ("ts_open", *PRICES, "volume")
NO_BARS = (",".join(COLUMNS) + "\n").encode()


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
            from yfinance.exceptions import YFPricesMissingError, YFTzMissingError  # noqa: PLC0415
        except ImportError as error:
            raise MissingExtraError("yfinance") from error
        # It would log what went wrong and answer with an empty frame.
        yfinance.config.debug.hide_exceptions = False
        self._ticker = yfinance.Ticker
        self._unknown: type[Exception] = YFTzMissingError
        self._none_there: type[Exception] = YFPricesMissingError
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
            TransientSourceError: Yahoo did not answer.
            PermanentSourceError: an unknown symbol, or hours that Yahoo says it has not.
        """
        if symbol not in self._symbols:
            raise unknown_symbol(symbol, list(self._symbols))
        raw = self._asked(symbol, start, end)
        frame = closed_within(self.read(symbol, raw), start, end, now)
        return Delivery(frame, fetched_at=now, raw_bytes=raw)

    def _asked(self, symbol: str, start: datetime, end: datetime) -> bytes:
        try:
            history = self._ticker(symbol).history(
                start=start, end=end, interval="1h", auto_adjust=False, actions=False,
                prepost=False,
            )  # fmt: skip
        except self._unknown as error:
            raise _unknown_there(symbol) from error
        except self._none_there as error:
            if getattr(error, "yahoo_reason", None):
                remedy = "ask for hours that Yahoo still has"
                raise PermanentSourceError(symbol, str(error), remedy) from error
            return NO_BARS
        except Exception as error:  # it raises whatever its parser meets
            answer = getattr(error, "response", None)
            if getattr(answer, "status_code", None) == HTTPStatus.NOT_FOUND:
                raise _unknown_there(symbol) from error
            raise TransientSourceError(symbol, f"no answer ({error})", "ask again") from error
        return as_csv(history)

    def read(self, symbol: str, raw_bytes: bytes) -> pl.DataFrame:
        """All bars of a kept answer, the running one too."""
        del symbol
        return read_csv(raw_bytes)


def _unknown_there(symbol: str) -> PermanentSourceError:
    return PermanentSourceError(symbol, "Yahoo has no such symbol", "name it as Yahoo does")


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
