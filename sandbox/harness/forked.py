"""What a forked process does before it is an ordinary harness.

Theory of operation: it is process 1 of new namespaces and still looks like its
keeper. It mounts what is its own over what is shared (/proc, /tmp, its source),
takes its limits and the three pipes, gives up every privilege, installs the
filter, closes every other descriptor, and only then loads the model.
"""

import contextlib
import os
import resource
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from .kernel import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_REMOUNT,
    close_from,
    give_up_privileges,
    install_filter,
    mount,
)

SOURCE = "/srv/signal"
TMP = "/tmp"  # noqa: S108 - in a mount namespace of its own
SMALL = 4096
PLAIN = MS_NOSUID | MS_NODEV | MS_NOEXEC


class File(msgspec.Struct, frozen=True):
    """A file of the version's source."""

    mode: int
    mtime_ns: int
    data: bytes


class Run(msgspec.Struct, frozen=True):
    """What a model's process is made of.

    Attributes:
        source: path below `/srv/signal` to file.
        tmp_bytes: size of /tmp.
        tmp_files: how many files it holds.
        rlimits: number of the resource to its limit.
        masked_files: hidden behind an empty file.
        masked_directories: hidden behind an empty directory.
        seccomp: the BPF program.
    """

    source: dict[str, File]
    tmp_bytes: int
    tmp_files: int
    rlimits: dict[int, int]
    masked_files: tuple[str, ...]
    masked_directories: tuple[str, ...]
    seccomp: bytes


def enclose(run_fd: int, stdio: Iterable[int], said_fd: int, running: bytes) -> None:
    """Become what `Run` says; after it nothing but 0, 1 and 2 is open.

    Args:
        run_fd: holds the `Run`, as MessagePack.
        stdio: what becomes 0, 1 and 2.
        said_fd: told `running` when all is done.
        running: the word.
    """
    # Its process group would be the zygote's otherwise: kill(0) would end all.
    os.setsid()
    run = _described(run_fd)
    _mount_own(run)
    for number, limit in run.rlimits.items():
        resource.setrlimit(number, (limit, limit))
    for number, fd in enumerate(stdio):
        os.dup2(fd, number)
    _start_afresh()
    give_up_privileges()
    install_filter(run.seccomp)
    # Written, not sent: the filter knows no sockets.
    os.write(said_fd, running)
    close_from(3)


def rehearse() -> None:
    """Do once what every run does first: what is computed now, children share.

    Of polars nothing: a child forked after a query hangs.
    """
    from . import loop  # noqa: PLC0415 - as below

    run = Run({}, 0, 0, {}, (), (), b"")
    msgspec.msgpack.decode(msgspec.msgpack.encode(run), type=Run)
    loop.rehearse()


def serve() -> None:
    """As `__main__` does."""
    from .loop import serve as answer  # noqa: PLC0415 - polars, which zygotes import first
    from .streams import Streams, flush_log  # noqa: PLC0415

    streams = Streams.take_over()
    answer(streams, Path(SOURCE))
    flush_log()


def _described(fd: int) -> Run:
    size = os.fstat(fd).st_size
    return msgspec.msgpack.decode(os.pread(fd, size, 0), type=Run)


def _mount_own(run: Run) -> None:
    """/proc of its own namespace, what is masked in it, its source, /tmp."""
    mount("proc", "/proc", "proc", PLAIN)
    mount("tmpfs", TMP, "tmpfs", PLAIN, f"size={SMALL},mode=755")
    file, directory = f"{TMP}/file", f"{TMP}/directory"
    os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o444))
    Path(directory).mkdir(mode=0o555)
    mount("none", TMP, None, PLAIN | MS_REMOUNT | MS_RDONLY)
    for masked, masks in ((run.masked_files, file), (run.masked_directories, directory)):
        for path in masked:
            with contextlib.suppress(FileNotFoundError):
                mount(masks, path, None, MS_BIND)
    size = sum(len(file.data) + 2 * SMALL for file in run.source.values()) + 16 * SMALL
    mount("tmpfs", SOURCE, "tmpfs", PLAIN, f"size={size},mode=755")
    for name, content in run.source.items():
        _write(f"{SOURCE}/{name}", content)
    mount("none", SOURCE, None, PLAIN | MS_REMOUNT | MS_RDONLY)
    mount("tmpfs", TMP, "tmpfs", PLAIN, f"size={run.tmp_bytes},nr_inodes={run.tmp_files},mode=1777")
    os.chdir(SOURCE)


def _write(path: str, file: File) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    try:
        left = memoryview(file.data)
        while left:
            left = left[os.write(fd, left) :]
        os.fchmod(fd, file.mode)
        os.utime(fd, ns=(file.mtime_ns, file.mtime_ns))
    finally:
        os.close(fd)


def _start_afresh() -> None:
    """What a new process would have: random state of its own, no sign of the zygote."""
    # Python's own generator is reseeded by the fork, numpy's is not. From a number, which
    # takes a tenth of the time of numpy's own way.
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed(int.from_bytes(os.urandom(4)))
    sys.argv = sys.argv[:1]
