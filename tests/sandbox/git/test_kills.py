"""kill -9 at each step of a push, of each process: nothing blocked, no half a version."""

import contextlib
import fcntl
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.waiting import until

PRE_RECEIVE, RECEIVE_PACK = "sandbox.git.hook pre-receive", "receive-pack"
SLEEPS = "import time\ntime.sleep(25)\ndef forecast(window): ...\n"


@pytest.fixture(scope="module")
def doomed(serve):
    """A git process that these tests kill and start again."""
    with serve() as served:
        yield served


@pytest.fixture(scope="module")
def ada(doomed):
    return doomed.person("ada")


@pytest.fixture
def work(doomed, ada, request):
    return doomed.work(ada, f"s-{abs(hash(request.node.nodeid)) % 10**12}")


# How a push is kept at a step until it is killed there.


@contextlib.contextmanager
def before_reserve(house, _built_store) -> Iterator[None]:
    with house.superuser() as connection, connection.transaction():
        connection.execute("lock table registry.signal in access exclusive mode")
        yield


@contextlib.contextmanager
def during_image(_house, built_store) -> Iterator[None]:
    (lock,) = (built_store.root / "known").glob("base-*.lock")
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def unheld(_house, _built_store) -> Iterator[None]:
    yield


STEPS = {
    # step: how it is kept there, and the line after which it is
    "before reserve": (before_reserve, None),
    "lock": (unheld, "remote: manifest "),
    "image": (during_image, "remote: lock "),
    "smoke": (unheld, "remote: image "),
}


def reached(push, house, line: str | None) -> None:
    if line is None:
        until(lambda: any(PRE_RECEIVE in found for found in house.workers()))
        until(lambda: is_blocked(house))
    else:
        assert any(line in said for said in push.stdout)


def is_blocked(house) -> bool:
    return house.ask("select count(*) from pg_locks where not granted")[0][0] > 0


def kill(house, command: str) -> None:
    (pid,) = (pid for pid, found in house.worker_pids().items() if command in found
              and "http-backend" not in found)  # fmt: skip
    os.kill(pid, signal.SIGKILL)


def kill_machine(house) -> None:
    """Everything at once, without a word to anybody."""
    house.process.send_signal(signal.SIGSTOP)
    for pid in house.worker_pids():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    house.kill()


VICTIMS = {
    "the hook": lambda house: kill(house, PRE_RECEIVE),
    "git": lambda house: kill(house, RECEIVE_PACK),
    "the git process": lambda house: house.kill(),
    "the machine": kill_machine,
}
KILLS = [
    ("before reserve", "the hook"),
    ("before reserve", "git"),
    ("lock", "the hook"),
    ("image", "the hook"),
    ("image", "git"),
    ("image", "the git process"),
    ("image", "the machine"),
    ("smoke", "the hook"),
    ("smoke", "the machine"),
]


@pytest.mark.parametrize(("step", "victim"), KILLS, ids=lambda name: name.replace(" ", "-"))
def test_killing_a_process_at_a_step_leaves_no_version_and_no_trace(
    doomed, ada, work, built_store, step, victim
):
    work.commit({"app.py": SLEEPS} if step == "smoke" else None, tag="v1.0.0")
    keep, line = STEPS[step]
    with work.start_push("main", "v1.0.0") as push:
        with keep(doomed, built_store):
            reached(push, doomed, line)
            VICTIMS[victim](doomed)
            if doomed.process.poll() is not None:
                doomed.start()
            gone = until(lambda: doomed.workers() == [], 20)
        push.communicate(timeout=20)
    assert gone
    assert push.returncode != 0
    until(lambda: "building" not in doomed.versions(work.name).values(), 20)
    until(lambda: doomed.workers() == [], 20)
    assert doomed.versions(work.name) in ({}, {"v1.0.0": "rejected"})
    assert work.remote_refs() == {}
    repository = doomed.repository(ada, work.name)
    until(lambda: list((repository / "objects").glob("tmp_objdir-*")) == [], 5)


