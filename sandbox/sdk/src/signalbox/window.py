"""What a model sees of the market at one slot."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

if TYPE_CHECKING:
    import pandas as pd

Historical = Callable[[str, datetime, datetime], pl.DataFrame]
Cells = npt.NDArray[np.int64]

COLUMNS = ("ts_open", "open", "high", "low", "close", "volume")


class RefusedReadError(LookupError):
    """The model asked for what it may not see; says what it may."""


class Window:
    """The market as it was knowable at `as_of`, and not one bar later.

    What it hands out is copied when it is first asked for, and cannot be written.

    Attributes:
        as_of: the slot, UTC. Every bar has `ts_open + 1 h <= as_of`.
    """

    def __init__(
        self,
        *,
        as_of: datetime,
        bars: Mapping[str, Cells],
        seed: int,
        historical: Historical,
    ) -> None:
        """A window over `bars`: by symbol 64-bit cells, a row for each of `COLUMNS`.

        `ts_open` counts microseconds since 1970, the others are float64; a volume
        that is not known is NaN.
        """
        self.as_of = as_of
        self._bars = bars
        self._seed = seed
        self._historical = historical
        self._random: np.random.Generator | None = None
        self._columns: dict[tuple[str, str], npt.NDArray[Any]] = {}
        self._frames: dict[str, pl.DataFrame] = {}

    @property
    def symbols(self) -> tuple[str, ...]:
        """The manifest's symbols, in its order."""
        return tuple(self._bars)

    @property
    def random(self) -> np.random.Generator:
        """Seeded from version and slot: the same slot draws the same, live or replayed."""
        if self._random is None:
            self._random = np.random.Generator(np.random.PCG64(self._seed))
        return self._random

    def bars(self, symbol: str, hours: int | None = None) -> pl.DataFrame:
        """Bars of the look-back, oldest first.

        Args:
            symbol: one of the manifest's.
            hours: only those of the last so many hours; all by default.

        Returns:
            `ts_open` (Datetime us UTC), `open`, `high`, `low`, `close`,
            `volume` (Float64; volume null where the source has none).

        Raises:
            RefusedReadError: the symbol is not in the manifest.
        """
        frame = self._frames.get(symbol)
        if frame is None:
            frame = pl.DataFrame([self._series(symbol, name) for name in COLUMNS])
            self._frames[symbol] = frame
        return frame if hours is None else frame.slice(self._begin(symbol, hours))

    def numpy(self, symbol: str, column: str = "close", hours: int | None = None) -> np.ndarray:
        """One column of `bars`, oldest first: float64, or datetime64[us] for `ts_open`.

        Raises:
            RefusedReadError: the symbol is not in the manifest, or no such column.
        """
        values = self._column(symbol, column)
        if column == "ts_open":
            values = values.view("datetime64[us]")
        return values if hours is None else values[self._begin(symbol, hours) :]

    def pandas(self, symbol: str, hours: int | None = None) -> "pd.DataFrame":
        """`bars` as a pandas frame indexed by `ts_open`; needs pandas in requirements.txt."""
        import pandas as pd  # noqa: PLC0415 - only where the provider locked it

        columns: dict[str, Any] = {name: self.numpy(symbol, name, hours) for name in COLUMNS[1:]}
        index = pd.to_datetime(self.numpy(symbol, "ts_open", hours), utc=True)
        return pd.DataFrame(columns, index=pd.DatetimeIndex(index, name="ts_open"))

    def historical(self, symbol: str, start: datetime, end: datetime) -> pl.DataFrame:
        """Bars with `start <= ts_open < end` under the same cut-off as `bars`.

        Raises:
            RefusedReadError: the symbol is not in the manifest, the range is
                empty, or it holds more rows than one answer carries.
        """
        return self._historical(symbol, start, end)

    def _column(self, symbol: str, name: str) -> npt.NDArray[Any]:
        values = self._columns.get((symbol, name))
        if values is None:
            if symbol not in self._bars:
                known = ", ".join(self._bars)
                raise RefusedReadError(f"{symbol} is not in the manifest; it names {known}")
            if name not in COLUMNS:
                raise RefusedReadError(f"bars have no {name}; they have {', '.join(COLUMNS)}")
            # Bytes cannot be written by any means of numpy.
            copy = self._bars[symbol][COLUMNS.index(name)].tobytes()
            values = np.frombuffer(copy, np.int64 if name == "ts_open" else np.float64)
            self._columns[symbol, name] = values
        return values

    def _series(self, symbol: str, name: str) -> pl.Series:
        values = self._column(symbol, name)
        if name == "ts_open":
            return pl.Series(name, values).cast(pl.Datetime("us", "UTC"))
        return pl.Series(name, values, nan_to_null=name == "volume")

    def _begin(self, symbol: str, hours: int) -> int:
        if hours < 1:
            raise RefusedReadError(f"hours={hours}: ask for at least 1")
        # A comparison on numpy, not a polars query: a query would start polars' thread pool.
        earliest = int(self.as_of.timestamp() * 1_000_000) - hours * 3_600_000_000
        return int(np.searchsorted(self._column(symbol, "ts_open"), earliest))
