"""The zygotes of one engine, by what they have imported and for whom."""

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable

from sandbox.runner.errors import SandboxUnavailableError
from sandbox.runner.image import Image
from sandbox.runner.zygote import LIMITS, Zygote

Key = tuple[str, ...]


class Zygotes:
    """Starts zygotes when they are asked for and ends those that were not for longest.

    Zygotes of different keys start side by side, two of one key never.
    """

    def __init__(self, engine: str, start: Callable[[Image], Zygote], memory_mb: float) -> None:
        self._engine = engine
        self._start = start
        self._memory_mb = memory_mb
        self._lock = threading.Lock()
        self._starting: dict[Key, threading.Lock] = {}
        self._by_key: OrderedDict[Key, Zygote] = OrderedDict()
        self._retired: list[Zygote] = []
        self._closed = False

    def __len__(self) -> int:
        return len(self._by_key)

    def take(self, key: Key, image: Image) -> Zygote:
        """The zygote of this key; started if there is none. Give it back.

        Raises:
            SandboxUnavailableError: it cannot be started, or this engine is closed.
            OSError: the host has no room for it.
        """
        with self._lock:
            one_at_a_time = self._starting.setdefault(key, threading.Lock())
        with one_at_a_time:
            found = self._found(key)
            if found is None:
                found = self._start(image)
                self._add(key, found)
        self._tidy()
        return found

    def give_back(self, zygote: Zygote) -> None:
        """A run of it has ended."""
        with self._lock:
            zygote.runs -= 1
        self._tidy()

    def close(self) -> None:
        """End all, whatever runs."""
        with self._lock:
            self._closed = True
            ended = [*self._by_key.values(), *self._retired]
            self._by_key.clear()
            self._retired.clear()
        with contextlib.ExitStack() as all_of_them:
            for zygote in ended:
                all_of_them.callback(zygote.end)

    def _found(self, key: Key) -> Zygote | None:
        with self._lock:
            self._check_open()
            found = self._by_key.get(key)
            if found is None:
                return None
            if not _is_fit(found):
                self._retired.append(self._by_key.pop(key))
                return None
            self._by_key.move_to_end(key)
            found.runs += 1
            return found

    def _add(self, key: Key, started: Zygote) -> None:
        with self._lock:
            if not self._closed:
                started.runs += 1
                self._by_key[key] = started
                return
        started.end()
        self._check_open()

    def _check_open(self) -> None:
        if self._closed:
            raise SandboxUnavailableError(self._engine, "this engine was closed", "Make another")

    def _tidy(self) -> None:
        """End what is over the budget, outside the lock: others need not wait for it."""
        with self._lock:
            over = sum(zygote.memory_mb for zygote in self._by_key.values()) - self._memory_mb
            for key, zygote in list(self._by_key.items()):
                if over > 0 and zygote.runs == 0:
                    over -= zygote.memory_mb
                    self._retired.append(self._by_key.pop(key))
            ended = [zygote for zygote in self._retired if zygote.runs == 0]
            self._retired = [zygote for zygote in self._retired if zygote.runs > 0]
        for zygote in ended:
            zygote.end()


def _is_fit(zygote: Zygote) -> bool:
    # Before the reaper takes its cgroup for a leftover.
    return zygote.alive and zygote.age_seconds < LIMITS.lifetime_seconds / 2
