"""What of the kernel the sandboxes stand on."""

import platform
import re
from collections.abc import Iterator
from pathlib import Path

from pipelines.operator.doctor.finding import Finding, miss, ok, warn

CONTROLLERS = ("memory", "pids", "cpu")
# Since 5.14 RLIMIT_NPROC is counted by user namespace, before by user of the whole host.
NPROC_BY_NAMESPACE = (5, 14)


def examine_kernel(root: Path = Path("/")) -> Iterator[Finding]:
    """Look at the features.

    Args:
        root: of the file system whose `proc` and `sys` are read.
    """
    version = _version(platform.release())
    yield ok("kernel", platform.release())
    yield _user_namespaces(root)
    yield _seccomp(root)
    yield _cgroups(root)
    yield _apparmor(root)
    yield _overlay(root)
    by = "user namespace" if version >= NPROC_BY_NAMESPACE else "user of the whole host"
    yield ok("process limit", f"RLIMIT_NPROC is counted by {by}; sandboxes have cgroups besides")


def _version(release: str) -> tuple[int, int]:
    """Major and minor.

    >>> _version("6.1.0-13-amd64")
    (6, 1)
    """
    found = re.match(r"(\d+)\.(\d+)", release)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _user_namespaces(root: Path) -> Finding:
    most = _text(root / "proc/sys/user/max_user_namespaces")
    switch = _text(root / "proc/sys/kernel/unprivileged_userns_clone")
    if not most:
        return miss("user namespaces", "the kernel has none", "use a kernel with CONFIG_USER_NS")
    if most == "0":
        return miss(
            "user namespaces", "switched off: user.max_user_namespaces is 0",
            "sysctl user.max_user_namespaces=15000",
        )  # fmt: skip
    if switch == "0":
        return warn(
            "user namespaces", "for root alone: kernel.unprivileged_userns_clone is 0",
            "sysctl kernel.unprivileged_userns_clone=1, or run the embedded engine as root",
        )  # fmt: skip
    return ok("user namespaces", f"up to {most}")


def _seccomp(root: Path) -> Finding:
    actions = _text(root / "proc/sys/kernel/seccomp/actions_avail").split()
    if {"kill_process", "errno"} <= set(actions):
        return ok("seccomp", "filters are to be had")
    return miss("seccomp", "the kernel filters no system calls",
                "use a kernel with CONFIG_SECCOMP_FILTER")  # fmt: skip


def _cgroups(root: Path) -> Finding:
    groups = root / "sys/fs/cgroup"
    unified = _text(groups / "cgroup.controllers").split()
    if unified:
        lacking = [name for name in CONTROLLERS if name not in unified]
        there = f"version 2 with {', '.join(unified)}"
    else:
        lacking = [name for name in CONTROLLERS if not (groups / name).is_dir()]
        there = "version 1"
    if not lacking:
        return ok("cgroups", there)
    return miss(
        "cgroups", f"without {', '.join(lacking)}",
        "boot with cgroup_enable=memory, and mount /sys/fs/cgroup: sandboxes have no limits else",
    )  # fmt: skip


def _apparmor(root: Path) -> Finding:
    if _text(root / "proc/sys/kernel/apparmor_restrict_unprivileged_userns") != "1":
        return ok("apparmor", "user namespaces are not restricted")
    return warn(
        "apparmor", "unprivileged user namespaces are restricted",
        "allow bwrap by a profile with `userns,`, or run the embedded engine as root",
    )  # fmt: skip


def _overlay(root: Path) -> Finding:
    if re.search(r"\boverlay$", _text(root / "proc/filesystems"), re.MULTILINE):
        return ok("overlay", "Docker's layers need no copies")
    return warn("overlay", "the kernel lists none (yet)", "modprobe overlay")
