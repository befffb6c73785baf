"""The forked path of either engine: a run is a child of a zygote.

Theory of operation: `sandbox.harness.zygote` tells what happens inside. Here, a
launch takes the zygote of the image's dependencies, which the cold engine starts,
borrows a keeper of it, and hands it pipes and a description of the run. From then
on the sandbox looks like a cold one: same frames, same limits, same filter, same
view of the file system.

Who shares: versions with equal base and dependencies, but only where the operator
has approved the dependencies; otherwise versions of one provider only, because
importing a wheel runs what its author wrote, and the provider chose the wheel.
"""

import contextlib
import os
import resource
import stat
import threading
import weakref
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from sandbox.harness.forked import File, Run
from sandbox.runner import cgroup, seccomp, threads
from sandbox.runner.embedded_engine import our_faults
from sandbox.runner.engine import ZYGOTES_MB, Engine, EngineName, Guarantees, RunPath
from sandbox.runner.forked_sandbox import ForkedSandbox
from sandbox.runner.image import MASKED_DIRECTORIES, MASKED_FILES, Image
from sandbox.runner.limits import FILE_BYTES, OPEN_FILES, Limits
from sandbox.runner.zygote import Keeper, MakeGroup, Zygote
from sandbox.runner.zygotes import Key, Zygotes

TMP_FILES = 1024


class ColdEngine(Engine, Protocol):
    """An engine that can also start zygotes."""

    def check(self, image: Image) -> None:
        """Raise ImageAbsentError where the image is missing."""

    def start_zygote(self, image: Image, make_group: MakeGroup) -> Zygote:
        """A zygote that has imported the image's dependencies and sees no source.

        Raises:
            SandboxError: it did not come up; says why.
        """


class ForkedEngine:
    """Starts sandboxes by forking them from zygotes of `cold`; `close` it.

    Attributes:
        cold: the engine underneath, for what is to be started anew.
    """

    path: RunPath = "forked"

    def __init__(
        self,
        cold: ColdEngine,
        *,
        approved: Collection[Path] = (),
        zygotes_mb: float = ZYGOTES_MB,
    ) -> None:
        """Start no zygote yet.

        Args:
            cold: the engine underneath; closed with this one.
            approved: dependencies whose every wheel the operator vouches for; their
                zygotes are shared by all providers.
            zygotes_mb: resident memory of all zygotes above which idle ones end.
        """
        self.cold = cold
        self._approved = frozenset(approved)
        self._filter = seccomp.bpf_program()
        self._families = cgroup.families()
        self._lock = threading.Lock()
        self._running: weakref.WeakSet[ForkedSandbox] = weakref.WeakSet()
        self.zygotes = Zygotes(cold.name, self._start, zygotes_mb)

    @property
    def name(self) -> EngineName:
        return self.cold.name

    def launch(self, image: Image, limits: Limits, label: str) -> ForkedSandbox:
        """Fork the image's harness from its zygote; see `Engine.launch`."""
        self.cold.check(image)
        with contextlib.ExitStack() as undo, our_faults(self.name):
            zygote = self.zygotes.take(self._key(image, label), image)
            undo.callback(self.zygotes.give_back, zygote)
            keeper = zygote.lend()
            undo.callback(zygote.take_back, keeper, ended=False)
            with contextlib.ExitStack() as theirs:
                stdio, ours = _pipes(theirs, undo)
                run_fd = _run_fd(self._run(image, limits, keeper), theirs)
                keeper.begin(stdio, run_fd, limits)
            undo.pop_all()
        sandbox = ForkedSandbox(label, limits, ours, keeper, zygote, self.zygotes, self.name)
        with self._lock:
            self._running.add(sandbox)
        return sandbox

    def reap(self, now: datetime) -> tuple[str, ...]:
        """End our runs past their deadline; remove leftover zygotes and cgroups past theirs.

        Runs of another process end with it, or with their zygote at its deadline.
        """
        with self._lock:
            overdue = [sandbox for sandbox in self._running if sandbox.is_overdue(now)]
        for sandbox in overdue:
            sandbox.kill()
        labels = (sandbox.label for sandbox in overdue)
        return (*labels, *self.cold.reap(now), *cgroup.reap(self._families, now))

    def close(self) -> None:
        """End all zygotes, and with them what runs."""
        self.zygotes.close()
        self.cold.close()

    def guarantees(self) -> Guarantees:
        """As cold, and what sharing a zygote adds and takes."""
        cold = self.cold.guarantees()
        holds = [
            *(hold for hold in cold.holds if "cgroup" not in hold and "RLIMIT" not in hold),
            "own user, pid, mount, ipc and uts namespaces within its zygote's",
            "nothing in /tmp can be executed",
            "approved dependencies: forked from a process that ran nothing of any provider's",
        ]
        lacks = [
            *(lack for lack in cold.lacks if not any(word in lack for word in ("noexec", "remap"))),
            "runs of one zygote have the same address layout",
            "other dependencies: their provider's zygote imports them, and may make namespaces",
        ]
        if self._families:
            holds.append("memory, processes and CPU limited by a cgroup")
        else:
            holds.append("memory limited per process (RLIMIT_DATA)")
            if self.name == "docker":
                lacks.append("no cgroup of its own: CPU and /tmp are limited per zygote only")
            threads.tell(holds, lacks)
        return Guarantees(tuple(holds), tuple(dict.fromkeys(lacks)))

    def _key(self, image: Image, label: str) -> Key:
        shared = image.dependencies in self._approved
        provider = "" if shared else label.partition("/")[0]
        return (str(image.base), str(image.dependencies), provider)

    def _start(self, image: Image) -> Zygote:
        return self.cold.start_zygote(image, self._group)

    def _group(self, limits: Limits) -> cgroup.Cgroup | None:
        return cgroup.create(self._families, limits)

    def _run(self, image: Image, limits: Limits, keeper: Keeper) -> Run:
        rlimits = {
            resource.RLIMIT_NOFILE: OPEN_FILES,
            resource.RLIMIT_FSIZE: FILE_BYTES,
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_CPU: int(limits.lifetime_seconds),
        }
        if os.geteuid() == 0:
            rlimits[resource.RLIMIT_NPROC] = threads.ALL_PROCESSES
        if keeper.group is None:
            rlimits[resource.RLIMIT_DATA] = limits.memory_mb * 1024 * 1024
            if (most := threads.at_most(limits)) is not None:
                rlimits[resource.RLIMIT_NPROC] = most
        return Run(
            source=dict(_source(image.source)),
            tmp_bytes=limits.tmp_mb * 1024 * 1024,
            tmp_files=TMP_FILES,
            rlimits=rlimits,
            masked_files=MASKED_FILES,
            masked_directories=MASKED_DIRECTORIES,
            seccomp=self._filter,
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
    return fd


def _source(directory: str | Path, below: str = "") -> Iterator[tuple[str, File]]:
    """Regular files only; the registry lets nothing else in."""
    with os.scandir(directory) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _source(entry.path, f"{below}{entry.name}/")
        elif entry.is_file(follow_symlinks=False):
            fd = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(fd, "rb", buffering=0) as file:
                status = os.fstat(fd)
                data = file.readall()
            mode = stat.S_IMODE(status.st_mode) & 0o777
            yield f"{below}{entry.name}", File(mode, status.st_mtime_ns, data)
