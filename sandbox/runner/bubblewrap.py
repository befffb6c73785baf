"""How bubblewrap is called: the arguments that cold sandboxes and zygotes share."""

import contextlib
import os
from pathlib import Path

from sandbox.runner.image import (
    CONTRACT,
    DEPENDENCIES,
    ENVIRONMENT,
    HOSTNAME,
    MASKED_DIRECTORIES,
    SOURCE,
    Image,
)
from sandbox.runner.limits import FILE_BYTES, OPEN_FILES, Limits
from sandbox.runner.threads import ALL_PROCESSES

# A number nobody logs in with; all its processes are sandboxes.
HOST_ID = 64_990
MODEL_ID = 65_534
# A shell waits here until it is in its cgroup.
GATE = 'read -r _ && exec "$@"'
READ_ONLY = ("--remount-ro", "/dev", "--remount-ro", "/")


def program_fd(program: bytes, passed: contextlib.ExitStack) -> int:
    """A seccomp program as a descriptor; `passed` closes it."""
    # One per launch: bubblewrap reads it from its position to its end.
    fd = os.memfd_create("seccomp")
    passed.callback(os.close, fd)
    os.write(fd, program)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def empty_fd(passed: contextlib.ExitStack) -> int:
    """A descriptor with nothing to read; `passed` closes it."""
    fd = os.open(os.devnull, os.O_RDONLY)
    passed.callback(os.close, fd)
    return fd


def host_id() -> int | None:
    """Whom to run as: nobody's number as root, ourselves otherwise."""
    return HOST_ID if os.geteuid() == 0 else None


def limited(limits: Limits, *, has_cgroup: bool) -> list[str]:
    """`prlimit` with the limits of one sandbox."""
    arguments = [
        "prlimit",
        f"--nofile={OPEN_FILES}",
        f"--fsize={FILE_BYTES}",
        "--core=0",
        f"--cpu={int(limits.lifetime_seconds)}",
    ]
    if not has_cgroup:
        arguments.append(f"--data={limits.memory_mb * 1024 * 1024}")
    if os.geteuid() == 0:
        arguments.append(f"--nproc={ALL_PROCESSES}")
    return arguments


def namespaces(filter_fd: int) -> list[str]:
    """Namespaces of its own, nobody's number, the filter; process 1 is the command."""
    return [
        "--unshare-all",
        "--unshare-user",  # --unshare-all only tries
        *("--uid", str(MODEL_ID), "--gid", str(MODEL_ID)),
        *("--hostname", HOSTNAME),
        "--as-pid-1",
        "--new-session",
        *("--seccomp", str(filter_fd)),
    ]


def root(image: Image) -> list[str]:
    """Everything that all versions with these dependencies see; no version's source."""
    arguments = ["--ro-bind", str(image.base / "usr"), "/usr"]
    for name in ("bin", "lib", "lib64", "sbin"):
        link = image.base / name
        if link.is_symlink():
            arguments += ["--symlink", str(link.readlink()), f"/{name}"]
    if (image.base / "etc").is_dir():
        arguments += ["--ro-bind", str(image.base / "etc"), "/etc"]
    return [
        *arguments,
        *("--ro-bind", str(contract(image)), CONTRACT),
        *("--ro-bind", str(image.dependencies), DEPENDENCIES),
        *("--proc", "/proc"),
        *("--dev", "/dev"),
    ]


def contract(image: Image) -> Path:
    """Where the image keeps the sdk and the harness."""
    return image.base / CONTRACT.removeprefix("/")


def masks(empty_files: dict[str, int]) -> list[str]:
    """Empty files and directories over the parts of /proc that tell of the host."""
    arguments = []
    for path, fd in empty_files.items():
        arguments += ["--ro-bind-data", str(fd), path]
    for path in MASKED_DIRECTORIES:
        if Path(path).is_dir():
            arguments += ["--size", "4096", "--tmpfs", path, "--remount-ro", path]
    return arguments


def environment() -> list[str]:
    """The variables of `ENVIRONMENT`, and its working directory."""
    arguments = ["--chdir", SOURCE]
    for name, value in ENVIRONMENT.items():
        arguments += ["--setenv", name, value]
    return arguments
