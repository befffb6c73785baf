"""Where limits are counted: in this process, or in Postgres where several share them.

Both keep one instant for each key, by the generic cell rate algorithm (ITU-T I.371): a
bucket of `per_minute` tokens is full again at that instant, and each token taken moves
it on by a minute / `per_minute`. A token can be had while that is at most a minute
away. What is full needs no row, so forgetting it loses nothing.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import psycopg
import psycopg_pool

logger = logging.getLogger(__name__)

MINUTE_S = 60.0
KEYS_AT_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a wish for one token.

    Attributes:
        remaining: tokens left.
        full_in_s: seconds until the bucket is full.
        next_in_s: seconds until there is a token; 0 where there is one.
    """

    allowed: bool
    remaining: int
    full_in_s: float
    next_in_s: float


class Store(Protocol):
    async def take(self, key: str, per_minute: int, now: float) -> Taken:
        """Take one token of the bucket `key`; `now` in seconds since 1970, UTC."""


def _taken(full_at: float, per_minute: int, now: float, *, allowed: bool) -> Taken:
    full_in_s = max(full_at - now, 0.0)
    every_s = MINUTE_S / per_minute
    remaining = int((MINUTE_S - full_in_s) / every_s + 1e-6) if allowed else 0
    return Taken(allowed, remaining, full_in_s, max(full_in_s + every_s - MINUTE_S, 0.0))


class ProcessStore:
    """Counts in this process."""

    def __init__(self) -> None:
        self._full_at: dict[str, float] = {}

    async def take(self, key: str, per_minute: int, now: float) -> Taken:
        full_at = max(self._full_at.get(key, 0.0), now)
        after = full_at + MINUTE_S / per_minute
        if after > now + MINUTE_S + 1e-9:
            return _taken(full_at, per_minute, now, allowed=False)
        if key not in self._full_at and len(self._full_at) >= KEYS_AT_MOST:
            self._make_room(now)
        self._full_at[key] = after
        return _taken(after, per_minute, now, allowed=True)

    def _make_room(self, now: float) -> None:
        """Forget what is full; if nothing is, the tenth that is nearest to it."""
        by_time = sorted(self._full_at.items(), key=lambda item: item[1])
        kept = [item for item in by_time if item[1] > now][-KEYS_AT_MOST * 9 // 10 :]
        self._full_at = dict(kept)


class PostgresStore:
    """Counts in `account.rate_limit`, for all processes of an installation.

    The keys there are digests: no address and no account stands in that table. Where the
    database does not answer nobody is refused; no route gives much without it.
    """

    def __init__(self, pool: psycopg_pool.AsyncConnectionPool[psycopg.AsyncConnection]) -> None:
        self._pool = pool

    async def take(self, key: str, per_minute: int, now: float) -> Taken:
        at = datetime.fromtimestamp(now, UTC)
        every = timedelta(seconds=MINUTE_S / per_minute)
        digest = hashlib.sha256(key.encode()).digest()
        try:
            async with self._pool.connection() as connection:
                found = await connection.execute(
                    "select full_at, was_refused from account.take_token(%s, %s, %s, %s)",
                    [digest, at, every, timedelta(seconds=MINUTE_S)],
                )
                row = await found.fetchone()
        except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
            logger.warning("limits are not counted: no answer from the database: %s", error)
            return Taken(allowed=True, remaining=per_minute, full_in_s=0.0, next_in_s=0.0)
        assert row is not None  # noqa: S101 - the function always answers
        full_at, was_refused = row
        return _taken(full_at.timestamp(), per_minute, now, allowed=not was_refused)
