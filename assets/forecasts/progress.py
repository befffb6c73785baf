"""How far a replay has come: counts, pace, and a line now and then."""

import time
from datetime import datetime

from assets.forecasts.replay import Replayed

EVERY_SECONDS = 10.0


class Progress:
    """Counts a replay's slots as they come.

    Attributes:
        forecasts: of all slots so far.
        missed: slots without an answer.
        first_miss: slot and reason of the first; empty if there is none.
    """

    def __init__(self, label: str, slots: int) -> None:
        self._label = label
        self._slots = slots
        self._began = self._told = time.monotonic()
        self._done = self._run = 0
        self.forecasts = self.missed = 0
        self.first_miss = ""

    def after(self, one: Replayed) -> str | None:
        """A line to log after this slot; None where there is nothing new to say."""
        self._done += 1
        self._run += one.is_new
        self.forecasts += one.forecasts
        if one.reason is not None:
            self.missed += 1
            self.first_miss = self.first_miss or f"{_hour(one.slot)}: {one.reason}"
        now = time.monotonic()
        if now - self._told < EVERY_SECONDS and self._done < self._slots:
            return None
        self._told = now
        return f"{self._label} {_hour(one.slot)}: {self}"

    def __str__(self) -> str:
        """As in the progress bar and the log."""
        return (
            f"{self._done - self.missed} of {self._slots} slots answered,"
            f" {self._run} run now at {self.slots_per_second:.0f} slots/s"
        )

    @property
    def seconds(self) -> float:
        """Wall time since the beginning."""
        return time.monotonic() - self._began

    @property
    def slots_per_second(self) -> float:
        """Of the slots run now, not of those on record before."""
        return self._run / max(self.seconds, 1e-9)


def _hour(slot: datetime) -> str:
    return f"{slot:%Y-%m-%d %H:%M} UTC"
