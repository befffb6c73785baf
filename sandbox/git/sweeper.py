"""When the janitor looks: at the start, after each push, and every few minutes."""

import asyncio
import contextlib
import fcntl
import logging
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import psycopg

from sandbox.git import janitor
from sandbox.git.pushes import Pushes
from sandbox.git.repository import repositories
from sandbox.git.settings import GitSettings
from sandbox.runner.reaper import reap_everywhere
from sql.clock import clock_of, system_clock
from sql.roles import conninfo

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10


class AlreadyServedError(RuntimeError):
    """Another git process serves this folder: two would sweep each other's pushes."""


class Sweeper:
    """Calls the janitor for one folder of repositories."""

    def __init__(self, settings: GitSettings, pushes: Pushes) -> None:
        self._settings = settings
        self._pushes = pushes
        self._now = clock_of(settings.environment, settings.demo_clock)
        # What to look at next time: all at first, then what was pushed to, or did not work.
        self._due: set[Path] = set()

    def after_push(self, repository: Path) -> None:
        """Put a repository right whose last push has ended."""
        self._due.add(repository)
        self._settle(repository)

    @contextlib.asynccontextmanager
    async def sweeping(self) -> AsyncIterator[None]:
        """Hold the folder for this process, and sweep it until the end.

        Raises:
            AlreadyServedError: another process holds it.
        """
        with _held(self._settings.root):
            await asyncio.to_thread(janitor.end_left_processes, self._settings.root)
            self._due = set(repositories(self._settings.root))
            sweeping = asyncio.create_task(self._sweep_for_ever())
            try:
                yield
            finally:
                sweeping.cancel()
                await asyncio.gather(sweeping, return_exceptions=True)

    async def _sweep_for_ever(self) -> None:
        while True:
            due, self._due = self._due, set()
            for repository in sorted(due):
                await self._pushes.undisturbed(repository, partial(self._sweep, repository))
            await asyncio.to_thread(self._reap)
            await asyncio.sleep(self._settings.push_sweep_seconds)

    def _sweep(self, repository: Path) -> None:
        if self._settle(repository):
            janitor.tidy(repository)
        else:
            self._due.add(repository)

    def _settle(self, repository: Path) -> bool:
        try:
            with psycopg.connect(
                conninfo(self._settings.database_url),
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
            ) as connection:
                janitor.settle(connection, self._settings.root, repository, self._now())
        except Exception:
            log.exception("%s could not be put right; tried again later", repository)
            return False
        return True

    def _reap(self) -> None:
        """Sandboxes whose hook was killed; where git runs alone, nobody else looks."""
        try:
            for ended in reap_everywhere(system_clock()):
                log.warning("ended a sandbox that was left over: %s", ended)
        except Exception:
            log.exception("left-over sandboxes could not be ended; tried again later")


@contextlib.contextmanager
def _held(root: Path) -> Iterator[None]:
    with (root / ".served").open("w") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyServedError(
                f"another git process serves {root}: end it, or set SIGNALBOX_REPOSITORIES"
            ) from None
        yield
