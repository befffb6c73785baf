"""One reader of events for all clients of a process.

Theory of operation: `run` is woken by notices of the database, and looks by itself every
two seconds, so that notices may get lost. Each look is one transaction: what happened
since the position, which credentials still admit, who may be told of what, and the
content of each event, read once as one of those who may be told. Then, without a pause
in which anything else could happen, every client that may be told is offered the same
bytes, and the position moves on. A look that fails moves nothing, so nothing is missed.

A client is attached at the hub's position: what is before comes to it from the database
(`api.events.catch_up`), what is after from here. While nobody listens, nothing is read.
"""

import asyncio
import logging
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
import psycopg_pool

from api.auth.known_keys import CHANNEL as CREDENTIALS
from api.events import credential, sources, told
from api.events.listening import Listening
from api.events.positions import Position, Positions
from api.events.sources import Happened
from api.installation import Installation
from api.listener import EVENTS
from sql.clock import system_clock
from sql.session import act_as

LOOKS_EVERY_S = 2.0
PAUSE_AFTER_FAILURE_S = 1.0
# Other requests have their turn in between.
EVENTS_AT_ONCE = 50
STREAMS_AT_MOST = 5000
CATCHING_UP_AT_ONCE = 4

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Look:
    """What one transaction found."""

    events: list[Happened]
    contents: Mapping[int, bytes]
    told: Mapping[int, frozenset[uuid.UUID]]
    good: frozenset[str]
    position: Position
    is_all: bool


class Hub:
    """The clients of this process, and their reader."""

    def __init__(self, installation: Installation) -> None:
        self.positions = Positions(installation.secret)
        # Clients that come back all at once leave connections to requests.
        self.catching_up = asyncio.Semaphore(CATCHING_UP_AT_ONCE)
        self._settings = installation.settings
        self._pool = installation.pool
        self._clock = installation.clock
        self._streams: set[Listening] = set()
        self._of_person: Counter[uuid.UUID] = Counter()
        self._position: Position | None = None
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        for channel in (*EVENTS, CREDENTIALS):
            installation.listener.subscribe(
                channel, heard=lambda _: self._wake.set(), lost=self._wake.set
            )

    def proof(self) -> dict[str, Any]:
        """As `api.forecasts.stored.terms`, without a request."""
        deadline = timedelta(minutes=self._settings.live_deadline_minutes)
        return {"deadline": deadline, "now": self._clock()}

    def has_room_for(self, user_id: uuid.UUID) -> bool:
        return (
            len(self._streams) < STREAMS_AT_MOST
            and self._of_person[user_id] < self._settings.streams_per_person
        )

    def count(self) -> int:
        """Open streams."""
        return len(self._streams)

    async def knows(self, position: Position) -> bool:
        """Whether it can have been handed out; one of another process may be ahead of this."""
        async with self._lock:
            if self._position is None or not self._streams:
                async with self._pool.connection() as connection:
                    return (await sources.head(connection)).covers(position)
            if not self._position.covers(position):
                await self._look_at_all()
            return self._position.covers(position)

    async def attach(self, stream: Listening) -> Position:
        """Offer a client everything after the position that is answered."""
        async with self._lock:
            if not self._streams or self._position is None:
                async with self._pool.connection() as connection:
                    self._position = await sources.head(connection)
            self._streams.add(stream)
            self._of_person[stream.user_id] += 1
            return self._position

    def detach(self, stream: Listening) -> None:
        if stream not in self._streams:
            return
        self._streams.remove(stream)
        self._of_person[stream.user_id] -= 1
        if not self._of_person[stream.user_id]:
            del self._of_person[stream.user_id]

    @property
    def position(self) -> Position | None:
        """Everything up to here was offered to who was attached; None: nobody ever was."""
        return self._position

    def end_all(self, why: str) -> None:
        for stream in list(self._streams):
            stream.end(why)

    async def run(self) -> None:
        """Read and hand out until cancelled."""
        while True:
            try:
                async with asyncio.timeout(LOOKS_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                async with self._lock:
                    await self._look_at_all()
            except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
                logger.warning("streams wait for the database: %s", error)
                await asyncio.sleep(PAUSE_AFTER_FAILURE_S)
            except Exception:
                logger.exception("an event could not be handed out; it is tried again")
                await asyncio.sleep(PAUSE_AFTER_FAILURE_S)

    async def _look_at_all(self) -> None:
        while self._streams and self._position is not None:
            streams = list(self._streams)
            look = await self._look(self._position, streams)
            self._hand_out(look, streams)
            if look.is_all:
                break

    async def _look(self, after: Position, streams: Sequence[Listening]) -> _Look:
        people = list({stream.user_id for stream in streams})
        async with self._pool.connection() as connection:
            await act_as(connection, None, self._clock())
            upto = (await sources.head(connection)).joined(after)
            events, here = await sources.between(connection, after, upto, people, EVENTS_AT_ONCE)
            may = await sources.may_be_told(connection, events, people, self._clock())
            good = await credential.good(
                connection, [stream.credential for stream in streams], system_clock()
            )
            contents = await self._contents(connection, events, may)
        return _Look(events, contents, may, good, here, is_all=here == upto)

    async def _contents(
        self,
        connection: psycopg.AsyncConnection,
        events: Sequence[Happened],
        may: Mapping[int, frozenset[uuid.UUID]],
    ) -> dict[int, bytes]:
        """Each event's content, read as the one of those who may be told who may be told most."""
        most = Counter(person for people in may.values() for person in people)
        read_by: dict[uuid.UUID, list[int]] = defaultdict(list)
        for n, people in may.items():
            if people:
                read_by[max(people, key=lambda person: (most[person], person))].append(n)
        found: dict[int, bytes] = {}
        proof = self.proof()
        for person, numbers in read_by.items():
            await act_as(connection, person, proof["now"])
            read = await told.contents(connection, [events[n] for n in numbers], proof)
            for n in numbers:
                content = read.get((events[n].source, events[n].key))
                if content is not None:
                    found[n] = content
        return found

    def _hand_out(self, look: _Look, streams: Sequence[Listening]) -> None:
        """Without awaiting: a client is either before all of it or behind all of it."""
        now = system_clock()
        for stream in streams:
            if stream.credential.name not in look.good or stream.credential.is_over(now):
                stream.forget()
                stream.end("the credential has ended")
        frames = {n: self.frame(look.events[n], content) for n, content in look.contents.items()}
        for n, frame in sorted(frames.items()):
            for stream in streams:
                if stream.user_id in look.told[n] and stream.wants(look.events[n]):
                    stream.offer(frame)
        self._position = look.position

    def frame(self, event: Happened, content: bytes) -> bytes:
        """An event as the stream sends it."""
        name = self.positions.show(event.position).encode()
        return b"id: %b\nevent: %b\ndata: %b\n\n" % (name, event.type.encode(), content)
