"""API keys that were looked up a moment ago; `remembered.py` says how that stays true.

Look-ups of one key at a time are not joined into one: who comes after a revocation must
not be given the answer of a look-up that began before it.
"""

import uuid
from datetime import datetime, timedelta

import psycopg
from psycopg_pool import AsyncConnectionPool

from api.api_keys import keys
from api.api_keys.keys import HeldKey
from api.auth.caller import Caller
from api.auth.remembered import CHANNEL, ENTRIES_AT_MOST, Remembered, digest_of
from api.listener import Listener
from sql.session import act_as

__all__ = ["CHANNEL", "KnownKeys"]

MINUTE = timedelta(minutes=1)


class KnownKeys:
    """The look-up of API keys of one process."""

    def __init__(
        self,
        pool: AsyncConnectionPool[psycopg.AsyncConnection],
        listener: Listener,
        environment: str,
    ) -> None:
        self._pool = pool
        self._environment = environment
        self._remembered = Remembered(listener)
        self._noted_after_end: dict[str, datetime] = {}
        self._listener = listener

    async def caller(self, credential: str, now: datetime) -> Caller | None:
        """Whose key it is; None if it is unknown, of another environment, expired or revoked."""
        digest = digest_of(credential)
        if digest in self._remembered and await self._listener.caught_up():
            known = self._remembered.get(digest, now)
            if known is not None:
                return known
        return await self._look_up(credential, digest, now)

    def known(self, credential: str, now: datetime) -> Caller | None:
        """As `caller`, of what is remembered; for those who have `caught_up`."""
        return self._remembered.get(digest_of(credential), now)

    def has_seen(self, credential: str) -> bool:
        """Whether it was good in this process, some time since its owner's keys last changed."""
        return digest_of(credential) in self._remembered

    def forget(self, user_id: uuid.UUID) -> None:
        """A person's keys or role have changed."""
        self._remembered.forget(user_id)

    async def _look_up(self, credential: str, digest: bytes, now: datetime) -> Caller | None:
        generation = self._remembered.generation
        async with self._pool.connection() as connection:
            await act_as(connection, None, now)
            held = await keys.held(connection, self._environment, credential, now)
            if held is not None and not isinstance(held, HeldKey):
                if self._is_to_be_noted(held.id, now):
                    await keys.note_use_after_end(connection, held, now)
                return None
        if held is None:
            return None
        self._remembered.keep(digest, held.caller, now, held.expires_at, generation)
        return held.caller

    def _is_to_be_noted(self, key_id: str, now: datetime) -> bool:
        """Once a minute for each key: the log of acts is not for an attacker to fill."""
        last = self._noted_after_end.get(key_id)
        if last is not None and abs(now - last) < MINUTE:
            return False
        if len(self._noted_after_end) >= ENTRIES_AT_MOST:
            self._noted_after_end.clear()
        self._noted_after_end[key_id] = now
        return True
