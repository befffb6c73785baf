"""Bars from Parquet and CSV files, as they are.

One file per symbol in a folder, laid out as `layout` says. Nothing is sorted,
filled or mended here. Two things are read into a file that it does not say
itself: when a bar ended (see `closing`), and that a volume which is 0 in every
row was not published.
"""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from assets.market_data.calendar import UnknownCalendarError
from assets.market_data.closing import with_close
from assets.market_data.frames import PRICES, UTC_TIME
from assets.market_data.layout import COLUMNS, FileLayout, read_layout
from assets.market_data.source import (
    Delivery,
    InstrumentDeclaration,
    PermanentSourceError,
    TransientSourceError,
    closed_within,
    unknown_symbol,
)

CURRENCIES = frozenset(("AUD", "CAD", "CHF", "EUR", "GBP", "JPY", "NZD", "USD"))
METALS = frozenset(("XAG", "XAU"))
REPLACE = "replace the file, or declare columns and skip_lines in bars.toml"
SAY_THE_ZONE = "write the file with UTC time stamps, or declare time_zone in bars.toml"


class FileSource:
    """A folder of files.

    Args:
        folder: holds the files, and `bars.toml` where they need one.

    Raises:
        LayoutError: `bars.toml` cannot be read.
    """

    name = "file"
    is_sample = False
    history_step = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.layout = read_layout(folder)

    def instruments(self) -> list[InstrumentDeclaration]:
        """One per file, by name."""
        suffix = self.layout.suffix
        names = sorted(path.name.removesuffix(suffix) for path in self.folder.glob(f"*{suffix}"))
        return [self._declared(symbol, self.layout.of(symbol)) for symbol in names]

    @staticmethod
    def _declared(symbol: str, layout: FileLayout) -> InstrumentDeclaration:
        return InstrumentDeclaration(
            symbol,
            layout.calendar or guess_calendar(symbol),
            alias=layout.alias,
            currency=layout.currency,
            tick_size=layout.tick_size,
        )

    def fetch(self, symbol: str, start: datetime, end: datetime, now: datetime) -> Delivery:
        """Bars of the file with `start <= ts_open < end`, closed by `now`, in its order.

        Raises:
            TransientSourceError: the file cannot be read now.
            PermanentSourceError: no such file, or its columns are not bars.
        """
        raw = self.raw_bytes(symbol)
        downloaded_at = self.layout.of(symbol).downloaded_at
        closed_by = min(now, _instant(symbol, downloaded_at)) if downloaded_at else now
        frame = closed_within(self.read(symbol, raw), start, end, closed_by)
        return Delivery(frame, fetched_at=now, raw_bytes=raw)

    def raw_bytes(self, symbol: str) -> bytes:
        """The file's bytes.

        Raises:
            TransientSourceError: the file cannot be read now.
            PermanentSourceError: no such file.
        """
        offered = [declared.symbol for declared in self.instruments()]
        if symbol not in offered:
            raise unknown_symbol(symbol, offered)
        path = self.folder / f"{symbol}{self.layout.suffix}"
        try:
            return path.read_bytes()
        except OSError as error:
            raise TransientSourceError(
                symbol, f"{path} cannot be read: {error}", "try again"
            ) from error

    def read(self, symbol: str, raw_bytes: bytes) -> pl.DataFrame:
        """All bars of a file's bytes, the unclosed too, in their order."""
        layout = self.layout.of(symbol)
        table = _table(symbol, raw_bytes, layout, is_csv=self.layout.suffix.endswith(".csv"))
        volume = _number(table, "volume")
        published = table.select((volume != 0).any()).item()
        frame = table.select(
            _opened(symbol, table["ts"], layout),
            *(_number(table, name) for name in PRICES),
            volume if published else pl.lit(None, dtype=pl.Float64).alias("volume"),
        )
        calendar = layout.calendar or guess_calendar(symbol)
        try:
            return with_close(frame, calendar)
        except UnknownCalendarError as error:
            raise PermanentSourceError(symbol, str(error), "mend bars.toml") from error


def guess_calendar(symbol: str) -> str:
    """`FX` for currencies, `METAL` for gold and silver, `24x7` for coins, else `XNYS`.

    >>> [guess_calendar(symbol) for symbol in ("XAUUSD", "EURUSD.BT", "BTCUSD.GEMINI", "SPY")]
    ['METAL', 'FX', '24x7', 'XNYS']
    """
    base, quote = symbol[:3], symbol[3:6]
    if base in METALS and quote in CURRENCIES:
        return "METAL"
    if {base, quote} <= CURRENCIES:
        return "FX"
    if symbol.startswith("BTC") or "USDT" in symbol:
        return "24x7"
    return "XNYS"


