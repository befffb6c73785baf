"""The bars that a model's process holds of one symbol."""

import io

import numpy as np
import polars as pl

from signalbox.protocol import CHANGE, ProtocolError
from signalbox.window import COLUMNS, Cells

SPARE = 1024


class Bars:
    """Bars of one symbol, a row of cells per column, growing at the end.

    A cell once written is never written again, so that a window cut at an
    earlier slot still shows that slot.
    """

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._begin, self._end = 0, cells.shape[1]

    @classmethod
    def of_table(cls, table: bytes) -> "Bars":
        """Those of a TABLE."""
        frame = pl.read_ipc_stream(io.BytesIO(table))
        # No polars query, such as to_physical is: it would start polars' thread pool.
        columns = [frame[name].to_numpy().view(np.int64) for name in COLUMNS]
        return cls(np.array(columns))

    def change(self, payload: bytes) -> None:
        """Take over a CHANGE.

        Raises:
            ProtocolError: it speaks of more bars than are held.
        """
        dropped, kept = CHANGE.unpack_from(payload)
        begin = self._begin + dropped
        end = begin + kept
        if end > self._end:
            raise ProtocolError(f"a CHANGE of {dropped + kept} of {self._end - self._begin} bars")
        rows = np.frombuffer(payload, np.int64, offset=CHANGE.size).reshape(-1, len(COLUMNS))
        if end < self._end or end + len(rows) > self._cells.shape[1]:
            grown = np.empty((len(COLUMNS), 2 * (kept + len(rows)) + SPARE), np.int64)
            grown[:, :kept] = self._cells[:, begin:end]
            self._cells, begin, end = grown, 0, kept
        self._cells[:, end : end + len(rows)] = rows.T
        self._begin, self._end = begin, end + len(rows)

    @property
    def cells(self) -> Cells:
        """As `Window` takes them."""
        return self._cells[:, self._begin : self._end]
