"""Zygotes from the host's side: start one, fork a run from it, end it.

A zygote holds imported libraries and nothing of a version's. Whoever holds its
control socket can fork from it: this process alone. When the socket closes, also
because the platform died, the zygote ends, and as process 1 of its namespace it
takes every run with it.
"""

import contextlib
import os
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.harness.zygote import FAILED, FDS, GO, KEEPER, MODEL, READY
from sandbox.runner import bubblewrap, cgroup
from sandbox.runner.errors import SandboxUnavailableError
from sandbox.runner.image import COMMAND, SOURCE, Image
from sandbox.runner.limits import Limits

NAME = "embedded"
# Its own cgroup: libraries, and the moment of each fork before the run has its own.
LIMITS = Limits(memory_mb=2048, pids=256, cpu=4.0, lifetime_seconds=7_200.0)
START_SECONDS = 30.0
FORK_SECONDS = 10.0
END_SECONDS = 5.0
MESSAGE_BYTES = 2048


@dataclass(frozen=True)
class Family:
    """A fork's two processes, by pidfd, and the leash on which the keeper reports."""

    keeper: int
    model: int
    leash: socket.socket

    def close(self) -> None:
        os.close(self.keeper)
        os.close(self.model)
        self.leash.close()


class Zygote:
    """One running zygote."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        control: socket.socket,
        pidfd: int,
        group: cgroup.Cgroup | None,
    ) -> None:
        self._process = process
        self._control = control
        self._pidfd = pidfd
        self._group = group
        self._forking = threading.Lock()
        self._started_at = time.monotonic()
        self.runs = 0

    @classmethod
    def start(cls, image: Image, seccomp: bytes, group: cgroup.Cgroup | None) -> "Zygote":
        """A zygote with the image's base and dependencies; takes `group` over.

        Raises:
            SandboxUnavailableError: it did not come up; carries what it said.
            OSError: the host has no room for it.
        """
        with contextlib.ExitStack() as undo:
            if group is not None:
                undo.callback(group.remove)
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            undo.callback(ours.close)
            said = undo.enter_context(tempfile.TemporaryFile())
            with theirs:
                process = _spawn(image, seccomp, theirs.fileno(), said.fileno())
            undo.callback(process.wait)
            undo.callback(process.kill)
            if group is not None:
                group.add(process.pid)
            _open_gate(process)
            ours.settimeout(START_SECONDS)
            try:
                pidfd = _received(ours, READY)
            except OSError as error:
                said.seek(0)
                lines = said.read().decode(errors="replace").strip().splitlines() or [str(error)]
                raise SandboxUnavailableError(
                    NAME,
                    f"could not start a zygote: {lines[-1]}",
                    "Check that user namespaces are allowed (sysctl user.max_user_namespaces) "
                    "and that the image can be read by the sandboxes' user",
                ) from error
            undo.pop_all()
            said.close()
        return cls(process, ours, pidfd, group)

    @property
    def alive(self) -> bool:
        """Whether it can be asked to fork."""
        # The socket tells of its death first: before its runs are killed with it.
        return self._control.fileno() >= 0 and not _is_readable(self._control.fileno())

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self._started_at

    def fork(
        self, stdio: tuple[int, int, int], run_fd: int, adopt: Callable[[int], None]
    ) -> Family:
        """A run on these descriptors; `adopt` puts its host pid into its cgroup.

        Raises:
            OSError: the zygote is gone, or its child failed or hung.
        """
        leash, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with contextlib.ExitStack() as undo:
            undo.callback(leash.close)
            leash.settimeout(FORK_SECONDS)
            with theirs, self._forking:
                fds = dict(zip(FDS, (*stdio, run_fd, theirs.fileno()), strict=True))
                socket.send_fds(self._control, [b"fork"], list(fds.values()))
            keeper = _received(leash, KEEPER)
            undo.callback(os.close, keeper)
            undo.callback(kill, keeper)
            adopt(_pid(keeper))
            leash.send(GO)
            model = _received(leash, MODEL)
            undo.pop_all()
        return Family(keeper, model, leash)

    def close(self) -> None:
        """End it and every run of it, and wait until they are gone."""
        self._control.close()
        kill(self._pidfd)
        wait_for(self._pidfd, END_SECONDS)
        self._process.wait(END_SECONDS)
        os.close(self._pidfd)
        if self._group is not None:
            self._group.remove()


class Zygotes:
    """The zygotes of one engine, at most `limit` idle ones: the least recently used end."""

    def __init__(self, start: Callable[[Image], Zygote], limit: int) -> None:
        self._start = start
        self._limit = limit
        self._lock = threading.Lock()
        self._by_key: OrderedDict[tuple[str, ...], Zygote] = OrderedDict()
        self._retired: list[Zygote] = []
        self._closed = False

    def __len__(self) -> int:
        return len(self._by_key)

    def take(self, key: tuple[str, ...], image: Image) -> Zygote:
        """The zygote of this key, started where there is none; `give_back` it.

        Raises:
            SandboxUnavailableError: it cannot be started, or this engine is closed.
            OSError: the host has no room for it.
        """
        with self._lock:
            if self._closed:
                raise SandboxUnavailableError(NAME, "this engine was closed", "Make another")
            found = self._by_key.get(key)
            if found is not None and not self._fit(found):
                self._retired.append(self._by_key.pop(key))
                found = None
            if found is None:
                found = self._by_key[key] = self._start(image)
            self._by_key.move_to_end(key)
            found.runs += 1
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
        for zygote in ended:
            zygote.close()

    @staticmethod
    def _fit(zygote: Zygote) -> bool:
        # Before the reaper takes its cgroup for a leftover.
        return zygote.alive and zygote.age_seconds < LIMITS.lifetime_seconds / 2

    def _tidy(self) -> None:
        idle = [key for key, zygote in self._by_key.items() if zygote.runs == 0]
        for key in idle[: max(0, len(self._by_key) - self._limit)]:
            self._retired.append(self._by_key.pop(key))
        for zygote in [zygote for zygote in self._retired if zygote.runs == 0]:
            self._retired.remove(zygote)
            zygote.close()


def kill(pidfd: int) -> None:
    """SIGKILL; harmless when it has ended."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def wait_for(pidfd: int, seconds: float) -> bool:
    """Whether the process ended within so many seconds."""
    return _is_readable(pidfd, seconds)


