"""Bars of any exchange that ccxt knows, by its public interface, without keys.

Three ways in which an exchange misleads are met here. A page of HTML with
status 200 parses as no bars at all, so an answer is looked at before it is
believed, and an empty one is an error. The last candle is still running, so
the clock decides what is closed. And some hand out their newest bars whatever
was asked for, so an answer beyond the period is an error that says so.
"""

from datetime import datetime, timedelta
from typing import Any

import ccxt
import msgspec
import polars as pl

from assets.market_data.frames import DELIVERY_SCHEMA, PRICES, UTC_TIME
from assets.market_data.source import (
    Delivery,
    InstrumentDeclaration,
    PermanentSourceError,
    TransientSourceError,
    closed_within,
    unknown_symbol,
)

HOUR_MS = 3_600_000
TIMEFRAME = "1h"
AGAIN = "ask again later"


class Page(msgspec.Struct, frozen=True):
    """One answer: as it came, and the candles that ccxt read in it."""

    answer: str
    rows: list[list[float | None]]


class UnknownExchangeError(ValueError):
    """ccxt has no exchange of this name."""


def public_client(exchange: str) -> Any:
    """Ccxt's client of an exchange; waits between requests as the exchange demands.

    Raises:
        UnknownExchangeError: no such exchange.
    """
    if exchange not in ccxt.exchanges:
        raise UnknownExchangeError(f"{exchange!r} is none of ccxt's exchanges")
    # Through the proxy that the environment names, where the network has no other way out.
    client = getattr(ccxt, exchange)({"enableRateLimit": True, "requests_trust_env": True})
    # Currencies need a key on some exchanges, and bars do not need currencies.
    client.has["fetchCurrencies"] = False
    return client


class ExchangeSource:
    """Hourly candles of an exchange's markets.

    Args:
        client: of `public_client`.
        markets: symbols of ours to the exchange's markets, such as `BTC/USD`.
    """

    is_sample = False
    history_step = timedelta(hours=720)

    def __init__(self, client: Any, markets: dict[str, str]) -> None:
        self.name = f"ccxt:{client.id}"
        self._client = client
        self._markets = markets

    def instruments(self) -> list[InstrumentDeclaration]:
        """The markets named to the constructor; tick sizes once the exchange was asked."""
        known = self._client.markets or {}
        return [
            InstrumentDeclaration(
                symbol,
                "24x7",
                alias=market,
                currency=market.partition("/")[2].partition(":")[0] or None,
                tick_size=self._tick_size(known.get(market)),
            )
            for symbol, market in self._markets.items()
        ]

    def _tick_size(self, market: dict[str, Any] | None) -> float | None:
        price = (market or {}).get("precision", {}).get("price")
        return float(price) if price and self._client.precisionMode == ccxt.TICK_SIZE else None

    def fetch(self, symbol: str, start: datetime, end: datetime, now: datetime) -> Delivery:
        """Candles with `start <= ts_open < end`, closed by `now`, page by page.

        Raises:
            TransientSourceError: no connection, a rate limit, an outage, HTML, an empty answer.
            PermanentSourceError: no such market, a refusal, or no bars so long ago.
        """
        if symbol not in self._markets:
            raise unknown_symbol(symbol, list(self._markets))
        since, until = _milliseconds(start), _milliseconds(min(end, now))
        pages: list[Page] = []
        while since < until:
            page = self._page(symbol, since)
            opened = [int(row[0]) for row in page.rows if row[0] is not None]
            if not pages and not opened:
                raise TransientSourceError(symbol, "the answer holds no bars", AGAIN)
            pages.append(page)
            if not opened or max(opened) < since:
                break
            since = max(opened) + HOUR_MS
        raw = msgspec.json.encode(pages)
        bars = self.read(symbol, raw)
        earliest = bars["ts_open"].min()
        if isinstance(earliest, datetime) and earliest >= end:
            raise PermanentSourceError(
                symbol,
                f"{self.name} hands out no bars before {earliest.isoformat()}",
                "begin there, or import older bars from files",
            )
        return Delivery(closed_within(bars, start, end, now), fetched_at=now, raw_bytes=raw)

    def _page(self, symbol: str, since: int) -> Page:
        try:
            rows = self._client.fetch_ohlcv(self._markets[symbol], TIMEFRAME, since=since)
        except ccxt.BadSymbol as error:
            raise PermanentSourceError(
                symbol, f"{self.name} has no market {self._markets[symbol]}", "name one it has"
            ) from error
        except (ccxt.NetworkError, ccxt.BadResponse) as error:
            raise TransientSourceError(symbol, _said(error), AGAIN) from error
        except ccxt.BaseError as error:
            raise PermanentSourceError(symbol, _said(error), "see what it refuses") from error
        answer = str(self._client.last_http_response or "")
        if answer.lstrip().startswith("<"):
            raise TransientSourceError(symbol, f"{self.name} answered with a page of HTML", AGAIN)
        return Page(answer, rows)

    def read(self, symbol: str, raw_bytes: bytes) -> pl.DataFrame:
        """All candles of kept pages, the running one too, in their order."""
        del symbol
        pages = msgspec.json.decode(raw_bytes, type=list[Page])
        columns = ["ts_open", *PRICES, "volume"]
        rows = [row[: len(columns)] for page in pages for row in page.rows]
        table = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.Float64), orient="row")
        opened = pl.col("ts_open").cast(pl.Int64).cast(pl.Datetime("ms", "UTC")).cast(UTC_TIME)
        return table.with_columns(
            opened, ts_close=opened + pl.duration(milliseconds=HOUR_MS)
        ).select(list(DELIVERY_SCHEMA))


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp()) * 1000


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
