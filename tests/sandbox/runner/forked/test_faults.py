"""What dies takes its own with it and nothing else, and leaves nothing behind."""

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.runner import cgroup, docker_zygote
from sandbox.runner.embedded_engine import EmbeddedEngine
from sandbox.runner.errors import SandboxUnavailableError
from sandbox.runner.forked_engine import ColdEngine, ForkedEngine
from sandbox.runner.forked_sandbox import ForkedSandbox
from sandbox.runner.image import PYTHON, Image
from sandbox.runner.limits import Limits
from sandbox.runner.run import Feed, SlotResult
from sandbox.runner.session import Session
from sandbox.runner.zygote import Zygote, host_pid, is_readable
from signalbox import Manifest

Run = Callable[..., SlotResult]
ColdFactory = Callable[[], ColdEngine]
ImageFactory = Callable[[dict[str, str]], Image]
Answers = Callable[..., list[bytes]]

VERSION = "ada/honest v1.0.0"


@pytest.fixture
def directories(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where zygotes of this test have their sockets: other programs have theirs in /var/tmp."""
    # Short, as the path of a socket must be, and where the daemon finds it.
    with tempfile.TemporaryDirectory(prefix="faults-", dir="/var/tmp") as folder:
        monkeypatch.setenv("SIGNALBOX_ZYGOTE_FOLDER", folder)
        yield Path(folder)


def test_a_killed_zygote_is_our_error_for_its_runs_and_the_next_launch_works(
    cold_engine: ColdFactory,
    throwaway_image: ImageFactory,
    manifest: Manifest,
    feed: Callable[..., Feed],
    run: Run,
    honest: Image,
    answers: Answers,
    only_zygote: Callable[[ForkedEngine], Zygote],
) -> None:
    engine = ForkedEngine(cold_engine())
    try:
        sleeper = throwaway_image({"app.py": "import time\ndef forecast(_): time.sleep(60)"})
        expected = answers(run(engine, honest))
        session = Session(
            engine, sleeper, manifest, version_label=VERSION, version_seed=1, limits=Limits()
        )
        with session:
            zygote = only_zygote(engine)
            os.kill(host_pid(zygote._pidfd), signal.SIGKILL)
            each = feed()
            with pytest.raises(SandboxUnavailableError, match="the zygote ended"):
                session.answer(each.as_of, 1, 1, each.tables, each.historical)
        assert answers(run(engine, honest)) == expected
        assert only_zygote(engine) is not zygote
    finally:
        engine.close()


def test_a_run_dies_with_its_keeper_and_the_zygote_forks_another(
    engine: ForkedEngine, manifest: Manifest, run: Run, honest: Image, answers: Answers
) -> None:
    with Session(
        engine, honest, manifest, version_label=VERSION, version_seed=1, limits=Limits()
    ) as session:
        sandbox = session._sandbox
        model = os.pidfd_open(_model(sandbox))
        os.kill(host_pid(sandbox._keeper._pidfd), signal.SIGKILL)
        assert is_readable(model, 5)
        assert sandbox.wait(5).status == 128 + signal.SIGKILL
        os.close(model)
    answers(run(engine, honest))


def test_a_run_that_cannot_be_set_up_is_our_error_and_its_keeper_serves_the_next(
    cold_engine: ColdFactory,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    honest: Image,
    answers: Answers,
    only_zygote: Callable[[ForkedEngine], Zygote],
) -> None:
    engine = ForkedEngine(cold_engine())
    try:
        with monkeypatch.context() as patched:
            patched.setattr(engine, "_filter", b"no program")
            with pytest.raises(SandboxUnavailableError, match="forked path: OSError"):
                run(engine, honest)
        answers(run(engine, honest))
        assert len(only_zygote(engine)._idle) == 1
    finally:
        engine.close()


def test_a_zygote_that_does_not_come_up_is_our_error_and_leaves_nothing(
    cold_engine: ColdFactory,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    honest: Image,
    directories: Path,
) -> None:
    base = honest.source.parent / "no-python-for-zygotes"
    for directory in ("usr", "opt/signalbox"):
        (base / directory).mkdir(parents=True, exist_ok=True)
    wrong = (PYTHON, "-c", "raise SystemExit('no library')")
    monkeypatch.setattr(docker_zygote, "COMMAND", wrong)
    before = _traces(directories)
    engine = ForkedEngine(cold_engine())
    groups = _groups_of(engine, monkeypatch)
    with pytest.raises(
        SandboxUnavailableError, match=r"could not start a zygote: (no library|bwrap)"
    ):
        run(engine, replace(honest, base=base))
    engine.close()
    assert _traces(directories) == before
    assert not any(path.exists() for group in groups for path in group.directories)


def test_nothing_is_left_after_close(
    cold_engine: ColdFactory,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    honest: Image,
    only_zygote: Callable[[ForkedEngine], Zygote],
    directories: Path,
) -> None:
    run(EmbeddedEngine(), honest)  # what is opened once and stays
    before = _traces(directories)
    engine = ForkedEngine(cold_engine())
    groups = _groups_of(engine, monkeypatch)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: run(engine, honest), range(16)))
    abandoned = engine.launch(honest, Limits(), VERSION)
    pids = [_model(abandoned), host_pid(abandoned._keeper._pidfd)]
    pids.append(host_pid(only_zygote(engine)._pidfd))
    assert len(list(directories.iterdir())) == (engine.name == "docker")
    engine.close()
    abandoned.close()
    assert _traces(directories) == before
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not any(path.exists() for group in groups for path in group.directories)


def _groups_of(engine: ForkedEngine, monkeypatch: pytest.MonkeyPatch) -> list[cgroup.Cgroup]:
    """The cgroups it makes from now on; other programs make theirs beside them."""
    made: list[cgroup.Cgroup] = []
    original = engine._group

    def recorded(limits: Limits) -> cgroup.Cgroup | None:
        group = original(limits)
        if group is not None:
            made.append(group)
        return group

    monkeypatch.setattr(engine, "_group", recorded)
    return made


def _model(sandbox: ForkedSandbox) -> int:
    """The model's number here: its keeper has no other child."""
    keeper = host_pid(sandbox._keeper._pidfd)
    children = Path(f"/proc/{keeper}/task/{keeper}/children")
    deadline = time.monotonic() + 5
    while not children.read_text() and time.monotonic() < deadline:
        time.sleep(0.001)
    return int(children.read_text())


def _traces(directories: Path) -> tuple[list[str], int]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    # Others mount too: ours name the image or where it is shown.
    mounts = [line for line in lines if "signalbox" in line or "/srv/signal" in line]
    mounts += [str(path) for path in directories.iterdir()]
    return mounts, len(list(Path("/proc/self/fd").iterdir()))
