"""A run whose worker died together with its code server is found out."""

import subprocess
import sys
import time

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.launcher.base import WorkerStatus
from dagster._core.test_utils import create_run_for_test

from pipelines.run_launcher import WatchedRunLauncher, is_process


@pytest.fixture
def instance(tmp_path):
    overrides = {
        "run_launcher": {"module": "pipelines.run_launcher", "class": "WatchedRunLauncher"}
    }
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=overrides) as made:
        yield made


@pytest.fixture
def worker():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def said_by(instance, pid):
    run = create_run_for_test(instance, job_name="tick", status=dg.DagsterRunStatus.STARTED)
    instance.report_engine_event("Started process", run, EngineEventData.in_process(pid))
    return run


def health(instance, run):
    assert isinstance(instance.run_launcher, WatchedRunLauncher)
    assert instance.run_launcher.supports_check_run_worker_health
    return instance.run_launcher.check_run_worker_health(run).status


def test_a_run_whose_process_was_killed_has_failed(instance, worker):
    run = said_by(instance, worker.pid)
    assert health(instance, run) == WorkerStatus.RUNNING
    worker.kill()
    # Not waited for yet: a zombie computes nothing either.
    deadline = time.monotonic() + 5
    while health(instance, run) == WorkerStatus.RUNNING and time.monotonic() < deadline:
        time.sleep(0.05)
    assert health(instance, run) == WorkerStatus.FAILED
    worker.wait()
    assert health(instance, run) == WorkerStatus.FAILED


def test_another_process_that_was_given_the_dead_ones_number_is_not_taken_for_it(worker):
    now = time.time()
    assert is_process(worker.pid, now)
    assert not is_process(worker.pid, now - 3600)


def test_a_run_that_has_not_said_its_process_yet_is_left_alone(instance):
    run = create_run_for_test(instance, job_name="tick", status=dg.DagsterRunStatus.STARTED)
    assert health(instance, run) == WorkerStatus.RUNNING
