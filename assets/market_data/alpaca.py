"""Hourly bars of US shares from Alpaca; the extra `alpaca`, and an account's keys."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
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
TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500


class AlpacaSource:
    """Bars of the IEX feed, unadjusted: an adjusted past changes with every dividend.

    Args:
        key: a file of two lines, the key's id and its secret; or what opens a stored key that holds
            both, when it is first needed.
        symbols: what to offer.
        url: of the data service; None: the vendor's.

    Raises:
        MissingExtraError: the extra is not installed.
        OSError: the key file cannot be read.
        ValueError: it does not hold two lines.
    """

    name = "alpaca"
    is_sample = False
    history_step = timedelta(days=180)

    def __init__(
        self, key: Path | Callable[[], str], symbols: tuple[str, ...], url: str | None = None
    ) -> None:
        try:
            import alpaca.data.historical  # noqa: F401, PLC0415
        except ImportError as error:
            raise MissingExtraError("alpaca") from error
        self._symbols = symbols
        self._url = url
        if isinstance(key, Path):
            words = _two_words(key.read_text(), str(key))
            self._key: Callable[[], tuple[str, str]] = lambda: words
        else:
            self._key = lambda: _two_words(key(), "the stored key")

    @cached_property
    def _client(self) -> Any:
        from alpaca.data.historical import StockHistoricalDataClient  # noqa: PLC0415

        key_id, secret = self._key()
        return StockHistoricalDataClient(
            api_key=key_id, secret_key=secret, raw_data=True, url_override=self._url
        )

    def instruments(self) -> list[InstrumentDeclaration]:
        """The symbols named to the constructor."""
        return [
            InstrumentDeclaration(symbol, CALENDAR, currency="USD", tick_size=0.01)
            for symbol in self._symbols
        ]

    def fetch(self, symbol: str, start: datetime, end: datetime, now: datetime) -> Delivery:
        """Bars with `start <= ts_open < end`, closed by `now`.

        Raises:
            TransientSourceError: no connection, a rate limit, an outage, no JSON.
            PermanentSourceError: an unknown symbol, or keys that are refused or do not open.
        """
        if symbol not in self._symbols:
            raise unknown_symbol(symbol, list(self._symbols))
        raw = msgspec.json.encode(self._asked(symbol, start, end))
        frame = closed_within(self.read(symbol, raw), start, end, now)
        return Delivery(frame, fetched_at=now, raw_bytes=raw)

    def _asked(self, symbol: str, start: datetime, end: datetime) -> Any:
        from alpaca.common.exceptions import APIError  # noqa: PLC0415
        from alpaca.data.enums import Adjustment, DataFeed  # noqa: PLC0415
        from alpaca.data.requests import StockBarsRequest  # noqa: PLC0415
        from alpaca.data.timeframe import TimeFrame  # noqa: PLC0415
        from requests import RequestException  # noqa: PLC0415

        request = StockBarsRequest(
            symbol_or_symbols=symbol, timeframe=TimeFrame.Hour, start=start,
            end=end - timedelta(microseconds=1), adjustment=Adjustment.RAW, feed=DataFeed.IEX,
        )  # fmt: skip
        try:
            client = self._client
        except ValueError as error:
            raise PermanentSourceError(symbol, str(error), "see docs/operations/keys.md") from error
        try:
            return client.get_stock_bars(request)
        except APIError as error:
            status = error.status_code or SERVER_ERROR
            kind = PermanentSourceError
            if status == TOO_MANY_REQUESTS or status >= SERVER_ERROR:
                kind = TransientSourceError  # type: ignore[assignment]
            raise kind(symbol, f"alpaca answered {status}", "look at its message") from error
        except (RequestException, ValueError) as error:
            raise TransientSourceError(symbol, f"no answer ({error})", "ask again") from error

    def read(self, symbol: str, raw_bytes: bytes) -> pl.DataFrame:
        """All bars of a kept answer."""
        bars = msgspec.json.decode(raw_bytes, type=dict[str, list[dict[str, Any]] | None])
        keys = dict(zip((*PRICES, "volume"), "ohlcv", strict=True))
        frame = pl.DataFrame(
            [
                [datetime.fromisoformat(bar["t"]), *(bar[key] for key in keys.values())]
                for bar in bars.get(symbol) or []
            ],
            schema={"ts_open": UTC_TIME, **dict.fromkeys(keys, pl.Float64)},
            orient="row",
            strict=False,
        )
        return with_close(frame, CALENDAR)


def _two_words(text: str, what: str) -> tuple[str, str]:
    words = text.split()
    if len(words) != 2:  # noqa: PLR2004 - id and secret
        raise ValueError(f"{what} should hold two lines: the key's id and its secret")
    return words[0], words[1]
