"""Sandboxes from user namespaces, where no Docker answers: bubblewrap.

Theory of operation: a shell without privileges waits on its standard input
while the host puts it into its cgroup; one newline later it becomes prlimit,
then bubblewrap, which makes new user, pid, mount, network, ipc and uts
namespaces, builds a root of read-only mounts, installs the seccomp filter and
becomes the harness, process 1 of its namespace: when it ends, all end.

What bubblewrap does not do by itself, and is done here: as root it leaves
/proc/sys writable, so it starts as a user of its own; it would hand our
environment to /proc/1/environ, so it starts with none; /dev and / are
writable memory without a size, so they are remounted read-only.
"""

import contextlib
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sandbox.runner import bubblewrap, cgroup, embedded_zygote, seccomp, threads
from sandbox.runner.bubblewrap import HOST_ID
from sandbox.runner.embedded_sandbox import NAME, EmbeddedSandbox
from sandbox.runner.engine import EngineName, Guarantees, RunPath
from sandbox.runner.errors import DiskFullError, ImageAbsentError, SandboxUnavailableError
from sandbox.runner.image import COMMAND, MASKED_FILES, SOURCE, Image
from sandbox.runner.limits import Limits
from sandbox.runner.zygote import LIMITS, MakeGroup, Zygote

PROGRAMS = ("bwrap", "prlimit", "sh")


class EmbeddedEngine:
    """Starts sandboxes with bubblewrap."""

    path: RunPath = "cold"

    def __init__(self) -> None:
        missing = [program for program in PROGRAMS if shutil.which(program) is None]
        if missing:
            raise SandboxUnavailableError(
                NAME,
                f"{', '.join(missing)} not found",
                "Install bubblewrap and util-linux (apt-get install bubblewrap util-linux)",
            )
        try:
            self._filter = seccomp.bpf_program()
        except (RuntimeError, ImportError, OSError) as error:
            raise SandboxUnavailableError(
                NAME, f"no seccomp filter: {error}", "Install libseccomp2"
            ) from error
        self._zygote_filter = seccomp.bpf_program(seccomp.ZYGOTE_CALLS)
        self._families = cgroup.families()

    @property
    def name(self) -> EngineName:
        return NAME

    def launch(self, image: Image, limits: Limits, label: str) -> EmbeddedSandbox:
        """Start the image's harness; see `Engine.launch`."""
        self.check(image)
        with contextlib.ExitStack() as undo, our_faults(NAME):
            group = cgroup.create(self._families, limits)
            if group is not None:
                undo.callback(group.remove)
            status_fd, status_end = os.pipe()
            undo.callback(os.close, status_fd)
            process = self._spawn(image, limits, status_end, has_cgroup=group is not None)
            undo.callback(process.wait)
            undo.callback(process.kill)
            if group is not None:
                group.add(process.pid)
            sandbox = EmbeddedSandbox(label, process, limits, group, status_fd)
            undo.callback(sandbox.channel.close)
            sandbox.open_gate()
            if group is None and (most := threads.at_most(limits)) is not None:
                sandbox.limit_threads(most, limits.start_seconds)
            undo.pop_all()
        return sandbox

    def close(self) -> None:
        """Nothing is kept between sandboxes."""

    def reap(self, now: datetime) -> tuple[str, ...]:
        """Remove groups past their deadline; without cgroups a host's death ends its sandboxes."""
        return cgroup.reap(self._families, now)

    def check(self, image: Image) -> None:
        """Raise ImageAbsentError where a directory of the image is missing."""
        needed = (image.base / "usr", bubblewrap.contract(image), image.dependencies, image.source)
        for directory in needed:
            if not directory.is_dir():
                raise ImageAbsentError(NAME, image.digest, f"{directory} is not a directory")

    def start_zygote(self, image: Image, make_group: MakeGroup) -> Zygote:
        """A zygote of its dependencies; see `ForkedEngine`."""
        return embedded_zygote.start(image, self._zygote_filter, make_group(LIMITS), make_group)

    def guarantees(self) -> Guarantees:
        """What holds here; depends on whether cgroups can be used."""
        holds = [
            "no network of any kind: no interface and no socket call",
            "no process but the model's own threads: fork is refused",
            "no host file but the image's, read-only; /tmp is private, sized and gone afterwards",
            "no capability, no privilege to gain, own user, pid, mount, ipc and uts namespaces",
            "one deadline per step, enforced from outside",
        ]
        lacks = [
            "files in its /tmp can be executed (bubblewrap 0.8 has no noexec)",
            "the kernel is shared: a hole in one of its 150 allowed calls is a way out",
            "the clock can be read",
            "its own memory can be executed (compilers need it), under the same filter",
        ]
        if self._families:
            holds.append("memory, processes and CPU limited by a cgroup")
        else:
            holds.append("memory limited per process (RLIMIT_DATA)")
            lacks.append("no cgroup: CPU shares and memory of files in /tmp are not limited")
            threads.tell(holds, lacks)
        if os.geteuid() == 0:
            holds.append(f"runs as user {HOST_ID}, never as root")
        else:
            lacks.append("runs as the platform's own user, hidden only by its namespace")
        return Guarantees(tuple(holds), tuple(lacks))

    def _spawn(
        self, image: Image, limits: Limits, status_end: int, *, has_cgroup: bool
    ) -> "subprocess.Popen[bytes]":
        """The shell at the gate; takes `status_end` over."""
        masks = [path for path in MASKED_FILES if Path(path).exists()]
        with contextlib.ExitStack() as passed:
            passed.callback(os.close, status_end)
            filter_fd = bubblewrap.program_fd(self._filter, passed)
            empty = [bubblewrap.empty_fd(passed) for _ in masks]
            return subprocess.Popen(
                [
                    *("sh", "-c", bubblewrap.GATE, "sh"),
                    *bubblewrap.limited(limits, has_cgroup=has_cgroup),
                    *("bwrap", *bubblewrap.namespaces(filter_fd)),
                    *("--die-with-parent", "--json-status-fd", str(status_end)),
                    *bubblewrap.root(image),
                    *_own(image, limits),
                    *bubblewrap.masks(dict(zip(masks, empty, strict=True))),
                    *bubblewrap.READ_ONLY,
                    *bubblewrap.environment(),
                    *("--", *COMMAND),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env={},
                cwd="/",
                pass_fds=[filter_fd, status_end, *empty],
                start_new_session=True,
                user=bubblewrap.host_id(),
                group=bubblewrap.host_id(),
                extra_groups=None if bubblewrap.host_id() is None else [],
            )


@contextlib.contextmanager
def our_faults(engine: EngineName) -> Iterator[None]:
    """Turn what the kernel refuses the host into errors of ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(engine, str(error)) from error
        raise SandboxUnavailableError(
            engine, str(error), "Lower the number of sandboxes at once, or raise the host's limits"
        ) from error


def _own(image: Image, limits: Limits) -> list[str]:
    return [
        *("--ro-bind", str(image.source), SOURCE),
        *("--perms", "1777", "--size", str(limits.tmp_mb * 1024 * 1024), "--tmpfs", "/tmp"),  # noqa: S108
    ]
