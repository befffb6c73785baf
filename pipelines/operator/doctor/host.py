"""The machine: cores, memory, swap, tools, its clock and its time zone, and whether it is one."""

import email.utils
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from pipelines.operator.doctor.finding import Finding, miss, ok, warn

MEMORY_WANTED_GB = 4
CORES_WANTED = 2
CLOCK_OFF_AT_MOST = timedelta(seconds=2)
TOOLS = {"git": "apt-get install git"}


def examine_host(time_url: str | None, proc: Path = Path("/proc")) -> Iterator[Finding]:
    """Look at the machine.

    Args:
        time_url: whose `Date` header the clock is held against; nothing is asked without.
        proc: where the kernel says what there is.
    """
    yield ok("python", platform.python_version())
    root = os.geteuid() == 0
    yield ok("user", "root: sandboxes run as uid 64990" if root else "an ordinary user")
    yield from _cores_and_memory(proc)
    for tool, remedy in TOOLS.items():
        path = shutil.which(tool)
        yield ok(tool, path) if path else miss(tool, "not found", remedy)
    yield _zone()
    yield _synchronised()
    if time_url:
        yield _against(time_url)
    yield _container(proc)


def _cores_and_memory(proc: Path) -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0))
    if cores >= CORES_WANTED:
        yield ok("cores", str(cores))
    else:
        yield warn("cores", str(cores), "two or more keep a tick from delaying the API")
    kib = _meminfo(proc)
    memory = kib.get("MemTotal", 0) // 1024**2
    if memory >= MEMORY_WANTED_GB:
        yield ok("memory", f"{memory} GB, {kib.get('MemAvailable', 0) // 1024**2} GB available")
    else:
        yield warn("memory", f"{memory} GB", f"{MEMORY_WANTED_GB} GB or more; see scaling.md")
    swap = kib.get("SwapTotal", 0) // 1024**2
    if swap:
        yield warn(
            "swap", f"{swap} GB", "swapoff -a, or encrypt it: secrets in memory may be written out"
        )
    else:
        yield ok("swap", "none")


def _meminfo(proc: Path) -> dict[str, int]:
    rows = (line.split(":") for line in (proc / "meminfo").read_text().splitlines())
    return {name: int(rest.split()[0]) for name, rest in rows}


def _zone() -> Finding:
    offset = -time.timezone if not time.daylight else None
    if offset == 0:
        return ok("time zone", "UTC")
    return warn(
        "time zone", f"{time.tzname[0]}, not UTC",
        "timedatectl set-timezone UTC: the platform's own times are UTC, the host's logs are not",
    )  # fmt: skip


def _synchronised() -> Finding:
    """As the kernel's discipline says; every forecast's provenance rests on the clock."""
    if not (tool := shutil.which("timedatectl")):
        return _by_daemon()
    done = subprocess.run(
        [tool, "show", "--property=NTPSynchronized", "--value"],
        capture_output=True, text=True, check=False, timeout=5,
    )  # fmt: skip
    if done.stdout.strip() == "yes":
        return ok("time sync", "the clock is synchronised")
    if done.returncode != 0:
        return _by_daemon()
    return warn("time sync", "the clock is not synchronised", "apt-get install chrony")


def _by_daemon() -> Finding:
    names = {"chronyd", "ntpd", "systemd-timesyn", "ptp4l"}
    for comm in Path("/proc").glob("[0-9]*/comm"):
        try:
            if comm.read_text().strip() in names:
                return ok("time sync", f"{comm.read_text().strip()} runs")
        except OSError:
            continue
    return warn(
        "time sync", "nothing that keeps the clock right is to be seen from here",
        "apt-get install chrony on the host; hold the clock against another with --time-url",
    )  # fmt: skip


def _against(url: str) -> Finding:
    try:
        began = datetime.now(UTC)
        answer = httpx.head(url, timeout=10, follow_redirects=False)
        middle = began + (datetime.now(UTC) - began) / 2
        theirs = email.utils.parsedate_to_datetime(answer.headers["Date"])
    except (httpx.HTTPError, KeyError, ValueError) as error:
        return warn("clock", f"{url} does not say the time: {error!r}", "name another --time-url")
    # The header has whole seconds.
    off = abs(middle - theirs - timedelta(seconds=0.5))
    said = f"{off.total_seconds():.1f} s off {url}"
    if off <= CLOCK_OFF_AT_MOST:
        return ok("clock", said)
    return miss("clock", said, "set the clock (chronyc makestep), and keep it synchronised")


def _container(proc: Path) -> Finding:
    if is_container(proc):
        return warn(
            "container", "this is one: the host's clock, disks, kernel settings and modes are not"
            " to be seen from here", "call signalbox doctor on the host as well",
        )  # fmt: skip
    return ok("container", "none: the host itself is looked at")


def is_container(proc: Path = Path("/proc")) -> bool:
    """Does this process run in a container?"""
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return True
    try:
        return "/docker/" in (proc / "1" / "cgroup").read_text()
    except OSError:
        return False
