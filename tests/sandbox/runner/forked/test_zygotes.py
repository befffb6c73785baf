"""Who shares a zygote, how many there are, and what one may do."""

import json
import socket
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.runner import docker_zygote
from sandbox.runner.docker_engine import DockerEngine
from sandbox.runner.engine import available_engine
from sandbox.runner.errors import SandboxUnavailableError
from sandbox.runner.forked_engine import ColdEngine, ForkedEngine
from sandbox.runner.image import Image
from sandbox.runner.limits import Limits
from sandbox.runner.run import SlotResult
from sandbox.runner.zygote import Zygote

Run = Callable[..., SlotResult]
ColdFactory = Callable[[], ColdEngine]
Answers = Callable[..., list[bytes]]


def test_providers_share_a_zygote_only_where_their_dependencies_are_approved(
    cold_engine: ColdFactory, run: Run, honest: Image, answers: Answers
) -> None:
    for approved, expected in (((), 2), ((honest.dependencies,), 1)):
        engine = ForkedEngine(cold_engine(), approved=approved)
        try:
            answers(*(run(engine, honest, version=f"{name}/x v1.0.0") for name in ("ada", "bob")))
            assert len(engine.zygotes) == expected
        finally:
            engine.close()


def test_zygotes_over_the_budget_end_but_none_that_is_in_use(
    cold_engine: ColdFactory,
    run: Run,
    honest: Image,
    answers: Answers,
    only_zygote: Callable[[ForkedEngine], Zygote],
) -> None:
    engine = ForkedEngine(cold_engine(), zygotes_mb=1)
    try:
        running = engine.launch(honest, Limits(), "ada/x v1.0.0")
        adas = only_zygote(engine)
        answers(run(engine, honest, version="bob/x v1.0.0"))
        assert adas.alive
        running.close()
        answers(run(engine, honest, version="bob/x v1.0.0"))
        assert len(engine.zygotes) == 0
        assert not adas.alive
    finally:
        engine.close()


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Short, as the path of a socket must be, and where the daemon finds it."""
    with tempfile.TemporaryDirectory(prefix="folder-", dir="/var/tmp") as made:
        monkeypatch.setenv("SIGNALBOX_ZYGOTE_FOLDER", made)
        yield Path(made)


def test_zygotes_call_back_where_the_operator_said_and_are_reaped_there(
    folder: Path, docker_only: ColdFactory, run: Run, honest: Image, answers: Answers
) -> None:
    engine = ForkedEngine(docker_only())
    try:
        answers(run(engine, honest))
        (made,) = folder.iterdir()
        assert made.stat().st_mode & 0o777 == 0o700
        (folder / "zygote-1000-left").mkdir()
        engine.reap(datetime.now(UTC))
        assert list(folder.iterdir()) == [made]
    finally:
        engine.close()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("named", ["relative", "/with:colon", "/x" * 33, "/none/such"])
def test_a_folder_that_cannot_be_used_is_told_by_its_setting(
    monkeypatch: pytest.MonkeyPatch, docker_only: ColdFactory, honest: Image, run: Run, named: str
) -> None:
    monkeypatch.setenv("SIGNALBOX_ZYGOTE_FOLDER", named)
    engine = ForkedEngine(docker_only())
    try:
        with pytest.raises(SandboxUnavailableError, match="SIGNALBOX_ZYGOTE_FOLDER"):
            run(engine, honest)
    finally:
        engine.close()


def test_another_runtime_is_not_forked() -> None:
    with pytest.raises(SandboxUnavailableError, match="SIGNALBOX_SANDBOX_PATH=cold"):
        available_engine("docker", path="forked", runtime="runsc")


def test_the_zygotes_container_is_a_cold_one_but_for_what_is_documented() -> None:
    engine = DockerEngine.__new__(DockerEngine)
    engine._runtime = None
    image = Image("sha256:0", Path(), Path(), Path())
    cold = engine._configuration(image, Limits(), "a label")
    zygote = docker_zygote.as_zygote(cold, Path("/home/zygote-1-x/shown"))
    hosts = (zygote["HostConfig"], cold["HostConfig"])
    assert {name for name in hosts[0] if hosts[0][name] != hosts[1].get(name)} <= {
        *("SecurityOpt", "NanoCpus", "Ulimits", "Tmpfs", "Binds", "MaskedPaths"),
        *("ReadonlyPaths", "AutoRemove"),
    }
    assert hosts[0]["CapDrop"] == ["ALL"]
    assert hosts[0]["NetworkMode"] == "none"
    assert hosts[0]["ReadonlyRootfs"] is True
    assert hosts[0]["SecurityOpt"][0] == "no-new-privileges:true"
    assert hosts[0]["Binds"] == ["/home/zygote-1-x/shown:/tmp:ro"]
    filter_ = json.loads(hosts[0]["SecurityOpt"][2].removeprefix("seccomp="))
    allowed = {
        name
        for rule in filter_["syscalls"]
        if rule["action"] == "SCMP_ACT_ALLOW"
        for name in rule["names"]
    }
    assert not {"fork", "vfork", "setns", "ptrace", "bpf", "keyctl", "init_module"} & allowed
    sockets = [rule["args"] for rule in filter_["syscalls"] if "socket" in rule["names"]]
    assert [[argument["value"] for argument in arguments] for arguments in sockets] == [
        [socket.AF_UNIX]
    ]
