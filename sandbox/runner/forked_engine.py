"""The forked path of the embedded engine: a run is a child of a zygote.

Theory of operation: `sandbox.harness.zygote` tells what happens inside. Here, a
launch takes the zygote of the image's dependencies, hands it pipes and a
description of the run, puts the forked keeper into a new cgroup before it goes
on, and from then on the sandbox looks like a cold one: same frames, same limits,
same filter, same view of the file system.

Who shares: versions with equal base and dependencies, but only where the operator
has approved the dependencies; otherwise versions of one provider only, because
importing a wheel runs what its author wrote, and the provider chose the wheel.
"""

import contextlib
import os
import resource
import signal
import stat
import time
from collections.abc import Collection
from pathlib import Path

import msgspec

from sandbox.harness.zygote import ENDED, FAILED, RUNNING, File, Run
from sandbox.runner import cgroup, seccomp
from sandbox.runner.bubblewrap import ALL_PROCESSES
from sandbox.runner.channel import Channel, Intake
from sandbox.runner.embedded_engine import NAME, EmbeddedEngine, check_image, our_faults
from sandbox.runner.engine import Exit, Guarantees
from sandbox.runner.errors import SandboxUnavailableError
from sandbox.runner.image import MASKED_DIRECTORIES, MASKED_FILES, Image
from sandbox.runner.limits import FILE_BYTES, OPEN_FILES, Limits
from sandbox.runner.zygote import (
    LIMITS,
    MESSAGE_BYTES,
    Family,
    Zygote,
    Zygotes,
    kill,
    wait_for,
)

TMP_FILES = 1024
GONE_SECONDS = 5.0
SIGNALLED = 128


class ForkedEngine(EmbeddedEngine):
    """Starts sandboxes by forking them from zygotes; `close` it."""

    path = "forked"

    def __init__(self, *, approved: Collection[Path] = (), max_zygotes: int = 8) -> None:
        """Start no zygote yet.

        Args:
            approved: dependencies whose every wheel the operator vouches for; their
                zygotes are shared by all providers.
            max_zygotes: how many stay when idle; 60 MB each with polars.
        """
        super().__init__()
        self._approved = frozenset(approved)
        self._zygote_filter = seccomp.bpf_program(seccomp.ZYGOTE_CALLS)
        self.zygotes = Zygotes(self._start, max_zygotes)

    def launch(self, image: Image, limits: Limits, label: str) -> "ForkedSandbox":  # type: ignore[override]
        """Fork the image's harness from its zygote; see `Engine.launch`."""
        check_image(image)
        with contextlib.ExitStack() as undo, our_faults():
            zygote = self.zygotes.take(self._key(image, label), image)
            undo.callback(self.zygotes.give_back, zygote)
            group = self._group(limits)
            if group is not None:
                undo.callback(group.remove)
            with contextlib.ExitStack() as theirs:
                stdio, ours = _pipes(theirs, undo)
                run_fd = _run_fd(self._run(image, limits, has_cgroup=group is not None), theirs)
                family = zygote.fork(stdio, run_fd, lambda pid: group.add(pid) if group else None)
            undo.pop_all()
        return ForkedSandbox(label, family, limits, group, ours, zygote, self.zygotes)

    def close(self) -> None:
        """End all zygotes, and with them what runs."""
        self.zygotes.close()

    def guarantees(self) -> Guarantees:
        """As cold, and what sharing a zygote adds and takes."""
        cold = super().guarantees()
        holds = (
            *cold.holds,
            "nothing in /tmp can be executed",
            "approved dependencies: forked from a process that ran nothing of any provider's",
        )
        lacks = (
            *(lack for lack in cold.lacks if "noexec" not in lack),
            "runs of one zygote have the same address layout",
            "other dependencies: their provider's zygote imports them, and may make namespaces",
        )
        return Guarantees(holds, lacks)

    def _key(self, image: Image, label: str) -> tuple[str, ...]:
        shared = image.dependencies in self._approved
        provider = "" if shared else label.partition("/")[0]
        return (str(image.base), str(image.dependencies), provider)

    def _start(self, image: Image) -> Zygote:
        return Zygote.start(image, self._zygote_filter, self._group(LIMITS))

    def _run(self, image: Image, limits: Limits, *, has_cgroup: bool) -> Run:
        rlimits = {
            resource.RLIMIT_NOFILE: OPEN_FILES,
            resource.RLIMIT_FSIZE: FILE_BYTES,
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_CPU: int(limits.lifetime_seconds),
        }
        if not has_cgroup:
            rlimits[resource.RLIMIT_DATA] = limits.memory_mb * 1024 * 1024
        if os.geteuid() == 0:
            rlimits[resource.RLIMIT_NPROC] = ALL_PROCESSES
        return Run(
            source=_source(image.source),
            tmp_bytes=limits.tmp_mb * 1024 * 1024,
            tmp_files=TMP_FILES,
            rlimits=rlimits,
            masked_files=MASKED_FILES,
            masked_directories=MASKED_DIRECTORIES,
            seccomp=self._filter,
        )


