"""Run workers and git through the proxy: their own work passes, and nothing else does."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime

import docker
import pytest

from sandbox.runner.docker_configuration import cold
from sandbox.runner.docker_engine import DockerEngine
from sandbox.runner.forked_engine import ForkedEngine
from sandbox.runner.limits import Limits
from sandbox.runner.run import replay, run_cold

HONEST = """
from signalbox import Forecast
def forecast(window):
    levels = {0.1: 0.1, 0.5: 0.5, 0.9: 0.9}
    return [Forecast(s, h, 0.5, levels) for s in window.symbols for h in (1, 4)]
"""
VERSION = "ada/honest v1.0.0"


@pytest.fixture
def through(proxy, monkeypatch):
    """This process is a run worker: its Docker is the proxy's socket."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{proxy.sandboxes}")
    monkeypatch.setenv("SIGNALBOX_ZYGOTE_FOLDER", str(proxy.zygotes))


@pytest.fixture
def honest(throwaway_image):
    return throwaway_image({"app.py": HONEST})


@pytest.fixture
def foreign(direct, platform):
    """A container that somebody else made, never started."""
    made = direct.create_container(platform, ["true"], labels={"signalbox.sandbox": "fake"})["Id"]
    yield made
    direct.remove_container(made, force=True)


def made_through(direct, proxy):
    label = f"signalbox.made_through={proxy.sandboxes}"
    return direct.containers(all=True, filters={"label": label})


@pytest.mark.usefixtures("through")
def test_cold_runs_pass_and_leave_nothing(proxy, direct, honest, manifest, feed):
    engine = DockerEngine()
    try:
        assert run_cold(engine, honest, manifest, VERSION, feed()).missed is None
        feeds = (feed(hours) for hours in range(3))
        assert [one.missed for one in replay(engine, honest, manifest, VERSION, feeds)] == [
            None
        ] * 3
        assert engine.reap(datetime.now(UTC)) == ()
    finally:
        engine.close()
    assert made_through(direct, proxy) == []


@pytest.mark.usefixtures("through")
def test_forked_runs_pass_and_leave_nothing(direct, proxy, honest, manifest, feed):
    engine = ForkedEngine(DockerEngine())
    try:
        for hours in range(2):
            assert run_cold(engine, honest, manifest, VERSION, feed(hours)).missed is None
        (zygote,) = made_through(direct, proxy)
        assert zygote["Mounts"][0]["RW"] is False
    finally:
        engine.close()
    assert made_through(direct, proxy) == []
    assert list(proxy.zygotes.iterdir()) == []


@pytest.mark.usefixtures("through")
def test_a_model_that_hangs_is_killed_through_it(proxy, direct, throwaway_image, manifest, feed):
    sleeper = throwaway_image({"app.py": "import time\ndef forecast(_): time.sleep(60)"})
    engine = DockerEngine()
    try:
        limits = Limits(timeout_seconds=0.5)
        result = run_cold(engine, sleeper, manifest, VERSION, feed(), limits=limits)
        assert result.missed.kind == "timeout"
    finally:
        engine.close()
    assert made_through(direct, proxy) == []


@pytest.mark.usefixtures("through")
def test_sandboxes_past_their_deadline_are_reaped_and_nobody_elses(direct, foreign, honest):
    engine = DockerEngine()
    try:
        left = engine._client.create_container_from_config(
            cold(honest.digest, Limits(), "left over", int(time.time()) - 10)
        )["Id"]
        assert engine.reap(datetime.now(UTC)) == ("left over",)
    finally:
        engine.close()
    with pytest.raises(docker.errors.NotFound):
        direct.inspect_container(left)
    assert direct.inspect_container(foreign)


