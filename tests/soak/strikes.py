"""Killing what runs, by pid and only of one installation, and seeing it come back.

A process is known as ours by the installation's folder in its environment; what a sandbox
runs has no environment, and is known as a descendant of a run worker, or by a mount.
"""

import contextlib
import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from pipelines.operator.supervisor import Program
from tests.chaos.test_kills import descendants, kill
from tests.soak.installation import Soaked

SERVICES = (
    "signer", "log", "code-server", "api", "git", "dagster-webserver", "dagster-daemon",
    "postgres", "run-worker", "sandbox",
)  # fmt: skip
RECOVERY_SECONDS = 120.0
# What a client may still notice of a kill after the service answers again.
AFTERMATH_SECONDS = 15.0
PATIENCE_SECONDS = 20.0


@dataclass
class Strike:
    """One kill. Times are of `time.monotonic`; `back_at` is None while it is awaited."""

    service: str
    at: float
    back_at: float | None = None


@dataclass
class Strikes:
    """Kills one installation's processes at random, each service equally often."""

    soaked: Soaked
    dice: random.Random
    done: list[Strike] = field(default_factory=list)
    _bag: list[str] = field(default_factory=list)

    def next(self) -> Strike | None:
        """Kill one of the next service in the bag; None when none of it runs just now."""
        if not self._bag:
            self._bag = list(SERVICES)
            self.dice.shuffle(self._bag)
        service = self._bag[-1]
        pids = self._victims(service)
        if not pids:
            self.dice.shuffle(self._bag)
            return None
        self._bag.pop()
        if not kill(self.dice.choice(pids)):
            return None
        self.done.append(Strike(service, time.monotonic()))
        return self.done[-1]

    def look(self) -> None:
        """Note which services are back.

        Raises:
            RuntimeError: one is not, after `RECOVERY_SECONDS`.
        """
        for strike in self.done:
            if strike.back_at is not None:
                continue
            now = time.monotonic()
            if now - strike.at > 1 and self._is_back(strike.service):
                strike.back_at = now
            elif now - strike.at > RECOVERY_SECONDS:
                raise RuntimeError(
                    f"{strike.service} is not back {RECOVERY_SECONDS:.0f} s after it was killed;"
                    f" see {self.soaked.home.logs}"
                )

    def excuses(self, began: float, ended: float, needed: Collection[str]) -> bool:
        """May what lasted from `began` to `ended` have failed for the kill of what it needs?"""
        return any(
            one.service in needed
            and one.at <= ended
            and (one.back_at is None or began <= one.back_at + AFTERMATH_SECONDS)
            for one in self.done
        )

    def counts(self) -> Counter[str]:
        return Counter(one.service for one in self.done)

    def recoveries(self) -> dict[str, list[float]]:
        """Seconds from kill to answer, by service."""
        found: dict[str, list[float]] = defaultdict(list)
        for one in self.done:
            if one.back_at is not None:
                found[one.service].append(round(one.back_at - one.at, 1))
        return dict(found)

    def _victims(self, service: str) -> list[int]:
        if service == "postgres":
            return [postmaster(self.soaked.root)]
        if service == "run-worker":
            return self._workers()
        if service == "sandbox":
            return [pid for worker in self._workers() for pid in descendants(worker)]
        process = self._program(service).process
        if process is None or process.poll() is not None:
            return []
        if service == "code-server":  # it, the server of its own, or that server's
            return [process.pid, *(p for p in descendants(process.pid) if "grpc" in command(p)
                                   or "code-server" in command(p))]  # fmt: skip
        return [process.pid]

    def _workers(self) -> list[int]:
        return [pid for pid in ours(self.soaked.root) if is_run_worker(pid)]

    def _program(self, name: str) -> Program:
        return next(one for one in self.soaked.house.supervisor.programs if one.name == name)

    def _is_back(self, service: str) -> bool:
        if service in ("run-worker", "sandbox"):
            return True
        with contextlib.suppress(psycopg.OperationalError, OSError):
            if service == "postgres":
                self.soaked.connect().close()
                return all(one.is_up() for one in self.soaked.house.supervisor.programs)
            program = self._program(service)
            return (
                program.process is not None and program.process.poll() is None and program.is_up()
            )
        return False


def postmaster(root: Path) -> int:
    return int((root / "postgres" / "postmaster.pid").read_text().split()[0])


def command(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def is_run_worker(pid: int) -> bool:
    """Is it a process that the code server made for a run?"""
    return "multiprocessing.spawn" in command(pid) and "grpc" in command(parent(pid))


def parent(pid: int) -> int:
    try:
        text = (Path("/proc") / str(pid) / "stat").read_text()
    except OSError:
        return 0
    return int(text.rpartition(")")[2].split()[1])


def ours(root: Path) -> list[int]:
    """Processes with this installation's folder in their environment, this one not among them."""
    mark = f"SIGNALBOX_HOME={root}".encode()
    return [pid for pid in _pids() if mark in _read(pid, "environ").split(b"\0")]


def traces(root: Path) -> list[int]:
    """Processes that name the installation's folder anywhere: environment, arguments, mounts."""
    mark = str(root).encode()
    return [
        pid
        for pid in _pids()
        if any(mark in _read(pid, file) for file in ("environ", "cmdline", "mountinfo"))
    ]


def _pids() -> list[int]:
    own = os.getpid()
    return [pid for one in Path("/proc").glob("[0-9]*") if (pid := int(one.name)) != own]


def _read(pid: int, file: str) -> bytes:
    try:
        return (Path("/proc") / str(pid) / file).read_bytes()
    except OSError:
        return b""


def end(pids: list[int]) -> None:
    """Kill leftovers, so that a soak that found some leaves none itself."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