def test_a_tag_whose_push_was_killed_can_be_pushed_again_at_once(doomed, work, built_store):
    work.commit(tag="v1.0.0")
    with work.start_push("main", "v1.0.0") as push, during_image(doomed, built_store):
        reached(push, doomed, "remote: lock ")
        kill(doomed, PRE_RECEIVE)
        push.stdout.read()
    again = work.push("main", "v1.0.0")
    assert not again.refused, again.text
    assert doomed.versions(work.name) == {"v1.0.0": "live"}


@pytest.fixture
def dies_before_post_receive(doomed):
    """`receive-pack` is killed when it has moved the ref and is about to tell."""
    hook = doomed.root / ".hooks" / "post-receive"
    own = hook.read_text()
    hook.write_text("#!/bin/sh\nkill -9 $PPID\n")
    yield
    hook.write_text(own)
    assert hook.stat().st_mode & stat.S_IXUSR


@pytest.mark.usefixtures("dies_before_post_receive")
def test_a_tag_that_git_took_before_it_was_killed_goes_live_all_the_same(doomed, work):
    commit = work.commit(tag="v1.0.0")
    pushed = work.push("main", "v1.0.0")
    assert pushed.refused
    assert until(lambda: doomed.versions(work.name) == {"v1.0.0": "live"}, 20), (
        doomed.log.read_text()
    )
    assert work.remote_refs()["refs/tags/v1.0.0"] == commit
    leaves = doomed.ask(
        "select count(*) from transparency.leaf l join registry.signal s on s.id = l.signal_id"
        " where s.name = %s and l.kind = 'version/v1'",
        work.name,
    )
    assert leaves == [(1,)]
    assert healed(doomed, work) == ["its push was killed; finished"]


@pytest.mark.usefixtures("dies_before_post_receive")
def test_a_tag_that_git_took_before_the_machine_died_goes_live_at_the_next_start(doomed, work):
    work.commit(tag="v1.0.0")
    hook = doomed.root / ".hooks" / "post-receive"
    hook.write_text(f"#!/bin/sh\ntouch {doomed.home}/reached\nsleep 60\n")
    with work.start_push("main", "v1.0.0") as push:
        until((doomed.home / "reached").exists)
        kill_machine(doomed)
        push.communicate(timeout=30)
    assert doomed.versions(work.name) == {"v1.0.0": "building"}
    doomed.start()
    assert until(lambda: doomed.versions(work.name) == {"v1.0.0": "live"}, 20), (
        doomed.log.read_text()
    )
    assert "refs/tags/v1.0.0" in work.remote_refs()


@pytest.mark.usefixtures("dies_before_post_receive")
def test_a_tag_that_git_took_of_a_version_that_cannot_go_live_is_removed(doomed, work):
    work.commit(tag="v1.0.0")
    with doomed.superuser() as connection:
        connection.execute("revoke insert on transparency.leaf from signalbox_git")
        work.push("main", "v1.0.0")
        until(lambda: doomed.versions(work.name) == {"v1.0.0": "rejected"}, 20)
        until(lambda: "refs/tags/v1.0.0" not in work.remote_refs(), 5)
        connection.execute("grant insert on transparency.leaf to signalbox_git")
    assert healed(doomed, work) == ["its version did not come about; tag removed"]


def test_a_ref_that_was_left_locked_blocks_one_push_at_most(doomed, ada, work):
    work.commit()
    assert not work.push("main").refused
    lock = doomed.repository(ada, work.name) / "refs" / "heads" / "main.lock"
    lock.write_text("")
    work.commit({"more.py": "x = 1\n"})
    work.push("main")
    until(lambda: not lock.exists(), 5)
    assert not work.push("main").refused
    assert work.remote_refs()["refs/heads/main"] == work.git("rev-parse", "HEAD")


def test_a_second_git_process_over_the_same_repositories_does_not_start(doomed):
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.git"],
        env={"PATH": os.environ["PATH"], **doomed.settings, "SIGNALBOX_GIT_PORT": "0"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert f"another git process serves {doomed.root}" in done.stderr
    assert doomed.is_serving()


def healed(house, work) -> list[str]:
    query = "select detail from audit.event where action = 'push.heal' and subject = %s"
    return [detail["what"] for (detail,) in house.ask(query, f"ada/{work.name}@v1.0.0")]
