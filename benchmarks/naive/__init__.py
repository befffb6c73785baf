"""What a team would build first, measured on a sample: the yardstick of `benchmarks.tick`.

Celery takes a task per version from Redis and starts one hardened `docker run`
for it; the model imports its libraries, reads its bars from Postgres itself and
prints its forecasts, which the task stores. Everything is real: a Redis server
and a Celery worker of this benchmark's own, as many tasks at once as there are
cores, one image with the libraries of all three examples.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from sqlalchemy import URL

from benchmarks.naive.worker import SETTINGS, app, run_model
from sandbox.registry.docker_image import ensure_loaded
from sandbox.registry.image import ImageStore
from sandbox.registry.lock import lock
from sandbox.registry.requirements import parse_requirements
from sql.roles import conninfo

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
EXAMPLES = ("seasonal-naive", "momentum-quantiles", "ridge-lags")
REQUIREMENTS = "numpy\npandas\npolars\nscikit-learn\npsycopg[binary]\n"
WAIT_SECONDS = 600


@dataclass(frozen=True)
class NaiveTick:
    """What the sample cost."""

    versions: int
    seconds: float
    forecasts: int

    @property
    def seconds_per_version(self) -> float:
        return self.seconds / self.versions


def measure(store: ImageStore, database: URL, slot: datetime, versions: int) -> NaiveTick:
    """Run a sample of versions once at `slot`, the examples in turn.

    Args:
        store: where the image is built; Docker must answer.
        database: on a unix socket, with bars up to the slot, as a role that may create a table.
        slot: UTC.
        versions: how many; some dozens give a steady figure.

    Raises:
        RuntimeError: Redis is not installed, or a run failed.
    """
    if shutil.which("redis-server") is None:
        raise RuntimeError("redis-server not found: apt-get install redis-server")
    image = _image(store)
    with psycopg.connect(conninfo(database), autocommit=True) as connection:
        connection.execute("create table naive_forecast (run int, at timestamptz, rows jsonb)")
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, _celery(Path(folder)):
            settings = {"image": image, "database": conninfo(database), "slot": slot.isoformat()}
            for _ in range(2):  # the worker's first tasks connect and import
                run_model.delay(-1, EXAMPLES[0], settings).get(timeout=WAIT_SECONDS)
            began = time.perf_counter()
            tasks = [
                run_model.delay(run, EXAMPLES[run % len(EXAMPLES)], settings)
                for run in range(versions)
            ]
            for task in tasks:
                task.get(timeout=WAIT_SECONDS)
            seconds = time.perf_counter() - began
        row = connection.execute(
            "select count(*), sum(jsonb_array_length(rows)) from naive_forecast where run >= 0"
        ).fetchone()
    if row is None or row[0] != versions:
        raise RuntimeError(f"{versions} runs, but {row} stored")
    return NaiveTick(versions, seconds, int(row[1]))


def _image(store: ImageStore) -> str:
    locked = lock(parse_requirements(REQUIREMENTS), now=datetime.now(UTC), cache=store.cache)
    files = {"run.py": ((HERE / "model.py").read_bytes(), False)}
    for name in EXAMPLES:
        for file in ("app.py", "signal.toml"):
            content = (CHECKOUT / "examples" / name / file).read_bytes()
            files[f"{name}/{file}"] = (content, False)
    built = store.add(base=store.base(), dependencies=store.dependencies(locked), files=files)
    ensure_loaded(store, built.digest)
    return built.digest


@contextmanager
def _celery(folder: Path) -> Iterator[None]:
    """Redis on a socket, and a worker; both end with the block."""
    redis = folder / "redis"
    os.environ[SETTINGS] = f"redis+socket://{redis}"
    app.conf.update(broker_url=os.environ[SETTINGS], result_backend=os.environ[SETTINGS])
    commands = [
        ["redis-server", "--port", "0", "--unixsocket", str(redis), "--save", "",
         "--dir", str(folder)],
        [sys.executable, "-m", "celery", "--app", "benchmarks.naive.worker", "--quiet", "worker",
         "--concurrency", str(os.cpu_count() or 1), "--loglevel", "error"],
    ]  # fmt: skip
    processes: list[subprocess.Popen[bytes]] = []
    with (folder / "log").open("wb") as log:
        try:
            for command in commands:
                processes.append(subprocess.Popen(command, cwd=CHECKOUT, stdout=log, stderr=log))
                _wait_for(redis)
            yield
        finally:
            for process in reversed(processes):
                process.terminate()
                process.wait()


def _wait_for(socket: Path) -> None:
    for _ in range(200):
        if socket.exists():
            return
        time.sleep(0.05)
    raise RuntimeError("redis-server did not come up within 10 s")
