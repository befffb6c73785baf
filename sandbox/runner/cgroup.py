"""One cgroup per embedded sandbox: memory, processes and CPU of all it starts.

Version 1 has a tree per controller, version 2 one for all; either way the
groups lie under `signalbox/` and are named `<deadline>-<random>`, so that the
reaper finds leftovers by name alone.
"""

import contextlib
import errno
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from sandbox.runner.limits import Limits

ROOT = Path("/sys/fs/cgroup")
FAMILY = "signalbox"
CONTROLLERS = ("memory", "pids", "cpu")
PERIOD_US = 100_000
# bubblewrap's own processes live in the same group.
HELPERS = 3
EMPTYING_SECONDS = 5.0


@dataclass(frozen=True)
class Cgroup:
    """The directories of one sandbox's group: one per controller, or one in version 2."""

    name: str
    directories: tuple[Path, ...]

    def add(self, pid: int) -> None:
        for directory in self.directories:
            (directory / "cgroup.procs").write_text(str(pid))

    def out_of_memory(self) -> bool:
        """Whether the kernel ended a process of the group for want of memory."""
        for directory in self.directories:
            for file in ("memory.oom_control", "memory.events"):
                with contextlib.suppress(OSError):
                    words = (directory / file).read_text().split()
                    counts = dict(zip(words[::2], words[1::2], strict=False))
                    return int(counts.get("oom_kill", 0)) > 0
        return False

    def kill(self) -> None:
        """Send SIGKILL to whatever is in it."""
        for pid in self._pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def remove(self) -> None:
        """Kill what is left and remove the group.

        Raises:
            OSError: something in it survived SIGKILL for seconds.
        """
        deadline = time.monotonic() + EMPTYING_SECONDS
        for directory in self.directories:
            while True:
                try:
                    directory.rmdir()
                except FileNotFoundError:
                    break
                except OSError as error:
                    if error.errno != errno.EBUSY or time.monotonic() > deadline:
                        raise
                    self.kill()
                    time.sleep(0.001)
                else:
                    break

    def _pids(self) -> list[int]:
        with contextlib.suppress(OSError):
            text = (self.directories[0] / "cgroup.procs").read_text()
            return [int(pid) for pid in text.split()]
        return []


def families() -> tuple[Path, ...]:
    """The directories that hold our groups; none where cgroups cannot be used.

    Creates them where this process may.
    """
    if os.geteuid() != 0:
        return ()
    try:
        return _families()
    except OSError:
        return ()


def _families() -> tuple[Path, ...]:
    if (ROOT / "cgroup.controllers").is_file():
        family = ROOT / FAMILY
        enable = " ".join(f"+{controller}" for controller in CONTROLLERS)
        (ROOT / "cgroup.subtree_control").write_text(enable)
        family.mkdir(exist_ok=True)
        (family / "cgroup.subtree_control").write_text(enable)
        return (family,)
    trees = [ROOT / controller for controller in CONTROLLERS]
    if not all((tree / "cgroup.procs").is_file() for tree in trees):
        return ()
    for tree in trees:
        (tree / FAMILY).mkdir(exist_ok=True)
    return tuple(tree / FAMILY for tree in trees)


def create(family: tuple[Path, ...], name: str, limits: Limits) -> Cgroup:
    """A group with `limits`, still empty.

    Raises:
        OSError: the kernel refuses.
    """
    group = Cgroup(name, tuple(tree / name for tree in family))
    try:
        for directory in group.directories:
            directory.mkdir()
        for directory in group.directories:
            for file, value in _settings(limits):
                if (directory / file).exists():
                    (directory / file).write_text(value)
    except OSError:
        group.remove()
        raise
    return group


def existing(family: tuple[Path, ...]) -> list[Cgroup]:
    """All groups of sandboxes, running or left over."""
    names = {path.name for tree in family for path in tree.iterdir() if path.is_dir()}
    return [Cgroup(name, tuple(tree / name for tree in family)) for name in sorted(names)]


def _settings(limits: Limits) -> list[tuple[str, str]]:
    memory = str(limits.memory_mb * 1024 * 1024)
    quota = int(limits.cpu * PERIOD_US)
    return [
        ("memory.limit_in_bytes", memory),  # version 1; before memsw, which may not be smaller
        ("memory.memsw.limit_in_bytes", memory),
        ("cpu.cfs_period_us", str(PERIOD_US)),
        ("cpu.cfs_quota_us", str(quota)),
        ("memory.max", memory),  # version 2
        ("memory.swap.max", "0"),
        ("memory.oom.group", "1"),
        ("cpu.max", f"{quota} {PERIOD_US}"),
        ("pids.max", str(limits.pids + HELPERS)),
    ]
