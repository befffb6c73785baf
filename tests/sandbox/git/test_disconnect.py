"""A client that goes away takes its build with it, and blocks nobody."""

import os
import signal

import docker
import pytest

from tests.waiting import until

STUCK = """
import time
from signalbox import Forecast
time.sleep({seconds})

def forecast(window):
    return [Forecast("EURUSD", horizon_hours=1, point=0.0)]
"""


def containers(label: str) -> list[str]:
    client = docker.APIClient(version="auto", timeout=30)
    try:
        filters = {"label": f"signalbox.sandbox={label}"}
        return [found["Id"] for found in client.containers(all=True, filters=filters)]
    finally:
        client.close()


def cut_off_in_the_sandbox(house, work) -> None:
    """Push, and kill the client once the model is being asked."""
    with work.start_push("main", "v1.0.0") as push:
        for line in push.stdout:
            if "image " in line:
                house.loaded.add(line.split()[-1])
                break
        os.killpg(push.pid, signal.SIGKILL)


@pytest.mark.parametrize("engine", ["docker", "embedded"])
def test_a_client_killed_in_the_middle_of_a_build_leaves_nothing_running(serve, engine):
    with serve(engine=engine) as house:
        ada = house.person("ada")
        work = house.work(ada, "tide")
        work.commit({"app.py": STUCK.format(seconds=25)}, tag="v1.0.0")
        cut_off_in_the_sandbox(house, work)
        until(lambda: house.versions("tide") == {"v1.0.0": "rejected"}, 20)
        until(lambda: house.workers() == [], 20)
        if engine == "docker":
            assert containers("ada/tide@v1.0.0") == []
        assert house.ask("select count(*) from transparency.leaf") == [(0,)]
        why = house.ask("select why from registry.version")[0][0]
        assert "the pusher went away" in why
        objects = house.repository(ada, "tide") / "objects"
        until(lambda: not list(objects.glob("*incoming*")), 5)
        assert house.is_serving()
        assert work.remote_refs() == {}
        work.commit({"app.py": STUCK.format(seconds=0)}, tag="v1.0.0")
        again = work.push("main", "v1.0.0")
        assert not again.refused, again.text
        assert house.versions("tide") == {"v1.0.0": "live"}


def test_a_client_killed_at_any_moment_never_leaves_half_a_version(house, work):
    for moment in ("reserved", "tree", "manifest", "lock"):
        work.commit(tag="v1.0.0")
        with work.start_push("main", "v1.0.0") as push:
            for line in push.stdout:
                if f"remote: {moment} " in line:
                    break
            os.killpg(push.pid, signal.SIGKILL)
        until(lambda: house.workers() == [], 20)
        until(lambda: house.versions(work.name) == {"v1.0.0": "rejected"}, 20)
        assert work.remote_refs() == {}


def test_a_git_process_told_to_stop_takes_its_builds_with_it(serve):
    with serve() as house:
        work = house.work(house.person("ada"), "tide")
        work.commit({"app.py": STUCK.format(seconds=25)}, tag="v1.0.0")
        with work.start_push("main", "v1.0.0") as push:
            for line in push.stdout:
                if "image " in line:
                    break
            os.kill(house.pid, signal.SIGTERM)
            until(lambda: house.versions("tide") == {"v1.0.0": "rejected"}, 30)
            until(lambda: house.workers() == [], 10)
            push.communicate(timeout=30)
            assert push.returncode != 0
