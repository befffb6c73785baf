"""What a sandbox runs: the directories or the Docker image of one version."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Image:
    """One version's image, the same content for both engines.

    Attributes:
        digest: `sha256:...`, the Docker image's id; names the image everywhere.
        base: root file system with `usr/`, its symlinks and `opt/signalbox/`.
        dependencies: mounted at `/opt/dependencies`.
        source: mounted at `/srv/signal`, holds `app.py`.
    """

    digest: str
    base: Path
    dependencies: Path
    source: Path


PYTHON = "/usr/bin/python3.11"
SOURCE = "/srv/signal"
DEPENDENCIES = "/opt/dependencies"
CONTRACT = "/opt/signalbox"

# -I would ignore PYTHONHASHSEED; -s, -P and -B are the part of it that matters here.
COMMAND = (PYTHON, "-s", "-P", "-B", "-m", "harness")

HOSTNAME = "sandbox"
# One thread each: more would share one CPU, and sums would depend on their order.
ENVIRONMENT = {
    "HOSTNAME": HOSTNAME,  # Docker sets it; the other engine must not differ
    "HOME": "/tmp",  # noqa: S108 - inside the sandbox, a private tmpfs
    "JOBLIB_MULTIPROCESSING": "0",  # it cannot fork here, and would warn of it
    "LANG": "C.UTF-8",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "POLARS_MAX_THREADS": "1",
    "PWD": SOURCE,
    "PYTHONHASHSEED": "0",
    "PYTHONPATH": f"{CONTRACT}:{DEPENDENCIES}",
    "RAYON_NUM_THREADS": "1",
    "TZ": "UTC",
}

# Nothing of the host is read from /proc: neither its load, its kernel nor its boot options.
# `sys` above all: a writable core_pattern is a way out.
MASKED_FILES = (
    "/proc/buddyinfo",
    "/proc/cgroups",
    "/proc/cmdline",
    "/proc/config.gz",
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/interrupts",
    "/proc/kallsyms",
    "/proc/kcore",
    "/proc/key-users",
    "/proc/keys",
    "/proc/kmsg",
    "/proc/loadavg",
    "/proc/locks",
    "/proc/meminfo",
    "/proc/modules",
    "/proc/pagetypeinfo",
    "/proc/partitions",
    "/proc/sched_debug",
    "/proc/schedstat",
    "/proc/slabinfo",
    "/proc/softirqs",
    "/proc/stat",
    "/proc/swaps",
    "/proc/sysrq-trigger",
    "/proc/timer_list",
    "/proc/uptime",
    "/proc/version",
    "/proc/vmallocinfo",
    "/proc/vmstat",
    "/proc/zoneinfo",
)
MASKED_DIRECTORIES = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/bus",
    "/proc/driver",
    "/proc/fs",
    "/proc/irq",
    "/proc/pressure",
    "/proc/scsi",
    "/proc/sys",
    "/proc/tty",
)
