"""`python3.11 -s -P -B -m harness --zygote`: forks a harness per run.

Theory of operation: the zygote imports the libraries once, runs nothing of any
provider's, and waits on a control socket. Each message there carries the five
descriptors of a run (`FDS`): standard input, output and error, a description
(`Run`), and a leash to the host. Two processes come of it.

The **keeper** shows the host its pidfd and waits until it lies in the run's
cgroup. It enters new namespaces, forks, shows the host the model's pidfd, and
tells how the model ended. When the keeper dies, the model dies.

The **model** is process 1 of its pid namespace. It mounts what is its own over
what is shared (/proc, /tmp, its source), gives up every privilege, installs the
filter, and only then becomes the ordinary harness. Both sockets are closed by
then. The zygote never runs a polars query: a child forked after one hangs.
"""

import contextlib
import ctypes
import gc
import importlib
import os
import resource
import select
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

import msgspec

PRELOADED = ("numpy", "numpy.random", "polars", "msgspec", "signalbox")
SOURCE = Path("/srv/signal")
TMP = Path("/tmp")  # noqa: S108 - in a mount namespace of its own
SMALL = 4096

READY, KEEPER, GO, MODEL = b"ready", b"keeper", b"go", b"model"
RUNNING, ENDED, FAILED = b"running", b"ended ", b"failed "
FDS = ("stdin", "stdout", "stderr", "run", "leash")

_LIBC = ctypes.CDLL(None, use_errno=True)
_NAMESPACES = (
    0x1000_0000  # user
    | 0x0002_0000  # mount
    | 0x2000_0000  # pid, of the next child
    | 0x0800_0000  # ipc
    | 0x0400_0000  # uts
    | 0x0200_0000  # cgroup
)
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT, _MS_BIND = 1, 2, 4, 8, 32, 4096
_PLAIN = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 24, 22, 38
_SECCOMP_MODE_FILTER = 2
_CAPABILITIES = range(64)
_CAPSET = 126
_CAPABILITY_VERSION_3 = 0x2008_0522


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


def main(control_fd: int) -> None:
    """Fork a run per message until the host closes the control socket."""
    _preload()
    # Children that nobody waits for vanish by themselves.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control = socket.socket(fileno=control_fd)
    socket.send_fds(control, [READY], [os.pidfd_open(os.getpid())])
    while True:
        message, fds, _, _ = socket.recv_fds(control, 16, len(FDS))
        if not message:
            return
        if len(fds) == len(FDS) and os.fork() == 0:
            control.close()
            _keep(dict(zip(FDS, fds, strict=True)))
        for fd in fds:
            os.close(fd)


def _preload() -> None:
    from . import loop, streams  # noqa: F401, PLC0415 - what every run needs

    for name in PRELOADED:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page


def _keep(fds: dict[str, int]) -> NoReturn:
    leash = socket.socket(fileno=fds["leash"])
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        socket.send_fds(leash, [KEEPER], [os.pidfd_open(os.getpid())])
        if leash.recv(16) != GO:
            os._exit(1)
        _enter_namespaces()
        alive, keeper_lives = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(keeper_lives)
            _become_model(fds, leash, alive)
        # 0, 1 and 2 stay open here too, as in bubblewrap: a model that closes its own
        # has not ended, and is missed for its silence.
        os.close(fds["run"])
        os.close(alive)
        socket.send_fds(leash, [MODEL], [os.pidfd_open(pid)])
        os.write(keeper_lives, b"\n")
        _, status = os.waitpid(pid, 0)
        leash.send(ENDED + str(os.waitstatus_to_exitcode(status)).encode())
    except BaseException as error:  # noqa: BLE001 - whatever it is, the host is told
        _tell_failure(leash, error)
    os._exit(0)


def _become_model(fds: dict[str, int], leash: socket.socket, alive: int) -> NoReturn:
    try:
        # Its process group would be the zygote's otherwise: kill(0) would end all.
        os.setsid()
        _die_with(alive)
        run = _described(fds["run"])
        _mount_own(run)
        _limit(run.rlimits)
        _wire(fds)
        _start_afresh()
        _give_up_privileges()
        _install(run.seccomp)
        os.write(leash.fileno(), RUNNING)
        # From here on nothing but 0, 1 and 2 is open: neither leash nor control.
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        del run
    except BaseException as error:  # noqa: BLE001 - as above
        _tell_failure(leash, error)
        os._exit(1)
    try:
        _serve()
    except BaseException:  # noqa: BLE001 - as the interpreter would: to the log, status 1
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def _serve() -> None:
    """As `__main__` does."""
    from .loop import serve  # noqa: PLC0415
    from .streams import Streams, flush_log  # noqa: PLC0415

    streams = Streams.take_over()
    serve(streams, SOURCE)
    flush_log()


