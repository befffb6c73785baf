"""Queue events for webhooks and deliver them, in the background of the API's process.

Theory of operation: `account.queue_deliveries` turns what happened into deliveries, each
once, for those who were entitled. `account.take_webhook` gives one process one webhook
with something due, for the length of a lease; it sends the oldest that is due, one after
the other, and no transaction is open while it waits for an answer. What a message says is
read just before, as the webhook's owner, and whether they may still read it is asked then:
if not, the delivery is dropped. A process that dies between sending and noting it leaves
the delivery due: it is sent again under the same id. What fails waits, while others go on.
"""

import asyncio
import contextlib
import logging
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec
import psycopg
import psycopg_pool

from api.events.hub import Hub
from api.installation import Installation
from api.listener import EVENTS
from api.rows import fetch_one
from api.webhooks import messages, outcomes
from api.webhooks.retries import Retries
from api.webhooks.sending import Outcome, Sender
from api.webhooks.signing import SealedElsewhereError, WebhookSecrets, signature
from sql.clock import system_clock

LOOKS_EVERY_S = 1.0
QUEUES_EVERY_S = 5.0
FORGETS_EVERY_S = 600.0
KEPT = timedelta(days=30)
AT_ONCE, AT_ONCE_PER_HOST = 32, 4
LEAVES_AT_ONCE = 500
IN_A_ROW = 20
FORGOTTEN_AT_ONCE = 1000

logger = logging.getLogger(__name__)


class _Taken(msgspec.Struct, frozen=True):
    id: uuid.UUID
    user_id: uuid.UUID
    host: str


