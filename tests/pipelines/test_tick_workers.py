"""Handing out shards: where the queue is, who holds a lease, what is handed out again."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from billiard.exceptions import WorkerLostError
from celery import Celery
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from benchmarks.processes import free_port
from pipelines.resources import tick_executor
from pipelines.settings import WorkerSettings
from pipelines.tick_workers.broker import broker_url
from pipelines.tick_workers.executor import ATTEMPTS, HandedOut, ShardLostError
from pipelines.tick_workers.lease import is_leased, leased
from sql.configuration import ConfigurationError


def settings(**given):
    return WorkerSettings(database_url="x", image_store="y", **given)


@pytest.fixture
def queue(tmp_path):
    """An app whose queue is a real Redis, and no worker."""
    if shutil.which("redis-server") is None:
        if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
            pytest.fail("handing out shards needs redis-server")
        pytest.skip("handing out shards needs redis-server")
    port = free_port()
    server = subprocess.Popen(
        ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "",
         "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"redis://127.0.0.1:{port}/0"
    app = Celery("test", broker=url, backend=url)
    app.conf.task_default_queue = "dagster"
    with Redis(port=port) as client:
        while True:
            try:
                client.ping()
                break
            except (RedisConnectionError, OSError):
                time.sleep(0.05)
    yield app
    app.pool.force_close_all()
    app.backend.client.connection_pool.disconnect()
    app.close()
    server.kill()
    server.wait()


def test_the_queues_password_comes_from_its_file(tmp_path):
    file = tmp_path / "password"
    file.write_text("a/b@c\n")
    named = settings(
        celery_broker="rediss://queue:6379/1?ssl_cert_reqs=required", celery_password_file=str(file)
    )
    assert broker_url(named) == "rediss://:a%2Fb%40c@queue:6379/1?ssl_cert_reqs=required"
    assert broker_url(settings(celery_broker="redis://queue:6379/0")) == "redis://queue:6379/0"


@pytest.mark.parametrize(
    ("broker", "problem"),
    [
        (None, "is not redis://"),
        ("amqp://queue", "is not redis://"),
        ("redis://:secret@queue:6379/0", "put it into a file"),
    ],
)
def test_a_tick_that_shall_be_spread_names_what_is_wrong_with_its_queue(broker, problem):
    with pytest.raises(ConfigurationError, match=f"SIGNALBOX_CELERY_BROKER.*{problem}") as raised:
        tick_executor(settings(tick_executor="celery", celery_broker=broker))
    assert "secret" not in str(raised.value)


def test_a_lease_is_one_workers_and_ends_with_its_work(queue):
    redis = queue.backend.client
    with leased(redis, "shard", 2) as mine, leased(redis, "shard", 2) as anothers:
        assert (mine, anothers) == (True, False)
        time.sleep(3)  # it is renewed
        assert is_leased(redis, "shard")
    time.sleep(2.5)
    assert not is_leased(redis, "shard")


def test_a_shard_that_waits_stays_and_one_that_vanishes_is_handed_out_again_a_few_times(queue):
    handed = []

    def submit():
        handed.append(queue.send_task("shard"))
        return handed[-1]

    shard = HandedOut("shard_0001", submit, "dagster", 0)
    for _ in range(3):
        assert not shard.ready()
    assert len(handed) == 1
    while not shard.ready():
        queue.control.purge()
    assert len(handed) == ATTEMPTS
    with pytest.raises(ShardLostError, match="shard_0001 was lost 5 times"):
        shard.get()


@pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")  # by Celery
def test_a_shard_whose_process_was_killed_is_handed_out_again_and_one_that_failed_is_not(queue):
    handed = []

    def submit():
        handed.append(queue.send_task("shard"))
        return handed[-1]

    shard = HandedOut("shard_0001", submit, "dagster", 60)
    # As a worker writes it down, whose child the kernel killed for its memory.
    queue.backend.store_result(handed[0].id, WorkerLostError("signal 9 (SIGKILL)"), "FAILURE")
    assert not shard.ready()
    assert len(handed) == 2
    queue.backend.store_result(handed[1].id, ValueError("ours"), "FAILURE")
    assert shard.ready()
    with pytest.raises(ValueError, match="ours"):
        shard.get()
    assert len(handed) == 2


def test_a_shard_that_a_worker_is_at_is_not_handed_out_again(queue):
    handed = []

    def submit():
        handed.append(queue.send_task("shard"))
        return handed[-1]

    shard = HandedOut("shard_0001", submit, "dagster", 0)
    queue.control.purge()
    with leased(queue.backend.client, handed[0].id, 5):
        assert not shard.ready()
    assert len(handed) == 1


def test_a_workers_lines_have_the_form_that_is_set(queue):
    environment = {
        **os.environ,
        "SIGNALBOX_LOG_FORMAT": "json",
        "SIGNALBOX_DATABASE_URL": "postgresql://unused",
        "SIGNALBOX_IMAGE_STORE": "unused",
        "SIGNALBOX_CELERY_BROKER": queue.conf.broker_url,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines.tick_workers"], env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as worker:  # fmt: skip
        assert worker.stderr is not None
        lines = []
        for line in worker.stderr:
            lines.append(json.loads(line))
            if lines[-1]["message"].endswith("ready."):
                worker.terminate()
    assert {line["process"] for line in lines} == {"tick-worker"}
    assert worker.returncode == 0