def _tell_failure(leash: socket.socket, error: BaseException) -> None:
    # Written, not sent: the model's filter knows no sockets.
    with contextlib.suppress(OSError):
        os.write(
            leash.fileno(),
            FAILED + f"{type(error).__name__}: {error}"[:1000].encode(errors="replace"),
        )


def _enter_namespaces() -> None:
    uid, gid = os.getuid(), os.getgid()
    _checked(_LIBC.unshare(_NAMESPACES), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        Path("/proc/self", name).write_text(text)


def _die_with(alive: int) -> None:
    """Wait for the keeper's word; die when it does, also when it is dead already."""
    if not os.read(alive, 1):
        os._exit(1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    poll = select.poll()
    poll.register(alive)
    if poll.poll(0):
        os._exit(1)


def _described(fd: int) -> Run:
    with os.fdopen(fd, "rb") as file:
        return msgspec.msgpack.decode(file.read(), type=Run)


def _mount_own(run: Run) -> None:
    """/proc of its own namespace, what is masked in it, its source, /tmp."""
    _mount("proc", "/proc", "proc", _PLAIN)
    _mount("tmpfs", TMP, "tmpfs", _PLAIN, f"size={SMALL},mode=755")
    file, directory = TMP / "file", TMP / "directory"
    file.touch(mode=0o444)
    directory.mkdir(mode=0o555)
    _mount("none", TMP, None, _PLAIN | _MS_REMOUNT | _MS_RDONLY)
    for masked, masks in ((run.masked_files, file), (run.masked_directories, directory)):
        for path in masked:
            with contextlib.suppress(FileNotFoundError):
                _mount(masks, path, None, _MS_BIND)
    size = sum(len(file.data) + 2 * SMALL for file in run.source.values()) + 16 * SMALL
    _mount("tmpfs", SOURCE, "tmpfs", _PLAIN, f"size={size},mode=755")
    _write(run.source)
    _mount("none", SOURCE, None, _PLAIN | _MS_REMOUNT | _MS_RDONLY)
    _mount(
        "tmpfs", TMP, "tmpfs", _PLAIN, f"size={run.tmp_bytes},nr_inodes={run.tmp_files},mode=1777"
    )
    os.chdir(SOURCE)


def _write(source: dict[str, File]) -> None:
    for name, file in source.items():
        path = SOURCE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
        path.chmod(file.mode)
        os.utime(path, ns=(file.mtime_ns, file.mtime_ns))


def _limit(rlimits: dict[int, int]) -> None:
    for number, limit in rlimits.items():
        resource.setrlimit(number, (limit, limit))


def _wire(fds: dict[str, int]) -> None:
    for number, name in enumerate(FDS[:3]):
        os.dup2(fds[name], number)


def _start_afresh() -> None:
    """What a new process would have: random state of its own, no sign of the zygote."""
    # Python's own generator is reseeded by os.fork, numpy's is not.
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    sys.argv = sys.argv[:1]


def _give_up_privileges() -> None:
    for capability in _CAPABILITIES:
        if _LIBC.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # the first number the kernel does not know
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    _checked(_LIBC.syscall(_CAPSET, header, none), "capset")
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _install(program: bytes) -> None:
    instructions = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))

    filter_ = Program(len(program) // 8, ctypes.addressof(instructions))
    _checked(
        _LIBC.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(filter_), 0, 0), "seccomp"
    )


def _mount(
    origin: str | Path, target: str | Path, kind: str | None, flags: int, options: str = ""
) -> None:
    done = _LIBC.mount(
        os.fsencode(origin),
        os.fsencode(target),
        None if kind is None else kind.encode(),
        ctypes.c_ulong(flags),
        options.encode(),
    )
    _checked(done, f"mount {kind or origin} on {target}")


def _prctl(option: int, value: int) -> None:
    _checked(_LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
