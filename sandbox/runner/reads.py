"""Which `window.historical` reads are answered, and how slowly the host may be."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from signalbox import Manifest, RefusedReadError
from signalbox.protocol import MAX_TO_MODEL_BYTES, Historical

T = TypeVar("T")
HistoricalRead = Callable[[str, datetime, datetime], bytes]

# 22 years of hours: 10 MB of Arrow, and a bound on what one read costs the database.
MAX_HOURS = 200_000
MAX_READS = 100


class ReadGuard:
    """The reads of one slot, under its cut-off.

    Attributes:
        host_seconds: spent by the host, which is not the model's time.
    """

    def __init__(self, manifest: Manifest, as_of: datetime, read: HistoricalRead) -> None:
        self._symbols = manifest.forecast.symbols
        self._as_of = as_of
        self._read = read
        self._left = MAX_READS
        self.host_seconds = 0.0

    def answer(self, asked: Historical) -> bytes:
        """The Arrow IPC stream for `asked`.

        Raises:
            RefusedReadError: past the cut-off, off the manifest, empty, or too much.
        """
        self._check(asked)
        rows = self.spend(lambda: self._read(asked.symbol, asked.start, asked.end))
        if len(rows) > MAX_TO_MODEL_BYTES:
            raise RefusedReadError(f"{len(rows)} bytes are more than one answer carries; ask less")
        return rows

    def spend(self, work: Callable[[], T]) -> T:
        """Do work of the host's in the middle of the model's step."""
        began = time.monotonic()
        try:
            return work()
        finally:
            self.host_seconds += time.monotonic() - began

    def _check(self, asked: Historical) -> None:
        if asked.symbol not in self._symbols:
            known = ", ".join(self._symbols)
            raise RefusedReadError(f"{asked.symbol[:40]} is not in the manifest; it names {known}")
        if asked.start.tzinfo is None or asked.end.tzinfo is None:
            raise RefusedReadError("give start and end a time zone, such as UTC")
        if asked.end <= asked.start:
            raise RefusedReadError("the range is empty; end must be after start")
        if asked.end > self._as_of:
            raise RefusedReadError(f"end {asked.end.isoformat()} is past the slot; ask up to it")
        if asked.end - asked.start > timedelta(hours=MAX_HOURS):
            raise RefusedReadError(f"one read carries at most {MAX_HOURS} hours; ask for less")
        if self._left == 0:
            raise RefusedReadError(f"{MAX_READS} reads were made in this slot; keep what you read")
        self._left -= 1
