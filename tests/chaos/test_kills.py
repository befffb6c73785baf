"""Random kills during ticks: every due version ends in exactly one outcome per slot.

A run worker is a process of its own here, as under Dagster's launcher. While it runs,
it, its zygotes, its sandboxes and dockerd are killed at random; whoever died is started
again as its supervisor would. `SIGNALBOX_CHAOS_SEED` repeats a run; `SIGNALBOX_CHAOS_KILLS=25`
is a long one.
"""

import contextlib
import multiprocessing
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess as Process
from pathlib import Path

import docker
import pytest

from assets.forecasts.version import due_slots
from assets.transparency.fsck import audit_log
from sandbox.runner import cgroup, docker_zygote
from sandbox.runner.docker_configuration import LABEL
from sql.roles import WORKER, conninfo
from tests.chaos.run_worker import Work, tick

SEED = int(os.environ.get("SIGNALBOX_CHAOS_SEED", time.time_ns()))
KILLS = int(os.environ.get("SIGNALBOX_CHAOS_KILLS", "10"))  # on each path there is
SLOT = datetime(2026, 11, 20, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
PATIENCE_SECONDS = 4.0  # a run that waits to be tried again is killed, too
# Not forked from the tests' own process: polars hangs in a child of one that has used it.
WORKERS = multiprocessing.get_context("forkserver")
WORKERS.set_forkserver_preload(["tests.chaos.run_worker"])
MODELS = {
    "quick": "",
    "naps": "    import time; time.sleep(0.3)\n",
    "burns": "    sum(i * i for i in range(2_000_000))\n",
    "raises": "    if window.as_of.month == 11: raise ValueError('only in November')\n",
}
APP = """
from signalbox import Forecast
def forecast(window):
{body}    return [Forecast("BTCUSDT", 1, float(window.random.normal()))]
"""


@pytest.fixture
def dice(record_property) -> random.Random:
    record_property("SIGNALBOX_CHAOS_SEED", SEED)
    return random.Random(SEED)  # noqa: S311 - which process to kill is no secret


@pytest.fixture
def private_dockerd() -> Iterator["PrivateDockerd"]:
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip("a dockerd of this test's own needs root and Docker's daemon")
    folder = Path(tempfile.mkdtemp(prefix="signalbox-dockerd-", dir="/var/tmp"))
    daemon = PrivateDockerd(folder)
    daemon.start()
    yield daemon
    daemon.stop()
    # A daemon that was killed leaves its own bind mount behind.
    while (
        subprocess.run(
            ["umount", str(folder / "data")], capture_output=True, check=False
        ).returncode
        == 0
    ):
        pass
    shutil.rmtree(folder)


@pytest.fixture
def worker(database, image_store, engine_choice) -> Callable[[datetime], Process]:
    """`worker(slot)`: a run worker's process, at work on one slot."""

    def start(slot: datetime) -> Process:
        work = Work(conninfo(database.url(WORKER)), image_store.root, engine_choice, slot)
        process = WORKERS.Process(target=tick, args=(work, dict(os.environ)))
        process.start()
        return process

    return start


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "engine_choice", ["docker", "embedded", "docker-forked", "embedded-forked"], indirect=True
)
def test_killing_sandboxes_zygotes_and_workers_at_random_leaves_one_outcome_per_slot(
    house, worker, dice, engine
):
    for name, body in MODELS.items():
        house.publish(name, APP.format(body=body))
    killed, slot = 0, SLOT
    with swept(engine.name):
        while killed < KILLS:
            running = worker(slot)
            killed += harass(running, engine.name, dice, KILLS - killed)
            if not owed(house, slot):
                slot += HOUR
        while owed(house, slot):
            finish(worker(slot))
    assert_one_outcome_each(house, slot)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("engine_choice", ["docker-forked"], indirect=True)
def test_killing_dockerd_in_the_middle_of_a_tick_leaves_one_outcome_per_slot(
    house, worker, dice, private_dockerd, monkeypatch
):
    for name, body in MODELS.items():
        house.publish(name, APP.format(body=body))
    monkeypatch.setenv("DOCKER_HOST", private_dockerd.host)
    slot = SLOT
    # What ran when the daemon died ran on without anybody to ask.
    with swept("docker"):
        for _ in range(2):
            running = worker(slot)
            time.sleep(dice.uniform(0.5, 3))
            private_dockerd.kill()
            running.join(PATIENCE_SECONDS)
            running.kill()
            running.join()
            private_dockerd.start()
            while owed(house, slot):
                finish(worker(slot))
            slot += HOUR
    assert_one_outcome_each(house, slot - HOUR)


