"""A tick of many versions by one tick worker and by two, each on a core of its own.

Real registry rows, images and sandboxes as in the benchmark of the tick; Redis as Debian
has it; each worker and all that it starts is pinned to one core. Postgres, Redis and the
run itself are not pinned and share the cores with them: the ratio of one machine of two
cores is a lower bound of that of two machines.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from benchmarks.processes import CHECKOUT, free_port
from benchmarks.tick_house import House, open_house
from pipelines.schedules import partition_key
from sql.clock import floor_hour
from sql.roles import WORKER

HOUR = timedelta(hours=1)
READY_SECONDS = 120


def main() -> None:
    """Print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=400)
    parser.add_argument("--shard", type=int, default=50)
    parser.add_argument("--engine", default="embedded", choices=["docker", "embedded"])
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    options = parser.parse_args()
    result = measure(options.versions, options.shard, options.engine)
    if not options.json:
        for name, value in result.items():
            print(f"{name:30} {value:.4g}")
    print(msgspec.json.encode({name: round(value, 4) for name, value in result.items()}).decode())


def measure(versions: int, shard: int, engine: str) -> dict[str, float]:
    """One slot by one worker, the next by two: seconds of the run, and their ratio."""
    root = Path(tempfile.mkdtemp(prefix="signalbox-workers-", dir="/var/tmp"))
    root.chmod(0o755)
    cores = sorted(os.sched_getaffinity(0))[:2]
    load = os.getloadavg()[0]
    try:
        with open_house(root, engine, "forked") as house, redis(root) as broker:
            house.environment.update(
                SIGNALBOX_TICK_EXECUTOR="celery",
                SIGNALBOX_CELERY_BROKER=broker,
                SIGNALBOX_SHARD_SIZE=str(shard),
                SIGNALBOX_WORKER_SHARDS="1",
            )
            slot = floor_hour(datetime.now(UTC)) - HOUR
            house.publish(versions, slot)
            with ExitStack() as stack:
                stack.enter_context(worker(house, root / "first", cores[0]))
                one = run(house, slot, versions)
                stack.enter_context(worker(house, root / "second", cores[-1]))
                two = run(house, slot + HOUR, versions)
    finally:
        shutil.rmtree(root)
    return {
        "versions": versions,
        "shards": -(-versions // shard),
        "one_worker_seconds": one,
        "two_workers_seconds": two,
        "ratio": one / two,
        "versions_per_core_hour": versions / one * 3600,
        "load_before": load,
    }


def run(house: House, slot: datetime, versions: int) -> float:
    """Seconds of a run, from its process' start to its end."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "benchmarks.workers_run", partition_key(slot)],
        env=house.environment, cwd=CHECKOUT, check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    with house.connect(WORKER) as connection:
        found = connection.execute(
            "select count(*) from forecast.slot_record where slot = %s and reason is null", [slot]
        ).fetchone()
    if found != (versions,):
        raise RuntimeError(f"{found} records of {versions}")
    return seconds


@contextmanager
def worker(house: House, log: Path, core: int) -> Iterator[None]:
    """A tick worker on one core, ready."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.tick_workers"],
            env=house.environment, cwd=CHECKOUT, stdout=file, stderr=file,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),  # noqa: PLW1509 - no threads yet
        )  # fmt: skip
    try:
        deadline = time.monotonic() + READY_SECONDS
        while b" ready." not in log.read_bytes():
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(f"the worker did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Debian's, on this machine alone; yields its URL."""
    port = free_port()
    process = subprocess.Popen(
        ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "",
         "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
