"""Zygotes and keepers from the host's side, whichever engine started them.

A zygote holds imported libraries and nothing of a version's. Whoever holds its
control socket can fork from it: this process alone. When the socket closes, also
because the platform died, the zygote ends, and as process 1 of its namespace it
takes every run with it. What a zygote says is checked: it may have imported what a
provider chose.
"""

import contextlib
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sandbox.harness.zygote import ENDED, FAILED, FORK, KEEPER, KILL, READY, RUN, RUNNING
from sandbox.runner.cgroup import MIB, Cgroup
from sandbox.runner.limits import Limits

# Of a zygote: libraries, and its keepers until they have their own groups.
LIMITS = Limits(memory_mb=2048, pids=1024, cpu=4.0, lifetime_seconds=7_200.0)
FORK_SECONDS = 10.0
END_SECONDS = 5.0
MESSAGE_BYTES = 2048
# A group that holds more than this between two runs is not used again: what it holds
# would be the next run's.
CLEAN_MB = 16.0
UNKNOWN_MB = 100.0

MakeGroup = Callable[[Limits], Cgroup | None]


class Body(Protocol):
    """A started process that becomes a zygote: bubblewrap's or a container."""

    control: socket.socket

    def end(self) -> None:
        """Kill it, and with it all that it forked; wait until they are gone."""


class Ended(Exception):  # noqa: N818 - a message, not a fault
    """A run's end, as its keeper tells it.

    Attributes:
        code: exit status, or minus the signal.
        cpu_ms: user and system time of the model.
        peak_mb: its largest resident set in MiB, shared libraries included.
    """

    def __init__(self, code: int, cpu_ms: float, peak_mb: float) -> None:
        super().__init__(f"ended with {code}")
        self.code, self.cpu_ms, self.peak_mb = code, cpu_ms, peak_mb


class Keeper:
    """A process in a cgroup of its own that forks one run after another.

    Attributes:
        group: where its runs are; none where cgroups cannot be used.
    """

    def __init__(self, leash: socket.socket, pidfd: int, group: Cgroup | None) -> None:
        self._leash = leash
        self._pidfd = pidfd
        self._ooms = 0
        self.group = group

    @classmethod
    def start(cls, control: socket.socket, make_group: MakeGroup) -> "Keeper":
        """Have the zygote behind `control` fork one.

        Raises:
            OSError: the zygote is gone or hangs, or the kernel refuses the group.
        """
        leash, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with contextlib.ExitStack() as undo:
            undo.callback(leash.close)
            leash.settimeout(FORK_SECONDS)
            with theirs:
                socket.send_fds(control, [FORK], [theirs.fileno()])
            pidfd = received(leash, KEEPER)
            undo.callback(os.close, pidfd)
            group = None
            if pid := host_pid(pidfd):
                group = make_group(LIMITS)
            if group is not None:
                undo.callback(group.remove)
                group.add(pid)
            undo.pop_all()
        return cls(leash, pidfd, group)

    def begin(self, stdio: tuple[int, int, int], run_fd: int, limits: Limits) -> None:
        """Fork a run on these descriptors.

        Raises:
            OSError: the keeper is gone, or the kernel refuses the limits.
        """
        if self.group is not None:
            self.group.limit(limits)
            self.group.forget_peak()
        socket.send_fds(self._leash, [RUN], [*stdio, run_fd])

    def hear(self, timeout_seconds: float) -> bytes:
        """The next word of the run: RUNNING, or FAILED and why; empty when the keeper is gone.

        Raises:
            Ended: the run has.
            ValueError: nonsense.
            TimeoutError: nothing was said.
        """
        try:
            self._leash.settimeout(max(timeout_seconds, 0.001))
            message = self._leash.recv(MESSAGE_BYTES)
        except TimeoutError:
            raise
        except OSError:
            return b""
        if message.startswith(ENDED):
            code, cpu_us, peak_kb = (int(word) for word in message.removeprefix(ENDED).split())
            raise Ended(code, cpu_us / 1e3, peak_kb / 1024)
        if message and message != RUNNING and not message.startswith(FAILED):
            raise ValueError(repr(message[:50]))
        return message

    def kill_run(self) -> None:
        """SIGKILL for the run; harmless when it has ended."""
        with contextlib.suppress(OSError):
            self._leash.send(KILL)

    def new_ooms(self) -> bool:
        """Whether the kernel ended a process for want of memory since it was last asked."""
        if self.group is None:
            return False
        before, self._ooms = self._ooms, self.group.ooms()
        return self._ooms > before

    def is_clean(self) -> bool:
        """Whether nothing of its last run is left but itself."""
        if is_readable(self._leash.fileno()):
            return False
        if self.group is None:
            return True
        return self.group.pids() == [host_pid(self._pidfd)] and self.group.memory_mb() < CLEAN_MB

    def end(self) -> None:
        """End it and what it runs, and wait until they are gone."""
        self._leash.close()  # it reads that as the order to end
        if not is_readable(self._pidfd, END_SECONDS):
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        if self.group is not None:
            self.group.remove()
        os.close(self._pidfd)


