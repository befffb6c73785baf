"""The windows of ascending slots, each told as what changed since the one before.

Theory of operation: of every bar the newest version seen so far is kept, in
columns as long as the whole history. The versions are sorted by the slot that
first sees them; a step applies those that came since the last one. The bars of
the window before the first one touched are kept, what lies in front of the
look-back falls off, the others are sent. Nearly always that is one bar.
"""

import functools
from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from assets.market_data.digest import arrow_ipc_of_bars, input_digest
from assets.market_data.history import HOUR_US, History, Versions, check_within
from signalbox.protocol import CHANGE

Positions = list[int]


class Step:
    """A window among ascending ones. It holds until the next one is taken.

    Attributes:
        slot: UTC.
        changes: symbol to CHANGE of the protocol; None at the first slot.
    """

    def __init__(self, slot: datetime, symbols: "dict[str, _Symbol]", *, is_first: bool) -> None:
        self.slot = slot
        self._symbols = symbols
        changes = {name: symbol.change for name, symbol in symbols.items()}
        self.changes = None if is_first else changes

    def table(self, symbol: str) -> bytes:
        """A symbol's whole window as an Arrow IPC stream; see `arrow_ipc`."""
        return arrow_ipc_of_bars(self._symbols[symbol].window())

    @functools.cached_property
    def input_digest(self) -> str:
        """As `input_digest` of all tables."""
        return input_digest(self.slot, {symbol: self.table(symbol) for symbol in self._symbols})


def steps(history: History, slots: Sequence[datetime], lookback_hours: int) -> Iterator[Step]:
    """What `History.frames_at` gives, slot after slot.

    Args:
        history: long enough for the first slot and the last.
        slots: ascending, full hours, UTC.
        lookback_hours: how far back each window reaches.

    Raises:
        OutsideHistoryError: the history is too short for these slots.
    """
    for slot in (slots[0], slots[-1]) if slots else ():
        check_within(history, slot, lookback_hours)
    instants = np.array([round(slot.timestamp()) * 1_000_000 for slot in slots], np.int64)
    firsts = instants - lookback_hours * HOUR_US
    symbols = {
        name: _Symbol(versions, firsts, instants) for name, versions in history.versions.items()
    }
    for at, slot in enumerate(slots):
        for symbol in symbols.values():
            symbol.advance(at)
        yield Step(slot, symbols, is_first=at == 0)


class _Symbol:
    """One symbol's bars as they stand at a slot.

    Attributes:
        change: from the window before to this one, as the protocol has it.
    """

    def __init__(
        self, versions: Versions, firsts: npt.NDArray[np.int64], slots: npt.NDArray[np.int64]
    ) -> None:
        opened = versions.cells[0]
        is_new_bar = np.append(np.ones(min(len(opened), 1), bool), opened[1:] != opened[:-1])
        bar_of_version = np.cumsum(is_new_bar) - 1
        opened = opened[is_new_bar]
        order = np.argsort(versions.seen_from, kind="stable")
        self._cells = versions.cells
        self._order: Positions = order.tolist()
        self._bars: Positions = bar_of_version[order].tolist()
        seen = np.searchsorted(versions.seen_from[order], slots, side="right")
        self._seen_until: Positions = seen.tolist()
        self._lows: Positions = np.searchsorted(opened, firsts).tolist()
        self._highs: Positions = np.searchsorted(opened, slots).tolist()
        self._now = np.zeros((len(versions.cells), len(opened)), np.int64)
        self._version_now = np.full(len(opened), -1, np.int64)
        self._visible = np.zeros(len(opened), bool)
        self._low = self._high = self._applied = self._held = 0
        self.change = b""

    def advance(self, at: int) -> None:
        """Go on to the slot of this number."""
        low, high = self._lows[at], self._highs[at]
        dropped = int(np.count_nonzero(self._visible[self._low : min(low, self._high)]))
        touched = self._apply(self._seen_until[at], low)
        first = min(touched, high)
        if first >= self._high:
            kept = self._held - dropped
        else:
            kept = int(np.count_nonzero(self._visible[low:first]))
        begin = max(low, first)
        rows = self._now[:, begin:high].compress(self._visible[begin:high], axis=1)
        self.change = CHANGE.pack(dropped, kept) + rows.T.tobytes()
        self._low, self._high, self._held = low, high, kept + rows.shape[1]

    def window(self) -> npt.NDArray[np.int64]:
        """The bars to be seen now, oldest first."""
        cells = self._now[:, self._low : self._high]
        if self._held == cells.shape[1]:
            return cells
        return cells.compress(self._visible[self._low : self._high], axis=1)

    def _apply(self, until: int, low: int) -> int:
        """Take over the versions seen by now; the first bar from `low` on that changed."""
        touched = len(self._visible)
        for number in range(self._applied, until):
            bar, version = self._bars[number], self._order[number]
            if version > self._version_now[bar]:
                self._version_now[bar] = version
                self._now[:, bar] = self._cells[:, version]
                self._visible[bar] = True
                if low <= bar < touched:
                    touched = bar
        self._applied = until
        return touched
