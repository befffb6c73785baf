"""A cgroup per embedded sandbox or keeper: memory, processes and CPU of all in it.

Version 1 has a tree per controller, version 2 one for all; either way the
groups lie under `signalbox/` and are named `<deadline>-<random>`, so that the
reaper finds leftovers by name alone. To move a process into a group waits for the
kernel, 10 ms and more: what is started often is forked inside its group instead.
"""

import contextlib
import errno
import os
import secrets
import signal
import time
from datetime import datetime
from pathlib import Path

from sandbox.runner.limits import Limits

ROOT = Path("/sys/fs/cgroup")
FAMILY = "signalbox"
CONTROLLERS = ("memory", "pids", "cpu")
ACCOUNTING = "cpuacct"  # version 1 counts CPU time in a tree of its own; version 2 always
PERIOD_US = 100_000
# bubblewrap's own processes, or the keeper, live in the same group.
HELPERS = 3
EMPTYING_SECONDS = 5.0
MIB = 1024 * 1024


class Cgroup:
    """The directories of one group: one per controller, or one in version 2."""

    def __init__(self, name: str, directories: tuple[Path, ...]) -> None:
        self.name = name
        self.directories = directories
        self._files: dict[str, str] = {}
        self._limits: Limits | None = None

    def add(self, pid: int) -> None:
        for directory in self.directories:
            (directory / "cgroup.procs").write_text(str(pid))

    def limit(self, limits: Limits) -> None:
        """Hold it to these limits from now on.

        Raises:
            OSError: the kernel refuses, also because more is in use already.
        """
        if limits == self._limits:
            return
        for file, value in _settings(limits):
            if path := self._path(file):
                _write(path, value)
        self._limits = limits

    def ooms(self) -> int:
        """How many processes of the group the kernel ended for want of memory."""
        for file in ("memory.oom_control", "memory.events"):
            words = self._read(file).split()
            counts = dict(zip(words[::2], words[1::2], strict=False))
            if "oom_kill" in counts:
                return int(counts["oom_kill"])
        return 0

    def forget_peak(self) -> None:
        """Let `peak_mb` begin anew; only version 1 can."""
        if path := self._path("memory.max_usage_in_bytes"):
            _write(path, "0")

    def peak_mb(self, *, begun_anew: bool = False) -> float | None:
        """The most memory it held at once, in MiB.

        Args:
            begun_anew: since `forget_peak`; None where that did nothing.
        """
        peak = self._read("memory.max_usage_in_bytes")
        if not peak and not begun_anew:
            peak = self._read("memory.peak")
        return int(peak) / MIB if peak else None

    def memory_mb(self) -> float:
        """What it holds now, in MiB."""
        now = self._read("memory.usage_in_bytes") or self._read("memory.current")
        return int(now) / MIB if now else 0.0

    def cpu_ms(self) -> float | None:
        """User and system time of all that ran in it, in milliseconds."""
        if nanoseconds := self._read("cpuacct.usage"):
            return int(nanoseconds) / 1e6
        words = self._read("cpu.stat").split()
        counts = dict(zip(words[::2], words[1::2], strict=False))
        return int(counts["usage_usec"]) / 1e3 if "usage_usec" in counts else None

    def pids(self) -> list[int]:
        """What is in it."""
        return [int(pid) for pid in self._read("cgroup.procs").split()]

    def kill(self) -> None:
        """Send SIGKILL to whatever is in it."""
        for pid in self.pids():
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

    def _path(self, file: str) -> str | None:
        """Where the group has this file, if this version of cgroups does."""
        if file not in self._files:
            found = (directory / file for directory in self.directories)
            self._files[file] = next((str(path) for path in found if path.exists()), "")
        return self._files[file] or None

    def _read(self, file: str) -> str:
        """The file's text, empty where there is none."""
        path = self._path(file)
        if path is None:
            return ""
        try:
            fd = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return ""
        try:
            return os.read(fd, 65_536).decode().strip()
        except OSError:
            return ""
        finally:
            os.close(fd)


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
    if not all((ROOT / name / "cgroup.procs").is_file() for name in CONTROLLERS):
        return ()
    # Resolved, because some hosts mount cpu and cpuacct as one.
    trees = {(ROOT / name).resolve(): None for name in (*CONTROLLERS, ACCOUNTING)}
    found = tuple(tree / FAMILY for tree in trees if (tree / "cgroup.procs").is_file())
    for family in found:
        family.mkdir(exist_ok=True)
    return found


def create(family: tuple[Path, ...], limits: Limits) -> Cgroup | None:
    """A group with `limits`, still empty; none where there are no `families`.

    Raises:
        OSError: the kernel refuses.
    """
    if not family:
        return None
    name = f"{int(time.time() + limits.lifetime_seconds)}-{secrets.token_hex(6)}"
    group = Cgroup(name, tuple(tree / name for tree in family))
    try:
        for directory in group.directories:
            directory.mkdir()
        group.limit(limits)
    except OSError:
        group.remove()
        raise
    return group


def existing(family: tuple[Path, ...]) -> list[Cgroup]:
    """All groups of sandboxes, running or left over."""
    names = {path.name for tree in family for path in tree.iterdir() if path.is_dir()}
    return [Cgroup(name, tuple(tree / name for tree in family)) for name in sorted(names)]


def reap(family: tuple[Path, ...], now: datetime) -> tuple[str, ...]:
    """Remove the groups past their deadline, and what is in them; returns their names."""
    reaped = []
    for group in existing(family):
        deadline = group.name.partition("-")[0]
        if deadline.isdecimal() and int(deadline) < now.timestamp():
            group.remove()
            reaped.append(group.name)
    return tuple(reaped)


def _write(path: str, value: str) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, value.encode())
    finally:
        os.close(fd)


def _settings(limits: Limits) -> list[tuple[str, str]]:
    memory = str(limits.memory_mb * MIB)
    quota = int(limits.cpu * PERIOD_US)
    return [
        # Version 1: memsw may never be the smaller of the two, whichever way they change.
        ("memory.memsw.limit_in_bytes", "-1"),
        ("memory.limit_in_bytes", memory),
        ("memory.memsw.limit_in_bytes", memory),
        ("cpu.cfs_period_us", str(PERIOD_US)),
        ("cpu.cfs_quota_us", str(quota)),
        ("memory.max", memory),  # version 2
        ("memory.swap.max", "0"),
        ("cpu.max", f"{quota} {PERIOD_US}"),
        ("pids.max", str(limits.pids + HELPERS)),
    ]
