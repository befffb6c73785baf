"""The pushes that this process is running, by repository.

One git process serves a folder of repositories. So where it has no push running,
no quarantine, lock file or reservation of that repository is in use, and what is
found there was left by a push that was killed.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from weakref import WeakValueDictionary

from sandbox.git.limits import MAX_PUSHES, MAX_PUSHES_PER_PROVIDER
from sandbox.git.refusals import RefusedRequestError

RETRY_SECONDS = 30


class Pushes:
    """Who pushes where; nobody puts a repository right meanwhile."""

    def __init__(self) -> None:
        self._running: Counter[Path] = Counter()
        self._doors: WeakValueDictionary[Path, asyncio.Lock] = WeakValueDictionary()

    @property
    def running(self) -> int:
        return self._running.total()

    @contextlib.asynccontextmanager
    async def push(self, repository: Path, settle: Callable[[], None]) -> AsyncIterator[None]:
        """Count a push, and have `settle` called when the repository's last one has ended.

        Raises:
            RefusedRequestError: too many run.
        """
        self._admit(repository)
        door = self._door(repository)
        async with door:
            self._running[repository] += 1
        try:
            yield
        finally:
            self._running[repository] -= 1
            if not self._running[repository]:
                del self._running[repository]
            await self.undisturbed(repository, settle)

    async def undisturbed(self, repository: Path, settle: Callable[[], None]) -> None:
        """Call `settle` in a thread, unless a push is running there; new ones wait for it."""
        async with self._door(repository):
            if repository not in self._running:
                await asyncio.to_thread(settle)

    def _admit(self, repository: Path) -> None:
        if self._running.total() >= MAX_PUSHES:
            raise RefusedRequestError(
                503, f"{MAX_PUSHES} pushes are running: push again in a while",
                retry_seconds=RETRY_SECONDS,
            )  # fmt: skip
        provider = repository.parent
        own = sum(count for path, count in self._running.items() if path.parent == provider)
        if own >= MAX_PUSHES_PER_PROVIDER:
            raise RefusedRequestError(
                429, f"{own} of your pushes are running: push again when one has ended",
                retry_seconds=RETRY_SECONDS,
            )  # fmt: skip

    def _door(self, repository: Path) -> asyncio.Lock:
        return self._doors.setdefault(repository, asyncio.Lock())
