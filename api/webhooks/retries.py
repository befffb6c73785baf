"""When a delivery that failed is tried again, and when nobody tries any more."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


def _waits() -> tuple[timedelta, ...]:
    """Three days together."""
    seconds = (10, 60, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 72_000)
    return tuple(timedelta(seconds=one) for one in seconds)


@dataclass(frozen=True)
class Retries:
    """docs/subscriber/webhooks.md has the table.

    Attributes:
        waits: after the first failure of a delivery, the second, ...; then it is given up.
        jitter: each wait is longer or shorter by up to this share.
        rest: of a webhook after its first failure in a row; twice as long after each further one.
        longest_rest: its limit.
        disabled_after: of failures without a success.
        lease: longest time that one delivery takes, and nobody else sends there.
        stale_after: what was due for so long, while its webhook was disabled, is given up.
    """

    waits: Sequence[timedelta] = _waits()
    jitter: float = 0.1
    rest: timedelta = timedelta(seconds=1)
    longest_rest: timedelta = timedelta(minutes=5)
    disabled_after: timedelta = timedelta(days=5)
    lease: timedelta = timedelta(seconds=30)
    stale_after: timedelta = timedelta(days=3)

    def wait(self, failures: int) -> timedelta | None:
        """After so many failures of a delivery, 1 or more; None: never again."""
        if failures > len(self.waits):
            return None
        share = random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311 - spreads load
        return self.waits[failures - 1] * share

    def rest_after(self, failures: int) -> timedelta:
        """Of a webhook, after so many failures in a row."""
        longer: timedelta = self.rest * 2 ** min(failures - 1, 20)
        return min(self.longest_rest, longer)
