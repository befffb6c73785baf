"""argon2id, in threads, at the same cost whether or not the person exists.

A hash takes 19 MiB and tens of milliseconds of a core. No more are computed at
once than there are threads here, so that a crowd at the door takes neither the
memory nor the event loop; who would wait for too long is sent away at once.
"""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.problems import Problem

WAITING_PER_THREAD = 64

T = TypeVar("T")


_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@cache
def _nobodys_hash() -> str:
    """Of a password that nobody knows; computed once, as it takes as long as any."""
    return _HASHER.hash(secrets.token_urlsafe())


class Passwords:
    """argon2id with t=2, 19 MiB, p=1 (OWASP's second choice for servers)."""

    def __init__(self, at_once: int) -> None:
        """Hash and verify `at_once` passwords at a time."""
        self._nobodys_hash = _nobodys_hash()
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="argon2")
        self._at_most = at_once * (1 + WAITING_PER_THREAD)
        self._inside = 0

    async def hash(self, password: str) -> str:
        """The PHC string to keep.

        Raises:
            Problem: passwords_busy.
        """
        return await self._in_thread(lambda: _HASHER.hash(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right; None, an unknown person, costs the same.

        Raises:
            Problem: passwords_busy.
        """
        known = password_hash or self._nobodys_hash
        right = await self._in_thread(lambda: self._verify(known, password))
        return right and bool(password_hash)

    def demand_room(self) -> None:
        """Refuse before anything is done for a person whose password nobody has time for.

        Raises:
            Problem: passwords_busy.
        """
        if self._inside >= self._at_most:
            raise Problem("passwords_busy", "Try again in a second.", retry_after_s=1)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        self.demand_room()
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._inside -= 1

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return _HASHER.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
