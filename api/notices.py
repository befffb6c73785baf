"""One connection that LISTENs: notices as they come, and whether it has heard all there were.

Theory of operation: Postgres signals every listening backend before the client of a
transaction is told that it committed, and a backend that was signalled sends its notices
before it says that it is ready for another query. So an empty query sent on the listening
connection is answered after the notices of everything that anybody was told is committed
by then: one round trip makes a cache exact. Whoever asks while a round is under way waits
for the next one, together with all who ask meanwhile, so that many readers share its cost.

The connection is driven through libpq, because that round stands before each hot read.
"""

import asyncio
from collections.abc import Callable

import psycopg
from psycopg.pq.abc import PGconn

ASKED_EVERY_S = 5.0
ANSWERS_WITHIN_S = 3.0
LOOKED_AFTER_EVERY_S = 0.5


class Notices:
    """Reads `pgconn`, whose LISTENs are done, while `run` runs.

    Args:
        heard: called with channel and payload of each notice.
        lost: called before those who wait are told that nothing is known any more.
    """

    def __init__(
        self, pgconn: PGconn, heard: Callable[[str, str], None], lost: Callable[[], None]
    ) -> None:
        self._pgconn = pgconn
        self._heard = heard
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._waiting: list[asyncio.Future[bool]] = []
        self._asking: list[asyncio.Future[bool]] = []
        self._is_asking = False
        self._is_due = False
        self._asked_at = self._loop.time()
        self._failed: asyncio.Future[None] = self._loop.create_future()

    async def run(self) -> None:
        """Hear until the connection is lost, which raises."""
        socket = self._pgconn.socket
        self._loop.add_reader(socket, self._read)
        try:
            while True:
                await asyncio.wait([self._failed], timeout=LOOKED_AFTER_EVERY_S)
                if self._failed.done():
                    self._failed.result()
                self._look_after()
        finally:
            self._loop.remove_reader(socket)
            self._lost()
            self._answer(self._asking + self._waiting, is_caught_up=False)

    def caught_up(self) -> asyncio.Future[bool]:
        """Done when all is heard that was committed by now; False: the connection was lost."""
        future = self._loop.create_future()
        if self._failed.done():
            future.set_result(False)
            return future
        self._waiting.append(future)
        self._begin_soon()
        return future

    def _begin_soon(self) -> None:
        # Whoever is ready to ask in this turn of the loop shares the round.
        if not self._is_due and not self._is_asking:
            self._is_due = True
            self._loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._is_due = False
        if self._failed.done():
            return
        self._asking, self._waiting = self._waiting, []
        self._is_asking = True
        self._asked_at = self._loop.time()
        try:
            self._pgconn.send_query(b"")
            self._pgconn.flush()
        except psycopg.Error as error:
            self._fail(error)

    def _read(self) -> None:
        try:
            self._pgconn.consume_input()
            is_answered = self._is_answered()
            while (notice := self._pgconn.notifies()) is not None:
                self._heard(notice.relname.decode(), notice.extra.decode())
        except Exception as error:  # noqa: BLE001 - whatever it is, this connection hears no more
            self._fail(error)
            return
        if is_answered:
            asking, self._asking = self._asking, []
            self._is_asking = False
            self._answer(asking, is_caught_up=True)
            if self._waiting:
                self._begin_soon()

    def _is_answered(self) -> bool:
        while not self._pgconn.is_busy():
            if self._pgconn.get_result() is None:
                return self._is_asking
        return False

    def _look_after(self) -> None:
        since = self._loop.time() - self._asked_at
        if self._is_asking and since > ANSWERS_WITHIN_S:
            raise TimeoutError("no answer")
        if not self._is_asking and since > ASKED_EVERY_S:
            self._begin_soon()

    def _fail(self, error: Exception) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)
            self._loop.remove_reader(self._pgconn.socket)

    def _answer(self, waiting: list[asyncio.Future[bool]], *, is_caught_up: bool) -> None:
        for future in waiting:
            if not future.done():
                future.set_result(is_caught_up)
