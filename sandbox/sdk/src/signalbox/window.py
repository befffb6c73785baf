"""What a model sees of the market at one slot."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    import pandas as pd

Historical = Callable[[str, datetime, datetime], pl.DataFrame]


class RefusedReadError(LookupError):
    """The model asked for what it may not see; says what it may."""


class Window:
    """The market as it was knowable at `as_of`, and not one bar later.

    Attributes:
        as_of: the slot, UTC. Every bar has `ts_open + 1 h <= as_of`.
        random: numpy Generator seeded from version and slot: the same slot
            of the same version draws the same numbers, live or replayed.
    """

    def __init__(
        self,
        *,
        as_of: datetime,
        frames: Mapping[str, pl.DataFrame],
        seed: int,
        historical: Historical,
    ) -> None:
        self.as_of = as_of
        self.random = np.random.Generator(np.random.PCG64(seed))
        self._frames = frames
        self._historical = historical

    @property
    def symbols(self) -> tuple[str, ...]:
        """The manifest's symbols, in its order."""
        return tuple(self._frames)

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
        if symbol not in self._frames:
            known = ", ".join(self._frames)
            raise RefusedReadError(f"{symbol} is not in the manifest; it names {known}")
        frame = self._frames[symbol]
        if hours is None:
            return frame
        if hours < 1:
            raise RefusedReadError(f"hours={hours}: ask for at least 1")
        # A comparison on numpy, not a polars query: a query would start polars' thread pool.
        opened = frame["ts_open"].to_physical().to_numpy()
        earliest = int(self.as_of.timestamp() * 1_000_000) - hours * 3_600_000_000
        return frame.slice(int(np.searchsorted(opened, earliest)))

    def numpy(self, symbol: str, column: str = "close", hours: int | None = None) -> np.ndarray:
        """One column of `bars` as a float64 array, oldest first."""
        return self.bars(symbol, hours)[column].to_numpy()

    def pandas(self, symbol: str, hours: int | None = None) -> "pd.DataFrame":
        """`bars` as a pandas frame indexed by `ts_open`; needs pandas in requirements.txt."""
        import pandas as pd  # noqa: PLC0415 - only where the provider locked it

        frame = self.bars(symbol, hours)
        columns: dict[str, Any] = {
            name: frame[name].to_numpy() for name in frame.columns if name != "ts_open"
        }
        index = pd.to_datetime(frame["ts_open"].to_physical().to_numpy(), unit="us", utc=True)
        return pd.DataFrame(columns, index=pd.DatetimeIndex(index, name="ts_open"))

    def historical(self, symbol: str, start: datetime, end: datetime) -> pl.DataFrame:
        """Bars with `start <= ts_open < end` under the same cut-off as `bars`.

        Raises:
            RefusedReadError: the symbol is not in the manifest, the range is
                empty, or it holds more rows than one answer carries.
        """
        return self._historical(symbol, start, end)