def owed(house, slot: datetime) -> list[int]:
    with house.connect() as connection:
        return due_slots(connection, slot + timedelta(minutes=1)).get(slot, [])


def finish(process: Process) -> None:
    process.join(60)
    assert process.exitcode == 0


def harass(process: Process, engine: str, dice: random.Random, most: int) -> int:
    """Kill at random what belongs to the worker until it has ended; returns how many died."""
    killed = 0
    ends = time.monotonic() + PATIENCE_SECONDS
    while process.is_alive() and killed < most:
        time.sleep(dice.uniform(0.0, 0.3))
        victims = [process.pid] if dice.random() < 0.15 or time.monotonic() > ends else []
        victims = victims or sandboxes(engine) + descendants(process.pid)
        if victims:
            killed += kill(dice.choice(victims))
    if process.is_alive():
        process.join(PATIENCE_SECONDS)
        process.kill()
    process.join()
    return killed


def kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def descendants(pid: int) -> list[int]:
    """Zygotes, keepers, models, bubblewraps: whatever the worker started, at any depth."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        children.setdefault(parent, []).append(int(folder.name))
    found, left = [], [pid]
    while left:
        found += (born := children.get(left.pop(), []))
        left += born
    return found


def sandboxes(engine: str) -> list[int]:
    """Process 1 of each container of ours."""
    if engine != "docker":
        return []
    with contextlib.closing(docker.APIClient()) as client:
        return [pid for container in containers(client) if (pid := _pid(client, container))]


def containers(client: docker.APIClient) -> set[str]:
    return {one["Id"] for one in client.containers(all=True, filters={"label": LABEL})}


@contextlib.contextmanager
def swept(engine: str) -> Iterator[None]:
    """Remove what killed workers left: the reaper would, at a deadline that a test cannot await.

    Only what is new: another platform of this machine keeps its own.
    """
    families = cgroup.families()
    groups = {group.name for group in cgroup.existing(families)}
    folders = set(docker_zygote.folder().glob("zygote-*"))
    with contextlib.ExitStack() as undo:
        client = docker.APIClient() if engine == "docker" else None
        if client is not None:
            undo.callback(client.close)
        there = containers(client) if client else set()
        yield
        for container in containers(client) - there if client else ():
            with contextlib.suppress(docker.errors.NotFound):
                client.remove_container(container, force=True)
    for group in cgroup.existing(families):
        if group.name not in groups:
            group.remove()
    for folder in set(docker_zygote.folder().glob("zygote-*")) - folders:
        shutil.rmtree(folder)


def _pid(client: docker.APIClient, container: str) -> int:
    try:
        return int(client.inspect_container(container)["State"]["Pid"])
    except docker.errors.NotFound:
        return 0


def assert_one_outcome_each(house, last: datetime) -> None:
    slots = int((last - SLOT) / HOUR) + 1
    with house.connect() as connection:
        found = connection.execute(
            "select version_id, slot, count(*), count(leaf_index), count(distinct leaf_index)"
            " from forecast.slot_record where provenance in ('live', 'late', 'missed')"
            " group by version_id, slot"
        ).fetchall()
        _, faults = audit_log(connection)
    assert len(found) == len(MODELS) * slots
    assert {tuple(counts) for _, _, *counts in found} == {(1, 1, 1)}
    assert faults == []


class PrivateDockerd:
    """A daemon of this test's own, to be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.host = f"unix://{folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        for _ in range(3):  # a killed daemon's containerd may still be on its way out
            if self._started():
                return
        raise RuntimeError((self._folder / "log").read_text()[-2000:])

    def _started(self) -> bool:
        for name in ("docker.pid", "exec/containerd/containerd.pid"):
            (self._folder / name).unlink(missing_ok=True)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["dockerd", "--host", self.host, "--data-root", str(self._folder / "data"),
                 "--exec-root", str(self._folder / "exec"),
                 # "none" would take the bridge away from this machine's own daemon.
                 "--bridge", "docker0",
                 "--iptables=false", "--ip6tables=false",
                 "--pidfile", str(self._folder / "docker.pid")],
                stdout=log, stderr=log,
            )  # fmt: skip
        while self._process.poll() is None:
            # Not by docker-py, which leaks the socket of a daemon that does not answer.
            with socket.socket(socket.AF_UNIX) as knocking, contextlib.suppress(OSError):
                knocking.connect(self.host.removeprefix("unix://"))
                knocking.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                if b"OK" in knocking.recv(4096):
                    return True
            time.sleep(0.2)
        return False

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait()
