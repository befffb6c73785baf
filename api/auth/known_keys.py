"""API keys that were looked up a moment ago.

Theory of operation: an entry is found by the sha256 of what was presented, and holds
for thirty seconds, for the minute in which its use was noted, and until the key
expires, whichever ends first: that is one comparison on each hit, because time sends no
notice. Any change of a key or a role is told by the database, and removes its owner's
entries. A look-up that began before such a notice must not store what it read, so
each notice counts `_generation` up, and a look-up stores only in the generation it
began in. While nobody hears the notices, every key is looked up anew.

Look-ups of one key at a time are not joined into one: who comes after a revocation must
not be given the answer of a look-up that began before it.
"""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg_pool import AsyncConnectionPool

from api.api_keys import keys
from api.api_keys.keys import HeldKey
from api.auth.caller import Caller
from api.listener import Listener
from sql.session import act_as

CHANNEL = "signalbox_credential"
TTL = timedelta(seconds=30)
MINUTE = timedelta(minutes=1)
ENTRIES_AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    since: datetime
    until: datetime


class KnownKeys:
    """The look-up of API keys of one process."""

    def __init__(
        self,
        pool: AsyncConnectionPool[psycopg.AsyncConnection],
        listener: Listener,
        environment: str,
    ) -> None:
        self._pool = pool
        self._listener = listener
        self._environment = environment
        self._known: dict[bytes, _Known] = {}
        self._noted_after_end: dict[str, datetime] = {}
        self._generation = 0
        listener.subscribe(CHANNEL, heard=self._heard, lost=self._forget_all)

    async def caller(self, credential: str, now: datetime) -> Caller | None:
        """Whose key it is; None if it is unknown, of another environment, expired or revoked."""
        digest = _digest(credential)
        known = self._known.get(digest)
        if known is not None and known.since <= now < known.until and self._listener.is_up:
            return known.caller
        return await self._look_up(credential, digest, now)

    def has_seen(self, credential: str) -> bool:
        """Whether it was good in this process, some time since its owner's keys last changed."""
        return _digest(credential) in self._known

    def forget(self, user_id: uuid.UUID) -> None:
        """A person's keys or role have changed."""
        self._generation += 1
        for digest, known in list(self._known.items()):
            if known.caller.user_id == user_id:
                del self._known[digest]

    async def _look_up(self, credential: str, digest: bytes, now: datetime) -> Caller | None:
        generation = self._generation
        async with self._pool.connection() as connection:
            await act_as(connection, None, now)
            held = await keys.held(connection, self._environment, credential, now)
            if held is not None and not isinstance(held, HeldKey):
                if self._is_to_be_noted(held.id, now):
                    await keys.note_use_after_end(connection, held, now)
                return None
        if held is None:
            return None
        if self._listener.is_up and generation == self._generation:
            self._store(digest, held, now)
        return held.caller

    def _store(self, digest: bytes, held: HeldKey, now: datetime) -> None:
        if digest not in self._known and len(self._known) >= ENTRIES_AT_MOST:
            del self._known[next(iter(self._known))]
        end_of_minute = now.replace(second=0, microsecond=0) + MINUTE
        until = min(now + TTL, end_of_minute, held.expires_at or end_of_minute)
        self._known[digest] = _Known(held.caller, now, until)

    def _is_to_be_noted(self, key_id: str, now: datetime) -> bool:
        """Once a minute for each key: the log of acts is not for an attacker to fill."""
        last = self._noted_after_end.get(key_id)
        if last is not None and abs(now - last) < MINUTE:
            return False
        if len(self._noted_after_end) >= ENTRIES_AT_MOST:
            self._noted_after_end.clear()
        self._noted_after_end[key_id] = now
        return True

    def _heard(self, payload: str) -> None:
        self.forget(uuid.UUID(payload))

    def _forget_all(self) -> None:
        self._generation += 1
        self._known.clear()


def _digest(credential: str) -> bytes:
    return hashlib.sha256(credential.encode("utf-8", "surrogatepass")).digest()