class ForkedSandbox:
    """One child of a zygote and what runs in it."""

    def __init__(
        self,
        label: str,
        family: Family,
        limits: Limits,
        group: cgroup.Cgroup | None,
        ours: tuple[int, int, int],
        zygote: Zygote,
        zygotes: Zygotes,
    ) -> None:
        self.label = label
        self._family = family
        self._group = group
        self._zygote = zygote
        self._zygotes = zygotes
        self._exit: Exit | None = None
        self._ran = self._killed = self._closed = False
        stdin, stdout, stderr = ours
        intake = Intake(log_bytes=limits.log_bytes, output_bytes=limits.output_bytes)
        self.channel = Channel(
            intake,
            stdin_fd=stdin,
            protocol_fd=stdout,
            readers={stdout: intake.take_protocol, stderr: intake.log.append},
            owned=ours,
        )

    def kill(self) -> None:
        """End everything in it: process 1 takes its namespace with it."""
        if self._closed:
            return
        self._killed = True
        kill(self._family.model)
        if self._group is not None:
            self._group.kill()

    def wait(self, timeout_seconds: float) -> Exit | None:
        """How it ended; see `Sandbox.wait`."""
        deadline = time.monotonic() + timeout_seconds
        while self._exit is None:
            left = deadline - time.monotonic()
            try:
                self._family.leash.settimeout(max(left, 0.001))
                message = self._family.leash.recv(MESSAGE_BYTES)
            except TimeoutError:
                return None
            except ConnectionResetError:
                message = b""
            self._heed(message)
        return self._exit

    def close(self) -> None:
        """Kill it, wait until it is gone, remove its cgroup and descriptors."""
        if self._closed:
            return
        try:
            self.kill()
            wait_for(self._family.model, GONE_SECONDS)
            if not wait_for(self._family.keeper, GONE_SECONDS):
                kill(self._family.keeper)
            if self._group is not None:
                self._group.remove()
        finally:
            self._closed = True
            self.channel.close()
            self._family.close()
            self._zygotes.give_back(self._zygote)

    def _heed(self, message: bytes) -> None:
        if message == RUNNING:
            self._ran = True
        elif message.startswith(ENDED):
            self._end(_code(message.removeprefix(ENDED)))
        elif message.startswith(FAILED):
            raise _unavailable(message.removeprefix(FAILED).decode(errors="replace"))
        else:
            # The keeper is gone, and the model with it.
            self._end(-signal.SIGKILL)

    def _end(self, code: int) -> None:
        exit_ = Exit(code if code >= 0 else SIGNALLED - code, self._out_of_memory())
        if not (self._killed or exit_.out_of_memory):
            # Process 1 cannot kill itself: somebody outside did.
            if code == -signal.SIGKILL and not self._zygote.alive:
                raise _unavailable("the zygote ended, and this run with it")
            if not self._ran:
                raise _unavailable("its process ended before it ran the model")
        self._exit = exit_

    def _out_of_memory(self) -> bool:
        return self._group is not None and self._group.out_of_memory()


def _code(told: bytes) -> int:
    try:
        return int(told)
    except ValueError:
        raise _unavailable(f"its keeper told nonsense: {told[:50]!r}") from None


def _unavailable(problem: str) -> SandboxUnavailableError:
    return SandboxUnavailableError(
        NAME, f"forked path: {problem}", "Run the slot again; a new zygote is started for it"
    )


def _pipes(
    theirs: contextlib.ExitStack, undo: contextlib.ExitStack
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Descriptors 0, 1 and 2 of the model, and our ends of them."""
    model_in, to_model = os.pipe()
    from_model, model_out = os.pipe()
    log, model_err = os.pipe()
    for fd in (model_in, model_out, model_err):
        theirs.callback(os.close, fd)
    for fd in (to_model, from_model, log):
        undo.callback(os.close, fd)
    return (model_in, model_out, model_err), (to_model, from_model, log)


def _run_fd(run: Run, theirs: contextlib.ExitStack) -> int:
    fd = os.memfd_create("run")
    theirs.callback(os.close, fd)
    left = memoryview(msgspec.msgpack.encode(run))
    while left:
        left = left[os.write(fd, left) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _source(directory: Path) -> dict[str, File]:
    """Regular files only; the registry lets nothing else in."""
    found = {}
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode):
            name = path.relative_to(directory).as_posix()
            found[name] = File(status.st_mode & 0o777, status.st_mtime_ns, path.read_bytes())
    return found
