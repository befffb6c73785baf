"""Whose build runs: a few at once, and each waiting pusher is told their place.

Theory of operation: the git process holds one end of a socket pair per push, the
push's hook inherits the other. A hook that has a tag to build asks for a turn;
it is told its place in the line, then to go. The turn ends with the push, however
that ends: nothing has to be given back, and nothing can be left behind.
Next is always the provider with the fewest turns, and of those the one whose last
turn is longest ago, so that many pushes of one provider do not keep the others waiting.
"""

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

ASK = b"?"
GO = b"go"


@dataclass(eq=False)
class _Waiting:
    provider: str
    tell: Callable[[bytes], None]
    called: asyncio.Event = field(default_factory=asyncio.Event)


class Turns:
    """The line in front of the builds; `at_once` of them run."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._at_once = at_once
        self._running: Counter[str] = Counter()
        self._called = 0
        self._last_called: dict[str, int] = {}
        self._line: list[_Waiting] = []

    @property
    def running(self) -> int:
        return self._running.total()

    @property
    def waiting(self) -> int:
        return len(self._line)

    async def attend(self, end: socket.socket, provider: str) -> None:
        """Serve one push's end of the line, until cancelled or its processes have gone."""
        reader, writer = await asyncio.open_connection(sock=end)
        try:
            if await reader.read(len(ASK)) == ASK:
                await self._take_turn(provider, reader, writer)
        finally:
            writer.close()

    async def _take_turn(
        self, provider: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        waiting = _Waiting(provider, writer.write)
        self._line.append(waiting)
        gone = asyncio.ensure_future(reader.read())
        called = asyncio.ensure_future(waiting.called.wait())
        try:
            self._call_next()
            await asyncio.wait({gone, called}, return_when=asyncio.FIRST_COMPLETED)
            await gone
        finally:
            gone.cancel()
            called.cancel()
            self._leave(waiting)

    def _leave(self, waiting: _Waiting) -> None:
        if waiting.called.is_set():
            self._free += 1
            self._running[waiting.provider] -= 1
        else:
            self._line.remove(waiting)
        self._call_next()

    def _call_next(self) -> None:
        while self._free and self._line:
            first = self._in_order()[0]
            self._line.remove(first)
            self._free -= 1
            self._running[first.provider] += 1
            self._called += 1
            self._last_called[first.provider] = self._called
            first.tell(GO + b"\n")
            first.called.set()
        for place, waiting in enumerate(self._in_order(), start=1):
            waiting.tell(b"%d %d\n" % (place, self._at_once))

    def _in_order(self) -> list[_Waiting]:
        """The line as it would be called now: each provider's n-th push before any n+1-th.

        Among equals, the provider goes first whose last turn is longest ago.
        """
        turns = self._running.copy()
        ranked = []
        for number, waiting in enumerate(self._line):
            last = self._last_called.get(waiting.provider, 0)
            ranked.append((turns[waiting.provider], last, number, waiting))
            turns[waiting.provider] += 1
        return [waiting for *_, waiting in sorted(ranked, key=lambda rank: rank[:3])]


def wait_for_turn(descriptor: int, say: Callable[[str], None]) -> None:
    """In the hook: wait until this push may build; says each place in the line.

    Raises:
        ConnectionError: the git process has gone.
    """
    os.write(descriptor, ASK)
    told = b""
    # A copy: the turn lasts as long as the descriptor itself, which nobody here closes.
    with os.fdopen(os.dup(descriptor), "rb") as answers:
        for answer in answers:
            if answer.strip() == GO:
                return
            if answer != told:
                place, at_once = (int(number) for number in answer.split())
                say(f"queue       number {place} in line; builds that run at once: {at_once}")
                told = answer
    raise ConnectionError("the git process has gone")