ELSEWHERE = [
    "POST /containers/{ours}/exec", "POST /exec/{ours}/start", "POST /build", "GET /info",
    "GET /events", "POST /volumes/create", "GET /volumes", "POST /networks/create",
    "GET /networks", "GET /images/json", "POST /images/create?fromImage=x",
    "POST /containers/{ours}/update", "POST /containers/{ours}/rename?name=x",
    "GET /containers/{ours}/archive?path=/", "PUT /containers/{ours}/archive?path=/",
    "GET /containers/{ours}/export", "GET /containers/{ours}/logs?stdout=1",
    "GET /containers/{ours}/top", "POST /commit?container={ours}", "POST /containers/prune",
    "POST /containers/{ours}/pause", "GET /containers/{ours}/attach/ws", "POST /session",
    "POST /containers/{ours}/kill?signal=TERM", "POST /containers/{ours}/attach?stream=1&logs=1",
    "POST /containers/create?name=api", "DELETE /containers/{ours}?link=1",
    "GET /containers/{short}/json", "GET /containers/postgres/json", "POST /swarm/init",
    "POST /images/signalbox-image:latest/tag?repo=signalbox/platform&tag=0.1.0",
    "POST /images/load?quiet=maybe", "GET /_ping?x=1", "POST /containers/{ours}/start?checkpoint=x",
    "POST /containers/{ours}/attach?stream=1", "POST /grpc", "GET /images/get?names=x",
]  # fmt: skip


@pytest.mark.parametrize("line", ELSEWHERE)
def test_what_no_run_worker_needs_is_refused(proxy, asked, line):
    ours = "a" * 64
    method, target = line.format(ours=ours, short=ours[:12]).split(" ")
    status, said = asked(proxy.sandboxes, f"{method} {target} HTTP/1.1\r\n\r\n".encode())
    assert status == 403
    assert "refused by sandbox.docker_proxy" in said


def test_a_container_that_was_not_made_through_the_socket_is_out_of_reach(
    proxy, asked, sandboxes, foreign
):
    """It even carries the label of sandboxes."""
    for line in ("GET {}/json", "POST {}/start", "POST {}/kill", "POST {}/wait", "DELETE {}",
                 "GET {}/stats?stream=0"):  # fmt: skip
        method, target = line.format(f"/containers/{foreign}").split(" ")
        status, said = asked(proxy.sandboxes, f"{method} {target} HTTP/1.1\r\n\r\n".encode())
        assert status == 403
        assert "was not made through the sandboxes socket" in said
    assert sandboxes.containers(all=True) == []
    assert sandboxes.containers(all=True, filters={"label": "signalbox.sandbox"}) == []


def test_images_of_others_are_neither_told_nor_tagged_nor_removed(
    proxy, asked, direct, sandboxes, platform
):
    digest = direct.inspect_image(platform)["Id"]
    assert set(sandboxes.inspect_image(digest)) == {"Id", "RepoTags"}
    for line in (f"DELETE /images/{digest}?force=1", f"DELETE /images/{platform}",
                 f"GET /images/{platform}/json",
                 f"POST /images/{digest}/tag?repo={platform.split(':', 1)[0]}&tag=x",
                 f"POST /images/{digest}/tag?repo=signalbox-image&tag={'0' * 64}"):  # fmt: skip
        method, target = line.split(" ")
        status, _ = asked(proxy.sandboxes, f"{method} {target} HTTP/1.1\r\n\r\n".encode())
        assert status == 403
    assert direct.inspect_image(platform)["Id"] == digest


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_another_user_is_refused_whatever_the_sockets_mode(proxy):
    program = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
        " s.sendall(b'GET /_ping HTTP/1.1\\r\\n\\r\\n'); print(s.recv(4096))"
    )
    for path in (proxy.sandboxes, proxy.launch):
        said = subprocess.run(
            [sys.executable, "-I", "-c", program, str(path)],
            user=64_990, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "403 Forbidden" in said.stdout
        assert "user 64990 has no business" in said.stdout


def test_many_silent_callers_do_not_keep_others_out_for_long(proxy, sandboxes):
    silent = []
    try:
        for _ in range(100):
            one = socket.socket(socket.AF_UNIX)
            one.connect(str(proxy.sandboxes))
            silent.append(one)
        assert sandboxes.ping()
    finally:
        for one in silent:
            one.close()


class Connection(http.client.HTTPConnection):
    """To a unix socket."""

    def __init__(self, path):
        super().__init__("docker", timeout=30)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self._path)


def test_every_answer_ends_its_connection(proxy):
    connection = Connection(proxy.sandboxes)
    connection.request("GET", "/v1.41/version")
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.getheader("Connection") == "close"
    assert json.loads(answer.read())["ApiVersion"]
    connection.close()
