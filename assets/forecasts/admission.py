"""Which versions run at once, and which is next.

Theory of operation: a run counts against the CPU bound in its first second and
then steps aside, so that sleepers and spinners up to their time-out delay
nobody's first second; its memory counts until it ends. Providers take turns.
Within a provider the slow go first, the slowest before the others, because a
tick is as long as what ends last; the quick follow shard by shard, so that
Dagster can show one shard while the next runs. But of a provider's versions that
are slow, or that nobody has seen run, only a share goes at once, so that many of
them fill neither the machine nor the memory. What is known to be quick is never
held back by them.

Deliberately absent: GPU slots, because no manifest can ask for a GPU.
"""

import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assets.forecasts.version import PublishedVersion
from sandbox.runner.limits import Limits

STEP_ASIDE_SECONDS = 1.0
RUNS_PER_CORE = 2
MACHINE_SHARE = 1 / 3


def default_memory_mb() -> int:
    """A third of the machine's memory, in MiB: two ticks at once leave a third to the rest."""
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return int(installed * MACHINE_SHARE) // 2**20


@dataclass(frozen=True)
class Room:
    """What a tick may take.

    Attributes:
        cpu: runs in their first second; also each provider's share of runs that are
            not known to be quick.
        memory_mb: of all runs together, by their manifests; one that asks for more
            runs alone.
        runs: whatever they need; bounds threads and descriptors.
    """

    cpu: int
    memory_mb: int
    runs: int = 128

    @classmethod
    def of_machine(cls, memory_mb: int | None = None) -> "Room":
        """By this machine's cores, and the operator's memory budget if there is one."""
        return cls(RUNS_PER_CORE * (os.cpu_count() or 1), memory_mb or default_memory_mb())


@dataclass(frozen=True)
class _Run:
    provider: str
    memory_mb: int
    is_quick: bool
    began: float


class Admission:
    """The queue of one tick. Clocks are monotonic seconds, passed in."""

    def __init__(
        self, versions: Sequence[PublishedVersion], cost_ms: Mapping[int, float], room: Room
    ) -> None:
        """Queue the versions.

        Args:
            versions: all of the tick's.
            cost_ms: what a version last took, by id; without it nobody knows.
            room: what they may take together.
        """
        self._room = room
        self._cost_ms = cost_ms
        self._running: dict[int, _Run] = {}
        self._quick: dict[str, deque[PublishedVersion]] = {}
        self._others: dict[str, deque[PublishedVersion]] = {}
        for version in sorted(versions, key=self._rank):
            queues = self._quick if self._is_quick(version) else self._others
            queues.setdefault(version.provider, deque()).append(version)
        self._turns = deque(sorted({version.provider for version in versions}))

    @property
    def waiting(self) -> int:
        """How many have not begun."""
        queues = (*self._quick.values(), *self._others.values())
        return sum(len(queue) for queue in queues)

    @property
    def running(self) -> int:
        """How many have begun and not ended."""
        return len(self._running)

    def start_next(self, clock: float) -> PublishedVersion | None:
        """Take the next version that there is room for; None when nothing may begin now."""
        young = sum(clock - run.began < STEP_ASIDE_SECONDS for run in self._running.values())
        if young >= self._room.cpu or len(self._running) >= self._room.runs:
            return None
        for _ in range(len(self._turns)):
            provider = self._turns[0]
            self._turns.rotate(-1)
            for queue in self._open_queues(provider):
                version = self._take_fitting(queue)
                if version is not None:
                    self._running[version.id] = _Run(
                        provider, _memory_mb(version), self._is_quick(version), clock
                    )
                    return version
        return None

    def end(self, version_id: int) -> None:
        """A run has ended, however it did."""
        del self._running[version_id]

    def give_up(self) -> None:
        """Nothing that waits will begin."""
        self._quick.clear()
        self._others.clear()

    def seconds_to_room(self, clock: float) -> float | None:
        """Until the next run steps aside; None when only an end makes room."""
        ages = (clock - run.began for run in self._running.values())
        left = [STEP_ASIDE_SECONDS - age for age in ages if age < STEP_ASIDE_SECONDS]
        return min(left) if left and self.waiting else None

    def _open_queues(self, provider: str) -> list[deque[PublishedVersion]]:
        others = self._others.get(provider, deque())
        quick = self._quick.get(provider, deque())
        share = sum(run.provider == provider and not run.is_quick for run in self._running.values())
        return [others, quick] if share < self._room.cpu else [quick]

    def _take_fitting(self, queue: deque[PublishedVersion]) -> PublishedVersion | None:
        left = self._room.memory_mb - sum(run.memory_mb for run in self._running.values())
        for version in queue:
            if _memory_mb(version) <= left or not self._running:
                queue.remove(version)
                return version
        return None

    def _rank(self, version: PublishedVersion) -> tuple[float, int]:
        """Slow ones by what they cost; all others in the order of their shards."""
        cost_ms = 0.0 if self._is_quick(version) else self._cost_ms.get(version.id, 0.0)
        return (-cost_ms, version.id)

    def _is_quick(self, version: PublishedVersion) -> bool:
        cost_ms = self._cost_ms.get(version.id)
        return cost_ms is not None and cost_ms < STEP_ASIDE_SECONDS * 1000


def _memory_mb(version: PublishedVersion) -> int:
    return Limits.of(version.manifest).memory_mb
