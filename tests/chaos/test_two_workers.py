"""Two worker hosts share a tick; one of them dies, or its cable is pulled, or the queue dies.

Real Postgres and real Redis over TCP, real sandboxes, each host a network namespace with an
image store of its own. Nobody intervenes: each run must end well by itself.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assets.forecasts.version import due_slots
from assets.market_data.sample import SampleSource
from assets.market_data.store import ingest
from assets.transparency.fsck import fsck
from benchmarks.tick_house import publish_model
from benchmarks.tick_models import Model
from pipelines.operator.home import Home
from pipelines.schedules import partition_key
from sandbox.registry.image import ImageStore
from sandbox.registry.lock import lock
from sandbox.registry.tree import SourceTree
from signalbox import parse_manifest
from sql.clock import floor_hour
from sql.migrate import migrate
from sql.roles import DATABASE, GIT, WORKER, create_roles
from tests.chaos.hosts import HUB, PATIENCE_SECONDS, REDIS_PORT, Redis, bridge, host, tcp_postgres
from tests.chaos.test_kills import swept
from tests.conftest import MANIFEST, Database, covering
from tests.waiting import until

VERSIONS = 12
SHARD = 3
# Long enough that no load makes a model miss, which would hide what this is about.
TIMEOUT = ("timeout_seconds = 1", "timeout_seconds = 30")
HOUR = timedelta(hours=1)
APP = """
import time
from signalbox import Forecast
def forecast(window):
    time.sleep({seconds})
    return [Forecast("BTCUSDT", 1, float(window.random.normal()))]
