"""The answer of GET /v1/stream: what a client missed, then what happens, until it ends."""

import asyncio
import contextlib
import logging
import random
import time
from typing import Any

import psycopg
import psycopg_pool
from litestar.response import Stream
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Send

from api.events import credential, sources, told
from api.events.hub import EVENTS_AT_ONCE, Hub
from api.events.listening import Listening
from api.events.positions import Position
from api.installation import Installation
from sql.clock import system_clock

KEEP_ALIVE_S = 15.0
SEND_WITHIN_S = 30.0
# Who was cut off with many others does not come back with all of them at once.
RETRY_MS = (2000, 5000)

logger = logging.getLogger(__name__)


class CredentialOverError(Exception):
    """Who listens may not any more."""


class EventStream(Stream):
    """Litestar's streaming response, written by `Telling`."""

    def __init__(self, telling: "Telling") -> None:
        super().__init__(content=(), media_type="text/event-stream")
        self._telling = telling

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        return _Answer(self._telling)


class _Answer(ASGIResponse):
    __slots__ = ("telling",)
    _should_set_content_length = False

    def __init__(self, telling: "Telling") -> None:
        super().__init__(
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        self.telling = telling

    async def send_body(self, send: Send, receive: Receive) -> None:
        await self.telling.tell(send, receive)


class Telling:
    """Writes to one client.

    Args:
        installation: of this process.
        hub: reads for all clients.
        stream: what is offered to it; not attached yet.
        after: where the client was; None: it begins now.
        seconds: ends after so long; None: does not.
    """

    def __init__(
        self,
        installation: Installation,
        hub: Hub,
        stream: Listening,
        after: Position | None,
        seconds: int | None,
    ) -> None:
        self._installation = installation
        self._hub = hub
        self._stream = stream
        self._after = after
        self._ends_at = None if seconds is None else time.monotonic() + seconds

    async def tell(self, send: Send, receive: Receive) -> None:
        gone = asyncio.create_task(self._until_gone(receive))
        try:
            why = await self._tell(send)
            await _send(send, b": %b\n\n" % why.encode(), is_last=True)
        except TimeoutError:
            # It does not read at all: there is no use in writing a last comment.
            logger.info("a stream ended, as its client did not read for %s s", SEND_WITHIN_S)
        finally:
            self._hub.detach(self._stream)
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone

    async def _until_gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._stream.forget()
        self._stream.end("gone")

    async def _tell(self, send: Send) -> str:
        """Write until there is nothing more to write; why there is not."""
        try:
            await self._catch_up(send)
            return await self._follow(send)
        except CredentialOverError:
            return "the credential has ended"
        except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
            logger.warning("a stream ended, as the database does not answer: %s", error)
            return "the database does not answer"

    async def _catch_up(self, send: Send) -> None:
        begins_at = await self._hub.attach(self._stream)
        here = self._after or begins_at
        self._stream.start = here.joined(begins_at)
        retry = random.randint(*RETRY_MS)  # noqa: S311 - spreads load, hides nothing
        await _send(send, b"retry: %d\n" % retry + self._mark(here))
        while not here.covers(begins_at):
            frames, here = await self._missed(here, begins_at)
            await _send(send, frames + self._mark(here))

    async def _follow(self, send: Send) -> str:
        while True:
            left = self._left_s()
            frames = await self._stream.next(min(KEEP_ALIVE_S, left))
            if frames is not None:
                await _send(send, frames)
            elif self._stream.ended is not None:
                return self._stream.ended
            elif left <= 0:
                return "as asked"
            elif self._stream.credential.is_over(system_clock()):
                raise CredentialOverError
            else:
                # Nothing waits, so everything up to the hub's position was sent.
                await _send(send, b": keep-alive\n" + self._mark(self._hub.position))

    def _left_s(self) -> float:
        left = KEEP_ALIVE_S
        if self._ends_at is not None:
            left = min(left, self._ends_at - time.monotonic())
        return max(left, 0.0)

    def _mark(self, position: Position | None) -> bytes:
        """Moves the client's last id on without an event."""
        if position is None:
            return b"\n"
        if self._after is not None:
            position = position.joined(self._after)
        return b"id: %b\n\n" % self._hub.positions.show(position).encode()

    async def _missed(self, here: Position, upto: Position) -> tuple[bytes, Position]:
        """The next frames of what the client missed, and the position behind them."""
        user_id, now = self._stream.user_id, self._installation.clock()
        async with (
            self._hub.catching_up,
            self._installation.transaction(user_id, now) as connection,
        ):
            mine = self._stream.credential
            if mine.name not in await credential.good(connection, [mine], system_clock()):
                raise CredentialOverError
            found, here = await sources.between(connection, here, upto, [user_id], EVENTS_AT_ONCE)
            may = await sources.may_be_told(connection, found, [user_id], now)
            wanted = [event for n, event in enumerate(found) if may[n] and self._wants(event)]
            contents = await told.contents(connection, wanted, self._hub.proof())
        frames = [
            self._hub.frame(event, contents[event.source, event.key])
            for event in wanted
            if (event.source, event.key) in contents
        ]
        return b"".join(frames), here

    def _wants(self, event: sources.Happened) -> bool:
        signal_ids = self._stream.signal_ids
        return signal_ids is None or event.signal_id in signal_ids


async def _send(send: Send, body: bytes, *, is_last: bool = False) -> None:
    async with asyncio.timeout(SEND_WITHIN_S):
        await send({"type": "http.response.body", "body": body, "more_body": not is_last})
