"""Calls to the kernel that Python's own modules lack."""

import ctypes
import os
import signal
from pathlib import Path

# The interpreter's lock is held during these: between a fork's two halves nothing may wait.
_LIBC = ctypes.PyDLL(None, use_errno=True)

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
NAMESPACES = (
    0x1000_0000  # user
    | 0x0002_0000  # mount
    | 0x2000_0000  # pid
    | 0x0800_0000  # ipc
    | 0x0400_0000  # uts
    | 0x0200_0000  # cgroup
)
_CLONE_CHILD_SETTID, _CLONE_CHILD_CLEARTID = 0x0100_0000, 0x0020_0000
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 24, 22, 38
_PR_GET_TID_ADDRESS = 40
_SECCOMP_MODE_FILTER = 2
_CLONE, _CAPSET, _CLOSE_RANGE = 56, 126, 436
_CAPABILITY_VERSION_3 = 0x2008_0522
_CAPABILITIES = range(64)
_LAST_FD = 0xFFFF_FFFF


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def fork_into_namespaces() -> int:
    """As `os.fork`, with the child as process 1 of namespaces of its own.

    `os.fork` would need a second one: unshare(CLONE_NEWPID) holds for children only.
    The process may have one thread. It does what `os.fork` does around the call, and of
    what the C library's fork does the part that matters to one thread: the child's
    number where the library looks it up.

    Raises:
        OSError: the kernel refuses.
    """
    tid_address = ctypes.c_void_p()
    _checked(_LIBC.prctl(_PR_GET_TID_ADDRESS, ctypes.byref(tid_address), 0, 0, 0), "prctl")
    flags = NAMESPACES | _CLONE_CHILD_SETTID | _CLONE_CHILD_CLEARTID | signal.SIGCHLD
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = int(_LIBC.syscall(_CLONE, ctypes.c_ulong(flags), None, None, tid_address, None))
    number = ctypes.get_errno()
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    else:
        ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(number, f"clone: {os.strerror(number)}")
    return pid


def map_ids(uid: int, gid: int) -> None:
    """In a new user namespace: the same numbers as outside, and no others."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        _write(f"/proc/self/{name}", text)


def mount(
    origin: str | Path, target: str | Path, kind: str | None, flags: int, options: str = ""
) -> None:
    """Mount, or change what is mounted.

    Raises:
        OSError: named after kind and target.
    """
    done = _LIBC.mount(
        os.fsencode(origin),
        os.fsencode(target),
        None if kind is None else kind.encode(),
        ctypes.c_ulong(flags),
        options.encode(),
    )
    _checked(done, f"mount {kind or origin} on {target}")


def die_with_parent() -> None:
    """SIGKILL when the parent ends; a parent that has ended already must be looked for."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def give_up_privileges() -> None:
    """No capability, now or after an execve."""
    for capability in _CAPABILITIES:
        if _LIBC.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # the first number the kernel does not know
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    _checked(_LIBC.syscall(_CAPSET, header, none), "capset")
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def install_filter(program: bytes) -> None:
    """The seccomp filter, on top of those in force."""
    instructions = ctypes.create_string_buffer(program, len(program))
    filter_ = _Program(len(program) // 8, ctypes.addressof(instructions))
    _checked(
        _LIBC.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(filter_), 0, 0), "seccomp"
    )


def close_from(first: int) -> None:
    """Close every descriptor from `first` on."""
    _checked(_LIBC.syscall(_CLOSE_RANGE, ctypes.c_uint(first), ctypes.c_uint(_LAST_FD), 0), "close")


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _prctl(option: int, value: int) -> None:
    _checked(_LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
