"""Bars from Parquet files, as they are.

One file per symbol, `<SYMBOL>_1h.parquet`, with `symbol, ts (bar open, UTC),
open, high, low, close, volume, source`. Nothing is sorted, filled or mended
here. Two things are read into a file that it does not say itself: a bar ends
an hour after it opens or where the next one opens, and a volume that is 0 in
every row was not published.
"""

from datetime import datetime
from io import BytesIO
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from assets.market_data.frames import DELIVERY_SCHEMA, PRICES, UTC_TIME
from assets.market_data.source import (
    Delivery,
    InstrumentDeclaration,
    PermanentSourceError,
    TransientSourceError,
    unknown_symbol,
)

SUFFIX = "_1h.parquet"
QUOTED_ROUND_THE_WEEK = frozenset(
    ("AUD", "CAD", "CHF", "EUR", "GBP", "JPY", "NZD", "USD", "XAG", "XAU")
)
MINUTE_US = 60_000_000


class FileSource:
    """A folder of Parquet files.

    Args:
        folder: what holds `<SYMBOL>_1h.parquet`.
    """

    name = "file"
    is_sample = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def instruments(self) -> list[InstrumentDeclaration]:
        """One per file, by name."""
        symbols = sorted(path.name.removesuffix(SUFFIX) for path in self.folder.glob(f"*{SUFFIX}"))
        return [InstrumentDeclaration(symbol, guess_calendar(symbol)) for symbol in symbols]

    def fetch(self, symbol: str, start: datetime, end: datetime, now: datetime) -> Delivery:
        """Bars of the file with `start <= ts_open < end`, closed by `now`, in its order.

        A row without a time stamp belongs to every period: validation refuses it.

        Raises:
            TransientSourceError: the file cannot be read now.
            PermanentSourceError: no such file, or its columns are not bars.
        """
        raw, frame = self.read(symbol)
        opened, closed = pl.col("ts_open"), pl.col("ts_close")
        wanted = (opened >= start) & (opened < end) & (closed <= now)
        return Delivery(frame.filter(wanted | opened.is_null()), fetched_at=now, raw_bytes=raw)

    def read(self, symbol: str) -> tuple[bytes, pl.DataFrame]:
        """The file's bytes and all its bars, the unclosed too."""
        offered = [declared.symbol for declared in self.instruments()]
        if symbol not in offered:
            raise unknown_symbol(symbol, offered)
        path = self.folder / f"{symbol}{SUFFIX}"
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise TransientSourceError(
                symbol, f"{path} cannot be read: {error}", "try again"
            ) from error
        return raw, _as_delivered(symbol, raw)


def guess_calendar(symbol: str) -> str:
    """`FX` for currencies and metals, `24x7` for coins, else `XNYS`.

    >>> [guess_calendar(symbol) for symbol in ("XAUUSD", "EURUSD.BT", "BTCUSD.GEMINI", "SPY")]
    ['FX', 'FX', '24x7', 'XNYS']
    """
    if {symbol[:3], symbol[3:6]} <= QUOTED_ROUND_THE_WEEK:
        return "FX"
    if symbol.startswith("BTC") or "USDT" in symbol:
        return "24x7"
    return "XNYS"


def _as_delivered(symbol: str, raw: bytes) -> pl.DataFrame:
    try:
        bars = pl.read_parquet(BytesIO(raw), columns=["ts", *PRICES, "volume"])
    except PolarsError as error:
        raise PermanentSourceError(
            symbol, f"its file does not hold bars ({error})", "replace the file"
        ) from error
    _refuse_other_types(symbol, bars)
    if bars.is_empty():
        raise PermanentSourceError(symbol, "its file holds no rows", "replace the file")
    opened = pl.col("ts").cast(UTC_TIME)
    volume = pl.col("volume").cast(pl.Float64)
    published = (bars["volume"].cast(pl.Float64) != 0).any()
    frame = bars.select(
        opened.alias("ts_open"),
        *(pl.col(name).cast(pl.Float64) for name in PRICES),
        volume if published else pl.lit(None, dtype=pl.Float64).alias("volume"),
    )
    return _with_close(frame).select(list(DELIVERY_SCHEMA))


def _refuse_other_types(symbol: str, bars: pl.DataFrame) -> None:
    kind = bars.schema["ts"]
    if not isinstance(kind, pl.Datetime) or kind.time_zone != "UTC":
        raise PermanentSourceError(
            symbol,
            f"column ts is {kind}, so the hours it means are unknown",
            "write the file with UTC time stamps",
        )
    for name in (*PRICES, "volume"):
        if not bars.schema[name].is_numeric():
            raise PermanentSourceError(
                symbol, f"column {name} is {bars.schema[name]}", "write the file with numbers"
            )


def _with_close(frame: pl.DataFrame) -> pl.DataFrame:
    # Only stamps on the minute shorten their predecessor: a broken stamp spoils its own row only.
    on_grid = pl.col("ts_open").to_physical() % MINUTE_US == 0
    opens = frame.filter(on_grid)["ts_open"].unique().sort()
    following = pl.DataFrame({"ts_open": opens, "next_open": opens.shift(-1)})
    hour_later = pl.col("ts_open") + pl.duration(hours=1)
    return frame.join(following, on="ts_open", how="left", maintain_order="left").with_columns(
        pl.min_horizontal(hour_later, "next_open").alias("ts_close")
    )
