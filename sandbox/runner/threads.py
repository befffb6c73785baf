"""How many threads a sandbox may have where no cgroup counts them: RLIMIT_NPROC.

From Linux 5.14 on it counts what one user has in one user namespace, and a sandbox
has one of its own: set inside, it bounds that sandbox alone. Older kernels count all
that the user has anywhere, other sandboxes and this platform included: how a model
ends would be its neighbours' doing, so there it has no such limit.
"""

import os

from sandbox.runner.limits import Limits

# In its first namespace RLIMIT_NPROC counts all of one user's processes: this bounds
# all sandboxes together where they have a user of their own.
ALL_PROCESSES = 4_096
COUNTS_BY_NAMESPACE = (5, 14)
NOT_LIMITED = "no cgroup, and Linux before 5.14: the number of threads is not limited"


def counts_by_namespace(release: str) -> bool:
    """Whether a kernel of this release, as `uname -r` has it, counts so."""
    major, minor = release.split("-", maxsplit=1)[0].split(".")[:2]
    return (int(major), int(minor)) >= COUNTS_BY_NAMESPACE


def at_most(limits: Limits) -> int | None:
    """RLIMIT_NPROC inside a sandbox that has no cgroup; None where it would be wrong."""
    return limits.pids if counts_by_namespace(os.uname().release) else None


def tell(holds: list[str], lacks: list[str]) -> None:
    """Add what an engine without cgroups guarantees of threads, or cannot."""
    if counts_by_namespace(os.uname().release):
        holds.append("threads limited per sandbox (RLIMIT_NPROC)")
    else:
        lacks.append(NOT_LIMITED)