def _spawn(
    image: Image, seccomp: bytes, control_fd: int, said_fd: int
) -> "subprocess.Popen[bytes]":
    with contextlib.ExitStack() as passed:
        filter_fd = bubblewrap.program_fd(seccomp, passed)
        return subprocess.Popen(
            [
                *("sh", "-c", bubblewrap.GATE, "sh"),
                *("prlimit", "--nofile=1024", "--core=0"),
                *("bwrap", *bubblewrap.namespaces(filter_fd)),
                *bubblewrap.root(image),
                # Its /proc stays unmasked: the kernel lets no child mount one otherwise.
                *("--dir", SOURCE, "--dir", "/tmp", "--tmpfs", "/dev/pts", "--remount-ro"),  # noqa: S108
                *("/dev/pts", *bubblewrap.READ_ONLY),
                *bubblewrap.environment(),
                *("--", *COMMAND, "--zygote", str(control_fd)),
            ],
            stdin=subprocess.PIPE,
            stdout=said_fd,
            stderr=said_fd,
            env={},
            cwd="/",
            pass_fds=[filter_fd, control_fd],
            start_new_session=True,
            user=bubblewrap.host_id(),
            group=bubblewrap.host_id(),
            extra_groups=None if bubblewrap.host_id() is None else [],
        )


def _open_gate(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.write(b"\n")
        process.stdin.close()


def _received(sock: socket.socket, expected: bytes) -> int:
    """The pidfd that comes with this message."""
    message, fds, _, _ = socket.recv_fds(sock, MESSAGE_BYTES, 4)
    # Checked, because a zygote may have imported what a provider chose.
    if message == expected and len(fds) == 1 and _is_pidfd(fds[0]):
        return fds[0]
    for fd in fds:
        os.close(fd)
    if not message:
        raise ConnectionResetError("the zygote ended")
    raise OSError(message.removeprefix(FAILED).decode(errors="replace"))


def _is_pidfd(fd: int) -> bool:
    return "pidfd" in str(Path(f"/proc/self/fd/{fd}").readlink())


def _pid(pidfd: int) -> int:
    """The process's number here; its own is another, in its namespace."""
    for line in Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "Pid" and int(value) > 0:
            return int(value)
    raise ProcessLookupError("the forked process has ended")


def _is_readable(fd: int, seconds: float = 0.0) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
