"""Sandboxes whose platform died are ended on a schedule, and seen to be."""

import contextlib
import os
import secrets
import subprocess
import time
from pathlib import Path

import dagster as dg
import docker
import pytest

from pipelines.operator.home import Home
from pipelines.operator.house import open_house
from pipelines.sensors import REAP_SECONDS, reap_sandboxes
from sandbox.runner import cgroup
from sandbox.runner.docker_configuration import DEADLINE_LABEL, LABEL
from sandbox.runner.limits import Limits
from sandbox.runner.reaper import reap_everywhere
from sql.clock import system_clock

HOUR = 3600


def lacking(what):
    if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
        pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but {what}")
    pytest.skip(what)


@pytest.fixture
def client():
    try:
        made = docker.APIClient(version="auto")
    except docker.errors.DockerException as error:
        lacking(f"no Docker: {error}")
    yield made
    made.close()


@pytest.fixture
def empty_image(client):
    """An image of nothing: containers of it are made and never started."""
    tag = f"signalbox-reaper-{secrets.token_hex(4)}"
    client.import_image_from_data(bytes(1024), repository=tag)
    yield tag
    client.remove_image(tag, force=True)


@pytest.fixture
def container(client, empty_image):
    """`container(seconds)`: one left over whose deadline is so far from now."""
    made = []

    def leave(seconds):
        labels = {
            LABEL: f"ada/left v{len(made)}.0.0",
            DEADLINE_LABEL: str(int(time.time()) + seconds),
        }
        configuration = {"Image": empty_image, "Cmd": ["true"], "Labels": labels}
        made.append(client.create_container_from_config(configuration)["Id"])
        return made[-1]

    yield leave
    for one in made:
        with contextlib.suppress(docker.errors.NotFound):
            client.remove_container(one, force=True)


@pytest.fixture
def group():
    """`group(seconds)`: a cgroup with a process in it, its deadline so far from now."""
    families = cgroup.families()
    if not families:
        lacking("no cgroup that this user may use")
    made = []

    def leave(seconds):
        process = subprocess.Popen(["sleep", "600"])
        left = cgroup.create(families, Limits(lifetime_seconds=seconds))
        made.append((left, process))
        left.add(process.pid)
        return left, process

    yield leave
    for left, process in made:
        process.kill()
        process.wait()
        left.remove()


def exists(client, one):
    try:
        client.inspect_container(one)
    except docker.errors.NotFound:
        return False
    return True


def tick():
    with dg.build_sensor_context() as context:
        return reap_sandboxes()(context).skip_message


def test_a_container_past_its_deadline_vanishes_and_a_young_one_stays(client, container):
    old, young = container(-10), container(HOUR)
    said = tick()
    assert not exists(client, old)
    assert exists(client, young)
    assert "docker: ada/left v0.0.0" in said
    assert "v1.0.0" not in said


def test_a_cgroup_past_its_deadline_vanishes_with_what_runs_in_it_and_a_young_one_stays(group):
    (old, old_process), (young, young_process) = group(-10), group(HOUR)
    said = tick()
    assert not any(path.exists() for path in old.directories)
    assert old_process.wait(5) == -9
    assert all(path.exists() for path in young.directories)
    assert young_process.poll() is None
    assert f"embedded: {old.name}" in said
    assert young.name not in said


def test_a_cgroup_that_nobody_is_in_any_more_vanishes_too(group):
    old, process = group(-10)
    process.kill()
    process.wait()
    assert f"embedded: {old.name}" in reap_everywhere(system_clock())
    assert not any(path.exists() for path in old.directories)


def test_an_engine_that_does_not_answer_is_passed_over(group, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    old, _ = group(-10)
    assert f"embedded: {old.name}" in reap_everywhere(system_clock())


def test_the_reaper_is_on_without_anyone_turning_it_on():
    sensor = reap_sandboxes()
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert sensor.minimum_interval_seconds == REAP_SECONDS == 300


def test_the_supervisor_reaps_before_it_starts_anything(group):
    old, _ = group(-10)
    said = []
    home = Path("/var/tmp") / f"signalbox-reaper-{secrets.token_hex(4)}"  # noqa: S108
    try:
        with open_house(Home(home), said.append) as house:
            assert house.supervisor.programs == []
            assert not any(path.exists() for path in old.directories)
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)
    assert f"ended a sandbox that was left over: embedded: {old.name}" in said
