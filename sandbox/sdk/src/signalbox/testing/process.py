"""What is asked of one process of a model, wherever it runs."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from signalbox.forecast import Forecast

Rows = tuple[Forecast, ...]


@dataclass(frozen=True)
class Given:
    """What a model is given at one hour.

    Attributes:
        as_of: the hour, UTC.
        tables: symbol to Arrow IPC stream of its bars, for the manifest's symbols.
        historical: answers `window.historical`; may raise `RefusedReadError`.
    """

    as_of: datetime
    tables: Mapping[str, bytes]
    historical: Callable[[str, datetime, datetime], bytes]


class NoAnswerError(Exception):
    """The model gave no acceptable answer.

    Attributes:
        reason: in one line, as a miss would say it.
        log: what the model printed, and the traceback of what it raised.
    """

    def __init__(self, reason: str, log: str = "") -> None:
        self.reason = reason
        self.log = log
        super().__init__(reason)


class Process(Protocol):
    """One process that has loaded a model.

    Every question may end with `NoAnswerError`; `alive` says whether another may follow.
    """

    @property
    def alive(self) -> bool: ...

    @property
    def has_history(self) -> bool:
        """Whether `app.py` defines `forecast_history`."""

    def forecast(self, given: Given) -> Rows:
        """The answer for one hour, checked and in canonical form."""

    def look_back(self, given: Given) -> int:
        """Have `forecast_history` answer for all of `given`; how many hours it has."""

    def recall(self, as_of: datetime) -> Rows | None:
        """One hour of what was looked back on; None where the model left it out."""

    def end(self) -> None:
        """Have it end by itself, as every process must."""


Launch = Callable[[], AbstractContextManager[Process]]
"""Starts a fresh process, which is gone when the context ends."""