class Zygote:
    """One running zygote and its keepers."""

    def __init__(self, body: Body, make_group: MakeGroup) -> None:
        """Take `body` over once it is ready.

        Raises:
            OSError: it ended, or says something else.
        """
        self._body = body
        self._make_group = make_group
        self._pidfd = received(body.control, READY)
        self._started_at = time.monotonic()
        self._lock = threading.Lock()
        self._idle: list[Keeper] = []
        self._lent: set[Keeper] = set()
        self._ended = False
        self.memory_mb = _resident_mb(self._pidfd)
        self.runs = 0

    @property
    def alive(self) -> bool:
        """Whether it can be asked to fork."""
        # The socket tells of its death first: before its runs are killed with it.
        return not self._ended and not is_readable(self._body.control.fileno())

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self._started_at

    def lend(self) -> Keeper:
        """A keeper that runs nothing; `take_back` it.

        Raises:
            OSError: the zygote is gone, or has no room for another.
        """
        with self._lock:
            keeper = self._idle.pop() if self._idle else None
        if keeper is None:
            keeper = Keeper.start(self._body.control, self._make_group)
        with self._lock:
            self._lent.add(keeper)
        return keeper

    def take_back(self, keeper: Keeper, *, ended: bool) -> None:
        """A run of it is over.

        Args:
            keeper: whose.
            ended: the keeper said so; without it neither it nor the run is trusted to be gone.
        """
        with self._lock:
            if keeper not in self._lent:
                return
            self._lent.remove(keeper)
            if ended and not self._ended and keeper.is_clean():
                self._idle.append(keeper)
                return
        keeper.end()

    def end(self) -> None:
        """End it and every run of it, and wait until they are gone."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
            keepers = [*self._idle, *self._lent]
            self._idle.clear()
            self._lent.clear()
        with contextlib.suppress(OSError):  # no signal reaches from one container to another
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            is_readable(self._pidfd, END_SECONDS)
        self._body.end()
        for keeper in keepers:
            keeper.end()
        os.close(self._pidfd)


def received(sock: socket.socket, expected: bytes) -> int:
    """The pidfd that comes with this message.

    Raises:
        OSError: another message, or none.
    """
    message, fds, _, _ = socket.recv_fds(sock, MESSAGE_BYTES, 4)
    if message == expected and len(fds) == 1 and _is_pidfd(fds[0]):
        return fds[0]
    for fd in fds:
        os.close(fd)
    if not message:
        raise ConnectionResetError("the zygote ended")
    raise OSError(message.removeprefix(FAILED).decode(errors="replace"))


def host_pid(pidfd: int) -> int:
    """The process's number here; its own is another, in its namespace.

    0 where it has none: it has ended, or runs beside us in another container.
    """
    for line in Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "Pid":
            return max(int(value), 0)
    return 0


def is_readable(fd: int, seconds: float = 0.0) -> bool:
    """Whether there is something to read, or an end; of a pidfd, whether the process ended."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _is_pidfd(fd: int) -> bool:
    return "pidfd" in str(Path(f"/proc/self/fd/{fd}").readlink())


def _resident_mb(pidfd: int) -> float:
    pid = host_pid(pidfd)
    if not pid:
        return UNKNOWN_MB
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB
