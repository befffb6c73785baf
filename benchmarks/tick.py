"""A tick of many versions, from the run worker's start to the last event in Dagster.

Real registry rows and images of the three examples' kinds, bars in a real Postgres, the
real job `tick` in a process of its own, real sandboxes. The floor is the same models' own
compute in one warm process over the same windows: what no design can go below on one core.
`--naive` also measures, on a sample in the same database, what would be built first
(`benchmarks/naive`): a Celery task and a `docker run` for each version.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psycopg

from assets.transparency.fsck import audit_log
from benchmarks import naive
from benchmarks.tick_house import House, open_house
from pipelines.schedules import partition_key
from sql.clock import floor_hour
from sql.roles import DATABASE, WORKER

CHECKOUT = Path(__file__).parents[1]
GROWTH = (200, 2000)


def main() -> None:
    """Print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=1000)
    parser.add_argument("--engine", default="auto", choices=["auto", "docker", "embedded"])
    parser.add_argument("--path", default="forked", choices=["forked", "cold"])
    parser.add_argument("--naive", type=int, default=0, help="versions that also run naively")
    parser.add_argument("--growth", action="store_true", help="also 2,000 against 200")
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    options = parser.parse_args()
    how = (options.engine, options.path)
    result = measure(options.versions, *how, naive_versions=options.naive)
    if options.growth:
        few, many = (measure(count, *how) for count in GROWTH)
        result["growth"] = many["seconds_per_version"] / few["seconds_per_version"]
    if not options.json:
        for name, value in result.items():
            print(f"{name:24} {value:.4g}")
    print(msgspec.json.encode({name: round(value, 5) for name, value in result.items()}).decode())


def measure(versions: int, engine: str, path: str, *, naive_versions: int = 0) -> dict[str, float]:
    """One slot of so many versions: seconds by phase, CPU seconds, and ratios."""
    root = Path(tempfile.mkdtemp(prefix="signalbox-tick-", dir="/var/tmp"))
    root.chmod(0o755)
    try:
        with open_house(root, engine, path) as house:
            slot = floor_hour(datetime.now(UTC))
            house.publish(versions, slot)
            house.environment.pop("PYTHONDONTWRITEBYTECODE", None)
            subprocess.run(
                [sys.executable, "-c", "import pipelines.definitions"],
                env=house.environment, cwd=CHECKOUT, check=True,
            )  # fmt: skip
            postgres_before = _cpu_seconds(house)
            began = time.perf_counter()
            told = _worker("tick_worker", house.environment, partition_key(slot))
            seconds = time.perf_counter() - began
            postgres = _cpu_seconds(house) - postgres_before
            _check(house, versions, told)
            floor = _floor(house, slot, versions)
            naively = _naive(house, slot, naive_versions, seconds / versions)
    finally:
        shutil.rmtree(root)
    return {
        "versions": versions,
        "seconds": seconds,
        "seconds_per_version": seconds / versions,
        "floor_seconds": floor,
        "floor_ratio": seconds / floor,
        **naively,
        "load_seconds": told["import"],
        "definitions_seconds": told["definitions"],
        # From the pin to the last record; the records' share of it ran beside the sandboxes.
        "slot_seconds": told["slot"],
        "records_seconds": told["records"],
        # Before the slot (planned events, bars), and what Dagster wrote after the last record.
        "dagster_seconds": told["run"] - told["slot"],
        "rest_seconds": seconds - told["import"] - told["definitions"] - told["run"],
        "host_cpu_ms_per_version": told["host_cpu"] / versions * 1000,
        "postgres_cpu_ms_per_version": postgres / versions * 1000,
    }


def _naive(
    house: House, slot: datetime, versions: int, seconds_per_version: float
) -> dict[str, float]:
    """How many times longer a version takes in the naive design; nothing where none is asked."""
    if not versions:
        return {}
    found = naive.measure(house.images, house.server.admin.set(database=DATABASE), slot, versions)
    return {
        "naive_seconds_per_version": found.seconds_per_version,
        "naive_ratio": found.seconds_per_version / seconds_per_version,
    }


def _worker(module: str, environment: dict[str, str], *arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{module} failed:\n{done.stderr[-4000:]}")
    decoded: dict[str, float] = msgspec.json.decode(done.stdout.splitlines()[-1])
    return decoded


def _check(house: House, versions: int, told: dict[str, float]) -> None:
    """Every version has its live record, its leaf and its materialization."""
    with house.connect(WORKER) as connection:
        found = connection.execute(
            "select provenance, count(*), count(distinct leaf_index) from forecast.slot_record"
            " group by provenance"
        ).fetchall()
        missed = connection.execute(
            "select reason, count(*) from forecast.slot_record where reason is not null"
            " group by reason order by count(*) desc limit 3"
        ).fetchall()
        leaves, faults = audit_log(connection)
    if found != [("live", versions, versions)] or leaves != 2 * versions or faults:
        raise RuntimeError(f"wrong records: {found}, {missed}, {leaves} leaves, {faults[:3]}")
    if not told["ok"] or told["materialized"] != versions:
        raise RuntimeError(f"Dagster shows {told['materialized']} of {versions} versions")


def _floor(house: House, slot: datetime, versions: int) -> float:
    with house.connect(WORKER) as connection:
        (digest,) = _one(
            connection,
            "select v.image_digest from registry.version v"
            " join registry.signal s on s.id = v.signal_id"
            " where s.name like 'ridge-lags-%' limit 1",
        )
    libraries = house.images.open(str(digest)).dependencies
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.tick_floor", slot.isoformat(), str(versions)],
        env={**house.environment, "PYTHONPATH": str(libraries)},
        cwd=CHECKOUT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return float(done.stdout)


def _one(connection: psycopg.Connection[tuple[object, ...]], query: str) -> tuple[object, ...]:
    row = connection.execute(query).fetchone()
    if row is None:
        raise RuntimeError(f"nothing answers {query}")
    return tuple(row)


def _cpu_seconds(house: House) -> float:
    """User and system time of Postgres so far: of those that ended, and of those that run."""
    postmaster = int((house.home.root / "postgres" / "postmaster.pid").read_text().split()[0])
    ticks = sum(_ticks(postmaster))
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            own, parent = _ticks(int(folder.name))[:2], _parent(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == postmaster:
            ticks += sum(own)
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> list[int]:
    """User, system, and both of the children that were waited for."""
    return [int(field) for field in _fields(pid)[11:15]]


def _parent(pid: int) -> int:
    return int(_fields(pid)[1])


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


if __name__ == "__main__":
    main()