class Deliveries:
    """What one process delivers.

    Args:
        installation: of this process.
        hub: knows by when a forecast must be proven.
        sender: posts.
        retries: when to try again.
    """

    def __init__(
        self, installation: Installation, hub: Hub, sender: Sender, retries: Retries | None = None
    ) -> None:
        self.secrets = WebhookSecrets(installation.secret)
        self.sender = sender
        self.retries = retries or Retries()
        self._installation = installation
        self._hub = hub
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()
        self._wake = asyncio.Event()
        self._happened = False
        for channel in EVENTS:
            installation.listener.subscribe(channel, heard=lambda _: self._look(), lost=self._look)

    def wake(self) -> None:
        """Something is due now."""
        self._wake.set()

    def _look(self) -> None:
        self._happened = True
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        loop = asyncio.get_running_loop()
        # The listener calls as soon as it listens.
        queued_at = forgot_at = loop.time()
        try:
            while True:
                try:
                    if self._happened or loop.time() - queued_at > QUEUES_EVERY_S:
                        queued_at = loop.time()
                        await self.queue()
                    if loop.time() - forgot_at > FORGETS_EVERY_S:
                        forgot_at = loop.time()
                        await self._forget()
                    await self._start_all()
                except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
                    logger.warning("webhooks wait for the database: %s", error)
                except Exception:
                    logger.exception("webhooks: unexpected; going on")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOKS_EVERY_S):
                        await self._wake.wait()
                self._wake.clear()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def queue(self) -> None:
        """Turn what happened into deliveries."""
        self._happened = False
        is_more = True
        while is_more:
            async with self._installation.transaction(None, self._installation.clock()) as one:
                found = await one.execute(
                    "select account.queue_deliveries(%s, %s, %s)",
                    [system_clock(), self._installation.clock(), LEAVES_AT_ONCE],
                )
                row = await found.fetchone()
            is_more = bool(row and row[0])

    async def _forget(self) -> None:
        async with self._installation.transaction(None, self._installation.clock()) as connection:
            await connection.execute(
                "select account.forget_deliveries(%s, %s)",
                [system_clock() - KEPT, FORGOTTEN_AT_ONCE],
            )

    async def _start_all(self) -> None:
        while len(self._tasks) < AT_ONCE:
            taken = await self.take(system_clock())
            if taken is None:
                return
            self._busy[taken.host] += 1
            task = asyncio.create_task(self._deliver(taken))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def take(self, now: datetime) -> _Taken | None:
        """A webhook with something due, whose host is not busy enough already."""
        full = [host for host, count in self._busy.items() if count >= AT_ONCE_PER_HOST]
        async with self._installation.transaction(None, now) as connection:
            return await fetch_one(
                connection, _Taken, "select * from account.take_webhook(%s, %s, %s::text[])",
                [now, self.retries.lease, full],
            )  # fmt: skip

    async def _deliver(self, taken: _Taken) -> None:
        try:
            await self.deliver(taken)
        except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
            logger.warning("webhook %s waits for the database: %s", taken.id, error)
        except Exception:
            logger.exception("webhook %s: unexpected", taken.id)
        finally:
            self._busy[taken.host] -= 1
            if not self._busy[taken.host]:
                del self._busy[taken.host]
            self._wake.set()

    async def deliver(self, taken: _Taken) -> None:
        """Send what is due, in order, until something fails."""
        for _ in range(IN_A_ROW):
            message = await self._next(taken)
            if message is None:
                break
            outcome = await self._send(message)
            if outcome is None:
                return
            async with self._as_owner(taken) as connection:
                await outcomes.note(
                    connection, self._installation.clock(), system_clock(), self.retries, message,
                    outcome,
                )  # fmt: skip
            if not outcome.is_delivered:
                return
        async with self._as_owner(taken) as connection:
            await outcomes.release(connection, taken.id, system_clock())

    @contextlib.asynccontextmanager
    async def _as_owner(self, taken: _Taken) -> AsyncIterator[psycopg.AsyncConnection]:
        now = self._installation.clock()
        async with self._installation.transaction(taken.user_id, now) as connection:
            yield connection

    async def _next(self, taken: _Taken) -> messages.Message | None:
        """The oldest that is due and may still be told; what may not is dropped."""
        while True:
            now, world_now = self._installation.clock(), system_clock()
            async with self._as_owner(taken) as connection:
                until = world_now + self.retries.lease
                webhook = await messages.hold(connection, taken.id, until)
                if webhook is None:
                    return None
                due = await messages.next_due(connection, webhook, world_now)
                if due is None:
                    return None
                if world_now - due.next_attempt_at > self.retries.stale_after:
                    await outcomes.give_up(connection, due.id, "its webhook was disabled too long")
                    continue
                content = await messages.content(connection, webhook, due, self._hub.proof(), now)
                if content is None:
                    await outcomes.drop(connection, due.id)
                    continue
                return messages.Message(webhook, due, content)

    async def _send(self, message: messages.Message) -> Outcome | None:
        """None: the secret does not open, and the webhook is disabled for it."""
        webhook, now = message.webhook, system_clock()
        try:
            keys = self._keys(webhook, now)
        except SealedElsewhereError as error:
            logger.error("%s", error)  # noqa: TRY400 - where it was raised says nothing
            platform_now = self._installation.clock()
            async with self._installation.transaction(webhook.user_id, platform_now) as connection:
                await outcomes.disable(connection, platform_now, now, webhook, "secret")
            return None
        name, timestamp = str(message.due.id), int(now.timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Signalbox-Webhooks/1",
            "webhook-id": name,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(keys, name, timestamp, message.body),
        }
        return await self.sender.post(webhook.url, headers, message.body)

    def _keys(self, webhook: messages.Webhook, now: datetime) -> list[bytes]:
        keys = [self.secrets.open(webhook.secret, webhook.id, webhook.user_id)]
        until = webhook.old_secret_until
        if webhook.old_secret is not None and until is not None and now < until:
            # A lost one was the reason to rotate.
            with contextlib.suppress(SealedElsewhereError):
                keys.append(self.secrets.open(webhook.old_secret, webhook.id, webhook.user_id))
        return keys