"""


class Site:
    """An installation whose ticks are run by two hosts."""

    def __init__(self, home, database, images, redis, hosts, environment):
        self.home, self.database, self.images, self.redis = home, database, images, redis
        self.hosts, self.environment, self.running = hosts, environment, None

    def connect(self):
        return self.database.connect(WORKER)

    def start(self, slot):
        with (self.home.logs / "runs").open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.workers_run", partition_key(slot)],
                env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip
        return self.running

    def close(self):
        if self.running is not None:
            self.running.kill()
            self.running.wait()

    def handed_out_again(self):
        return (self.home.logs / "runs").read_text().count("was lost with its worker")

    def recorded(self, slot):
        with self.connect() as connection:
            (count,) = connection.execute(
                "select count(*) from forecast.slot_record where slot = %s", [slot]
            ).fetchone()
        return count

    def wait_until_under_way(self, slot):
        """Some are recorded, some are not, and both hosts are at it."""

        def is_under_way():
            assert self.running.poll() is None, "the run ended before both hosts were seen at work"
            return self.recorded(slot) and all(one.is_at_work() for one in self.hosts)

        until(is_under_way, PATIENCE_SECONDS, why=lambda: "both hosts in the middle of it")
        assert self.recorded(slot) < VERSIONS

    def end(self, process, slot):
        assert process.wait(timeout=300) == 0, (self.home.logs / "runs").read_text()[-4000:]
        assert self.recorded(slot) == VERSIONS


@pytest.fixture
def site(image_store):
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("redis-server"):
        if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
            pytest.fail("two hosts need root, iproute2 and redis-server")
        pytest.skip("two hosts need root, iproute2 and redis-server")
    root = Path(tempfile.mkdtemp(prefix="signalbox-hosts-", dir="/var/tmp"))
    root.chmod(0o755)
    home = Home(root, settings=settings(root))
    home.prepare()
    redis = Redis(root)
    newest = floor_hour(datetime.now(UTC))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, root)
        name = stack.enter_context(bridge())
        admin = stack.enter_context(tcp_postgres(root))
        redis.start()
        stack.callback(redis.kill)
        create_roles(admin, home.passwords())
        migrate(home.owner_url(admin))
        database = Database(DATABASE, admin, home.passwords())
        publish(database, image_store, newest - 2 * HOUR - timedelta(minutes=26))
        ours = {**os.environ, **home.environment(admin, WORKER)}
        hosts = [
            stack.enter_context(host(name, number, root / f"host{number}", image_store.root, ours))
            for number in (1, 2)
        ]
        ours["SIGNALBOX_IMAGE_STORE"] = str(root / "none")
        for one in hosts:
            one.start_worker()
        for one in hosts:
            until(lambda one=one: " ready." in one.log, PATIENCE_SECONDS)
        with swept("embedded"):
            found = Site(home, database, image_store, redis, hosts, ours)
            stack.callback(found.close)
            yield found, newest


def settings(root):
    return {
        "SIGNALBOX_SANDBOX_ENGINE": "embedded",
        "SIGNALBOX_MARKET_SOURCE": "sample",
        "SIGNALBOX_TICK_EXECUTOR": "celery",
        "SIGNALBOX_SHARD_SIZE": str(SHARD),
        "SIGNALBOX_WORKER_SHARDS": "1",
        "SIGNALBOX_LEASE_SECONDS": "4",
        "SIGNALBOX_CELERY_BROKER": f"redis://{HUB}:{REDIS_PORT}/0",
        "SIGNALBOX_CELERY_PASSWORD_FILE": str(root / "redis.password"),
    }


def publish(database, images: ImageStore, at: datetime):
    locked = lock([], now=at, cache=images.cache)
    base, layer = images.base(), images.dependencies(locked)
    provider = uuid.uuid4()
    with database.superuser() as connection:
        connection.execute(
            "insert into account.user_account values (%s, 'ada', 'a@example.org', 'x', 'member',"
            " %s)", [provider, at],
        )  # fmt: skip
    with database.connect(WORKER) as connection:
        ingest(
            connection, SampleSource(("BTCUSDT",)), ["BTCUSDT"], at - timedelta(days=4), at, at,
            is_history=True,
        )  # fmt: skip
    with database.connect(GIT) as connection:
        for number in range(VERSIONS):
            name = f"model-{number:02d}"
            toml, app = (
                MANIFEST.format(name=name).replace(*TIMEOUT),
                APP.format(seconds=1.2 + number % 4 / 5),
            )
            files = {"app.py": (app.encode(), False), "signal.toml": (toml.encode(), False)}
            image = images.add(base=base, dependencies=layer, files=files)
            tree = SourceTree(files).digest
            model = Model("ada", name, "", parse_manifest(toml), locked, image, tree)
            publish_model(connection, model, provider, at)


@pytest.mark.timeout(1000)
def test_a_host_that_dies_in_mid_tick_a_pulled_cable_and_a_lost_queue_cost_no_slot(site, tmp_path):
    site, newest = site
    first, second = site.hosts

    slot = newest - 2 * HOUR
    running = site.start(slot)
    site.wait_until_under_way(slot)
    first.die()
    site.end(running, slot)
    assert site.handed_out_again() >= 1

    slot += HOUR
    first.start_worker()
    until(lambda: first.log.count(" ready.") == 2, PATIENCE_SECONDS)
    running = site.start(slot)
    site.wait_until_under_way(slot)
    second.pull_cable()
    site.end(running, slot)
    assert site.handed_out_again() >= 2
    second.plug_in()

    slot += HOUR
    running = site.start(slot)
    site.wait_until_under_way(slot)
    site.redis.kill()
    site.redis.start()
    site.end(running, slot)

    assert_whole(site, newest, covering(site.database, tmp_path / "signer"))


def assert_whole(site, newest, cover):
    at = newest + timedelta(minutes=59)
    assert cover(at) is not None
    with site.connect() as connection:
        assert due_slots(connection, at) == {}
        report = fsck(connection, at, images=site.images)
        counts = connection.execute(
            "select count(*), count(distinct (version_id, slot)), count(distinct leaf_index)"
            " from forecast.slot_record where provenance in ('live', 'late')"
        ).fetchone()
        pins = connection.execute(
            "select distinct slot, dagster_run_id, cutoff, max_batch from forecast.slot_record"
        ).fetchall()
    assert len(pins) == 3
    assert report.shown == ()
    assert (report.faults, report.owed) == (0, 0)
    assert counts == (VERSIONS * 3,) * 3
