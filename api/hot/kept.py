"""Answers as bytes, kept until what they say may be different.

Theory of operation: an answer is kept for a question, a media type and, where it is about
one person, that person and what they were found to be entitled to, its basis. It goes when
a notice names one of its signals, when the connection that hears them is lost, after thirty
seconds, and at the next instant at which time alone may change it. Slots are due on the
hour, windows move by hours, and what no checkpoint covers turns late at a slot's deadline,
so these instants are the full hour and the deadline after it.

One flight makes an answer, and all who ask meanwhile wait for it. A flight that began
before a notice about its signals is overtaken: nothing of it is kept, and nobody who came
after the notice boards it. Cancelling who waits does not cancel the flight.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from api.hot.channels import EVERY, SIGNALS
from api.hot.shapes import Shape
from api.listener import Listener

TTL = timedelta(seconds=30)
HOUR = timedelta(hours=1)
BYTES_AT_MOST = 256 * 1024 * 1024

Key = tuple[Shape, str, uuid.UUID | None]
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, good in [since, until) by the platform's clock.

    Attributes:
        headers: those that each such answer has.
        unchanged_headers: of the answer 304.
    """

    body: bytes
    etag: str
    headers: Headers
    unchanged_headers: Headers
    since: datetime
    until: datetime


@dataclass(eq=False)
class _Flight:
    signal_ids: frozenset[int]
    basis: object
    is_overtaken: bool = False
    task: asyncio.Task[Kept] | None = field(default=None)


class KeptAnswers:
    """The answers of one process."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._kept: dict[Key, tuple[Kept, _Flight]] = {}
        self._of_signal: dict[int, set[Key]] = {}
        self._bytes = 0
        self._newest: dict[Key, _Flight] = {}
        self._flights: set[_Flight] = set()
        listener.subscribe(SIGNALS, heard=self._heard, lost=self._forget_all)

    def get(self, key: Key, basis: object, now: datetime) -> Kept | None:
        """As it was in the last instant that was `caught_up`; None: have it made."""
        found = self._kept.get(key)
        if found is None:
            return None
        kept, flight = found
        return kept if flight.basis is basis and kept.since <= now < kept.until else None

    async def made(
        self,
        key: Key,
        signal_ids: frozenset[int],
        basis: object,
        make: Callable[[], Awaitable[Kept]],
    ) -> Kept:
        """The answer of a flight of one's own, or of one that is under way and not overtaken."""
        flight = self._newest.get(key)
        if flight is None or flight.is_overtaken or flight.basis is not basis:
            flight = _Flight(signal_ids, basis)
            flight.task = asyncio.create_task(self._fly(key, flight, make))
            flight.task.add_done_callback(_is_seen)
            self._newest[key] = flight
            self._flights.add(flight)
        assert flight.task is not None  # noqa: S101 - set two lines above
        return await asyncio.shield(flight.task)

    async def _fly(self, key: Key, flight: _Flight, make: Callable[[], Awaitable[Kept]]) -> Kept:
        try:
            kept = await make()
            if self._listener.is_up and not flight.is_overtaken:
                self._keep(key, kept, flight)
            return kept
        finally:
            self._flights.discard(flight)
            if self._newest.get(key) is flight:
                del self._newest[key]

    def _keep(self, key: Key, kept: Kept, flight: _Flight) -> None:
        self._drop(key)
        while self._kept and self._bytes + len(kept.body) > BYTES_AT_MOST:
            self._drop(next(iter(self._kept)))
        self._kept[key] = kept, flight
        self._bytes += len(kept.body)
        for signal_id in flight.signal_ids:
            self._of_signal.setdefault(signal_id, set()).add(key)

    def _drop(self, key: Key) -> None:
        found = self._kept.pop(key, None)
        if found is None:
            return
        kept, flight = found
        self._bytes -= len(kept.body)
        for signal_id in flight.signal_ids:
            keys = self._of_signal[signal_id]
            keys.discard(key)
            if not keys:
                del self._of_signal[signal_id]

    def _heard(self, payload: str) -> None:
        if payload == EVERY:
            self._forget_all()
            return
        signal_id = int(payload)
        for flight in self._flights:
            flight.is_overtaken |= signal_id in flight.signal_ids
        for key in list(self._of_signal.get(signal_id, ())):
            self._drop(key)

    def _forget_all(self) -> None:
        for flight in self._flights:
            flight.is_overtaken = True
        self._kept.clear()
        self._of_signal.clear()
        self._bytes = 0


def _is_seen(task: asyncio.Task[Kept]) -> None:
    # Where everybody who waited was cancelled, nobody else asks how it ended.
    if not task.cancelled():
        task.exception()


def good_until(now: datetime, deadline: timedelta) -> datetime:
    """The first instant after `now` at which time alone may change an answer; at most `TTL` on.

    >>> from datetime import UTC
    >>> ten = timedelta(minutes=10)
    >>> good_until(datetime(2026, 1, 1, 8, 9, 50, tzinfo=UTC), ten).isoformat()
    '2026-01-01T08:10:00+00:00'
    >>> good_until(datetime(2026, 1, 1, 8, 59, 50, tzinfo=UTC), ten).isoformat()
    '2026-01-01T09:00:00+00:00'
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    marks = (hour, hour + deadline, hour + HOUR)
    # What is asked for on the very instant is before it by one rule and after it by the other.
    return min((mark for mark in (*marks, now + TTL) if mark >= now), default=now)
