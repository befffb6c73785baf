"""The bytes a model is given, and their name.

Equal frames give equal bytes, however they came about: read from the database,
cut out of a longer one, gathered row by row. Arrow alone does not promise it:
what stands under a null, and the bitmap of a slice, differ.
"""

import functools
import hashlib
from collections.abc import Mapping
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.market_data.frames import WINDOW_SCHEMA

# Values that stand nowhere else in a stream, one per column.
_MARKS = [int.from_bytes(f"signal-{at}".encode(), "little") for at in range(len(WINDOW_SCHEMA))]


def arrow_ipc(frame: pl.DataFrame) -> bytes:
    """An Arrow IPC stream: one batch, uncompressed, without views, zeros under nulls.

    Args:
        frame: columns of Datetime or Float64.

    >>> frame = pl.DataFrame({"volume": [1.0, None, 3.0]})
    >>> arrow_ipc(frame[1:]) == arrow_ipc(pl.DataFrame({"volume": [None, 3.0]}))
    True
    """
    rebuilt = pl.DataFrame([_rebuilt(column) for column in frame.iter_columns()])
    stream = rebuilt.write_ipc_stream(
        None, compression="uncompressed", compat_level=pl.CompatLevel.oldest()
    )
    return stream.getvalue()


def _rebuilt(column: pl.Series) -> pl.Series:
    kind, name = column.dtype, column.name
    if not column.null_count():
        return pl.Series(name, column.to_physical().to_numpy().copy()).cast(kind)
    missing = np.array(column.is_null().to_numpy())
    values = pl.Series(name, np.where(missing, 0, column.to_physical().fill_null(0).to_numpy()))
    nothing = pl.Series(name, [None], dtype=values.dtype)
    return values.zip_with(pl.Series(~missing), nothing).cast(kind)


def arrow_ipc_of_bars(cells: npt.NDArray[np.int64]) -> bytes:
    """`arrow_ipc` of the frame that these cells make, without making it.

    Between equally many bars, all with a volume or all without, nothing differs
    in the stream but the values; all else is cut once from a stream of marks.

    Args:
        cells: a row per column of `WINDOW_SCHEMA`, each contiguous, 64 bits a bar:
            microseconds, then float64; NaN is a volume that is not known.
    """
    count = cells.shape[1]
    unknown = int(np.isnan(cells[-1].view(np.float64)).sum())
    if unknown not in (0, count):
        return arrow_ipc(frame_of(cells))
    *before, after = _between(count, has_volume=not unknown)
    woven: list[bytes | memoryview] = []
    for part, row in zip(before, cells, strict=False):
        woven += (part, row.data)
    return b"".join([*woven, after])


def frame_of(cells: npt.NDArray[np.int64]) -> pl.DataFrame:
    """The frame of `WINDOW_SCHEMA` that these cells make; see `arrow_ipc_of_bars`."""
    columns = [pl.Series("ts_open", cells[0]).cast(WINDOW_SCHEMA["ts_open"])]
    for name, row in zip(list(WINDOW_SCHEMA)[1:], cells[1:], strict=True):
        columns.append(pl.Series(name, row.view(np.float64), nan_to_null=name == "volume"))
    return pl.DataFrame(columns)


@functools.lru_cache(maxsize=1024)
def _between(count: int, *, has_volume: bool) -> tuple[bytes, ...]:
    """What stands before, between and after the columns' values."""
    cells = np.repeat(np.array(_MARKS, np.int64)[:, None], count, axis=1)
    if not has_volume:
        cells[-1] = np.array(np.nan).view(np.int64)
    rest = arrow_ipc(frame_of(cells))
    found = []
    for row in cells if has_volume else cells[:-1]:
        if count:
            before, _, rest = rest.partition(row.tobytes())
            found.append(before)
    return (*found, rest)


def input_digest(as_of: datetime, tables: Mapping[str, bytes]) -> str:
    """sha256 of exactly what a model was given at a slot.

    The digest runs over the slot (microseconds since 1970, 8 bytes) and, per
    symbol in the given order, its name and its table, each after its length
    (8 bytes); all numbers big endian.

    Args:
        as_of: the slot, UTC.
        tables: Arrow IPC streams by symbol, in the manifest's order.

    >>> from datetime import UTC
    >>> input_digest(datetime(2026, 1, 1, tzinfo=UTC), {})
    'sha256:cf83d44acd03eb6f33e5e8ddfc02d26ddef949ce371b05e97aa9ac38032c2e4b'
    """
    digest = hashlib.sha256()
    digest.update((int(as_of.timestamp()) * 1_000_000 + as_of.microsecond).to_bytes(8, "big"))
    for symbol, table in tables.items():
        for part in (symbol.encode(), table):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return f"sha256:{digest.hexdigest()}"
