"""A provider's own bars: one CSV or Parquet file per symbol."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from signalbox.testing.bars import Past
from signalbox.window import COLUMNS

ENDINGS = (".parquet", ".csv")
NEEDED = ("ts_open", "open", "high", "low", "close")


class BarsError(ValueError):
    """A file of bars is missing or cannot be read; says what it should be."""


def past_of_files(folder: Path, symbols: Sequence[str]) -> Past:
    """The bars of `<SYMBOL>.csv` or `.parquet` (also `<SYMBOL>_1h...`) in a folder.

    Columns `ts_open` (UTC; a time, or ISO 8601 text), `open`, `high`, `low`, `close`
    and, where there is one, `volume`; others are passed over.

    Raises:
        BarsError: naming the file and what is wrong with it.
    """
    return Past(
        {symbol: _bars(_file(folder, symbol)) for symbol in symbols}, f"bars of {folder.name}"
    )


def _file(folder: Path, symbol: str) -> Path:
    for stem in (symbol, f"{symbol}_1h"):
        for ending in ENDINGS:
            if (path := folder / f"{stem}{ending}").is_file():
                return path
    raise BarsError(f"{folder}: no {symbol}.csv or {symbol}.parquet; the manifest names {symbol}")


def _bars(path: Path) -> pl.DataFrame:
    try:
        frame = pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BarsError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None
    missing = [name for name in NEEDED if name not in frame.columns]
    if missing:
        raise BarsError(f"{path}: no column {missing[0]}; it has {', '.join(frame.columns)}")
    if "volume" not in frame.columns:
        frame = frame.with_columns(volume=pl.lit(None, pl.Float64))
    frame = frame.select(
        _time(frame["ts_open"], path), *(pl.col(name).cast(pl.Float64) for name in COLUMNS[1:])
    )
    frame = frame.sort("ts_open")
    if frame.is_empty() or frame["ts_open"].is_duplicated().any():
        raise BarsError(f"{path}: has no bars, or one hour twice; keep one row for each hour")
    return frame


def _time(column: pl.Series, path: Path) -> pl.Series:
    try:
        if column.dtype == pl.String:
            column = column.str.to_datetime(time_unit="us", time_zone="UTC")
        if not isinstance(column.dtype, pl.Datetime):
            raise BarsError(
                f"{path}: ts_open is {column.dtype}, not a time such as 2026-01-05T12:00Z"
            )
        if column.dtype.time_zone is None:
            column = column.dt.replace_time_zone("UTC")
        return column.dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC"))
    except pl.exceptions.PolarsError as error:
        raise BarsError(f"{path}: ts_open: {str(error).splitlines()[0]}") from None
