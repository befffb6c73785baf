"""One client of the stream: what waits for it, and when it ends."""

import asyncio
import contextlib
import uuid
from collections import deque

from api.events.credential import Credential
from api.events.positions import Position
from api.events.sources import Happened

WAITING_AT_MOST = 256
WAITING_BYTES_AT_MOST = 4 * 1024 * 1024
TOGETHER_BYTES = 16 * 1024


class Listening:
    """Frames for one client, in order.

    Attributes:
        signal_ids: events of others are left out; None: of all.
        start: the client has had everything up to here before anything was offered.
        ended: why nothing more will come, for people; None: it goes on.
    """

    __slots__ = (
        "_bytes",
        "_frames",
        "_news",
        "credential",
        "ended",
        "signal_ids",
        "start",
        "user_id",
    )

    def __init__(
        self, user_id: uuid.UUID, credential: Credential, signal_ids: frozenset[int] | None
    ) -> None:
        self.user_id = user_id
        self.credential = credential
        self.signal_ids = signal_ids
        self.start: Position | None = None
        self.ended: str | None = None
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._news = asyncio.Event()

    def wants(self, event: Happened) -> bool:
        if self.signal_ids is not None and event.signal_id not in self.signal_ids:
            return False
        return self.start is None or event.is_after(self.start)

    def offer(self, frame: bytes) -> None:
        """Put a frame behind those that wait; too many of them end the stream instead.

        What waits already is without a gap, and is still sent: the client resumes behind it.
        """
        if self.ended is not None:
            return
        size = self._bytes + len(frame)
        if len(self._frames) >= WAITING_AT_MOST or size > WAITING_BYTES_AT_MOST:
            self.end("too slow: come back with the last id")
            return
        self._bytes = size
        self._frames.append(frame)
        self._news.set()

    def end(self, why: str) -> None:
        """Nothing more will be offered; what waits is still sent."""
        if self.ended is None:
            self.ended = why
        self._news.set()

    def forget(self) -> None:
        """Nothing waits any more: it was sent, or must not be."""
        self._frames.clear()
        self._bytes = 0

    async def next(self, within_s: float) -> bytes | None:
        """The next frames that wait; None: none came in time, or it has ended."""
        if not self._frames and self.ended is None:
            self._news.clear()
            # A frame may come in the moment in which the time is over: it is looked for below.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._news.wait()
        if not self._frames:
            return None
        return self._some()

    def _some(self) -> bytes:
        """A few frames as one: the rest stays here, where all clients share its bytes."""
        some = [self._frames.popleft()]
        size = len(some[0])
        while self._frames and size + len(self._frames[0]) <= TOGETHER_BYTES:
            some.append(self._frames.popleft())
            size += len(some[-1])
        self._bytes -= size
        return b"".join(some)
