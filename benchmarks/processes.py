"""Processes that benchmarks start, and the CPU time they and their children took."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

CHECKOUT = Path(__file__).parents[1]


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far, by the kernel's scheduler, in nanoseconds."""
    found = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        found += int(task.read_text().split()[0])
    return found / 1e9


def with_children_s(pid: int) -> float:
    """CPU seconds of a process and of those it has forked, such as Postgres' backends."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(cpu_s(one) for one in (pid, *map(int, children)))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait(url: str, path: str = "/readyz") -> None:
    """Until it answers well.

    Raises:
        TimeoutError: after 60 seconds.
    """
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}{path}").is_success:
                return
        time.sleep(0.1)
    raise TimeoutError(f"the server at {url} did not start")


@contextmanager
def running(module: str, port: int, environment: dict[str, str]) -> Iterator[int]:
    """`python -m module` until the block ends; yields its pid."""
    process = subprocess.Popen(
        [sys.executable, "-m", module], cwd=CHECKOUT, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait(f"http://127.0.0.1:{port}")
        yield process.pid
    finally:
        process.terminate()
        process.wait()
