"""Asking again: how often, and after which pauses."""

import time
from collections.abc import Callable
from datetime import datetime

import msgspec

from assets.market_data.source import Delivery, Source, TransientSourceError


class Patience(msgspec.Struct, frozen=True):
    """How transient errors are answered.

    Attributes:
        tries: requests at most, the first among them.
        pause_seconds: before the second request; doubled before each later one.
        sleep: waits so many seconds.
    """

    tries: int = 4
    pause_seconds: float = 1.0
    sleep: Callable[[float], object] = time.sleep


def fetch_patiently(
    source: Source, symbol: str, start: datetime, end: datetime, now: datetime, patience: Patience
) -> Delivery:
    """`Source.fetch`, asked again after a transient error.

    Raises:
        TransientSourceError: the last try failed too.
        PermanentSourceError: at once.
    """
    for attempt in range(1, patience.tries):
        try:
            return source.fetch(symbol, start, end, now)
        except TransientSourceError:
            patience.sleep(patience.pause_seconds * 2 ** (attempt - 1))
    return source.fetch(symbol, start, end, now)