def _instant(symbol: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise PermanentSourceError(
            symbol, f"downloaded_at {text!r} is no instant", "mend bars.toml"
        ) from error


def _table(symbol: str, raw: bytes, layout: FileLayout, *, is_csv: bool) -> pl.DataFrame:
    """The file's columns under our names; refused unless they can hold bars."""
    try:
        if is_csv:
            table = pl.read_csv(raw, skip_lines=layout.skip_lines, infer_schema=False)
        else:
            table = pl.read_parquet(BytesIO(raw))
    except PolarsError as error:
        raise PermanentSourceError(
            symbol, f"its file does not hold bars ({str(error).splitlines()[0]})", REPLACE
        ) from error
    theirs = {layout.column(name): name for name in COLUMNS}
    for column in theirs:
        if column not in table.columns:
            raise PermanentSourceError(
                symbol,
                f"its file does not hold bars: no column {column!r} among {table.columns[:12]}",
                REPLACE,
            )
    if table.is_empty():
        raise PermanentSourceError(symbol, "its file holds no rows", "replace the file")
    _refuse_another_symbol(symbol, table, layout)
    named = table.select(pl.col(column).alias(name) for column, name in theirs.items())
    for name in (*PRICES, "volume"):
        kind = named.schema[name]
        if not kind.is_numeric() and not (is_csv and kind == pl.String):
            raise PermanentSourceError(
                symbol, f"column {name} is {kind}", "write the file with numbers"
            )
    return named


def _refuse_another_symbol(symbol: str, table: pl.DataFrame, layout: FileLayout) -> None:
    if "symbol" not in table.columns:
        return
    found = table["symbol"].cast(pl.String).unique().to_list()
    if found != [layout.alias or symbol]:
        raise PermanentSourceError(
            symbol,
            f"its file holds bars of {', '.join(map(str, found[:3]))}",
            "replace the file, or declare the symbol's alias in bars.toml",
        )


def _number(table: pl.DataFrame, name: str) -> pl.Expr:
    column = pl.col(name)
    if table.schema[name] != pl.String:
        return column.cast(pl.Float64)
    number = column.str.strip_chars().cast(pl.Float64, strict=False)
    # A volume that is text was published, and is no number: not a null, which would pass.
    unreadable = number.is_null() & column.is_not_null() & (column.str.strip_chars() != "")
    return pl.when(unreadable).then(float("nan")).otherwise(number).alias(name)


def _opened(symbol: str, stamps: pl.Series, layout: FileLayout) -> pl.Series:
    """When each bar opens, UTC; null where a stamp cannot be read."""
    times = _times(symbol, stamps, layout)
    kind = times.dtype
    if not isinstance(kind, pl.Datetime) or (kind.time_zone is None and layout.time_zone is None):
        raise PermanentSourceError(
            symbol, f"column ts is {kind}, so the hours it means are unknown", SAY_THE_ZONE
        )
    if kind.time_zone is None:
        # The hour that a clock set back goes through twice: which one is meant is not known.
        times = times.dt.replace_time_zone(layout.time_zone, ambiguous="null", non_existent="null")
    opened = times.cast(UTC_TIME) if kind.time_zone == "UTC" else (
        times.dt.convert_time_zone("UTC").cast(UTC_TIME)
    )  # fmt: skip
    shift = pl.duration(hours=1 if layout.stamp == "close" else 0)
    return opened.to_frame("ts_open").select(pl.col("ts_open") - shift).to_series()


def _times(symbol: str, stamps: pl.Series, layout: FileLayout) -> pl.Series:
    if stamps.dtype != pl.String:
        return stamps
    text, form = stamps.str.strip_chars(), layout.time_format
    if form is not None and "%M" not in form:
        # polars reads no time without minutes, as in 2019-07-04 09-AM.
        text, form = text + ":00", f"{form}:%M"
    try:
        read = text.str.to_datetime(form, strict=False, time_unit="us")
    except PolarsError:
        read = pl.Series(stamps.name, [None] * len(stamps), dtype=pl.Datetime("us"))
    if read.null_count() == len(read):
        raise PermanentSourceError(
            symbol,
            f"no time stamp can be read; the first is {stamps[0]!r}",
            "declare time_format and time_zone in bars.toml",
        )
    return read
