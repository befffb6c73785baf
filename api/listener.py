"""Hears the database's notices, and says when it cannot: what a cache of rows needs.

Theory of operation: one connection of its own LISTENs. When it is lost, every
subscriber is told at once, and `is_up` is false until a new one listens: what was
committed meanwhile is never heard of. So a cache clears itself when it is told, and is
bypassed until then. A connection that has died without a word is found by asking it
something every few seconds; whatever is cached should end by itself after some seconds
more. It begins again for ever, at most five seconds apart.

    listener = Listener(conninfo, ("signalbox_slot",))
    listener.subscribe("signalbox_slot", heard=refresh, lost=clear)

Who must not miss what was committed a moment ago waits for `caught_up` first: see
`api/notices.py` for what that costs, and why it is exact.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from api.notices import ANSWERS_WITHIN_S, Notices

logger = logging.getLogger(__name__)

EVENTS = ("signalbox_slot", "signalbox_billing", "signalbox_version")
"""Channels on which the database tells that something happened."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 5.0


@dataclass(frozen=True)
class _Subscription:
    channel: str
    heard: Callable[[str], None]
    lost: Callable[[], None]


class Listener:
    """Listens to `channels` while `run` runs.

    Attributes:
        is_up: a connection listens now; what is committed from now on is heard of.
    """

    def __init__(self, conninfo: str, channels: tuple[str, ...]) -> None:
        self._conninfo = conninfo
        self._channels = channels
        self._subscriptions: list[_Subscription] = []
        self._notices: Notices | None = None
        self._has_said = False
        self.is_up = False

    def subscribe(
        self, channel: str, heard: Callable[[str], None], lost: Callable[[], None]
    ) -> Callable[[], None]:
        """Call `heard` with each notice's payload; returns what ends the subscription.

        `lost` is called when the connection is lost, and before the first notice of a new one.

        Raises:
            ValueError: the channel is none of those listened to.
        """
        if channel not in self._channels:
            raise ValueError(f"{channel!r} is none of {', '.join(self._channels)}")
        subscription = _Subscription(channel, heard, lost)
        self._subscriptions.append(subscription)
        return lambda: self._subscriptions.remove(subscription)

    async def caught_up(self) -> bool:
        """Wait until every notice of what was committed before this call has been heard.

        False: nobody listens, so nothing that is cached may be used.
        """
        if self._notices is None or not self.is_up:
            return False
        return await self._notices.caught_up()

    async def run(self) -> None:
        """Listen until cancelled."""
        pause = FIRST_PAUSE_S
        while True:
            try:
                async with await self._connect() as connection:
                    pause = FIRST_PAUSE_S
                    await self._listen(connection)
            except Exception as error:  # noqa: BLE001 - caches rely on it: it must never end
                self._say(error)
            finally:
                self._is_lost()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(
            self._conninfo,
            autocommit=True,
            application_name="signalbox api listener",
            connect_timeout=int(ANSWERS_WITHIN_S),
        )

    async def _listen(self, connection: psycopg.AsyncConnection) -> None:
        for channel in self._channels:
            await connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
        # Whoever began to fill a cache before this moment may have read what is older.
        self._tell_lost()
        self._notices = Notices(connection.pgconn, self._tell, self._is_lost)
        self.is_up, self._has_said = True, False
        await self._notices.run()

    def _is_lost(self) -> None:
        self.is_up = False
        self._notices = None
        self._tell_lost()

    def _tell(self, channel: str, payload: str) -> None:
        for subscription in list(self._subscriptions):
            if subscription.channel == channel:
                subscription.heard(payload)

    def _tell_lost(self) -> None:
        for subscription in list(self._subscriptions):
            subscription.lost()

    def _say(self, error: Exception) -> None:
        # Once for each connection that was lost: not at every attempt of a long outage.
        if not self._has_said:
            self._has_said = True
            logger.warning(
                "the connection that hears of changes is lost (%s); beginning anew", error
            )
