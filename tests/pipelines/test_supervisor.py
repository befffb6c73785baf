"""Processes are started, started again, and never left behind."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from pipelines.operator.supervisor import Program, StartError, Supervisor


def sleeper(name, code="import time; time.sleep(60)"):
    return Program(name, [sys.executable, "-c", code], dict(os.environ), lambda: True)


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def supervisor(tmp_path):
    made = Supervisor(tmp_path, lambda _: None)
    yield made
    made.stop()


def test_stopping_ends_programs_that_ignore_being_told_to(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.operator.supervisor.STOP_SECONDS", 0.5)
    supervisor = Supervisor(tmp_path, lambda _: None)
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    supervisor.start([sleeper("deaf", deaf)])
    pid = supervisor.programs[0].process.pid
    time.sleep(0.3)
    supervisor.stop()
    assert gone(pid)


def test_a_program_that_ended_is_started_again(supervisor):
    supervisor.start([sleeper("one")])
    first = supervisor.programs[0].process.pid
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        supervisor.watch()
        process = supervisor.programs[0].process
        if process is not None and process.pid != first and process.poll() is None:
            break
        time.sleep(0.05)
    assert supervisor.programs[0].restarts == 1
    assert supervisor.programs[0].process.pid != first


def test_a_program_that_does_not_come_up_shows_the_end_of_its_log(supervisor):
    broken = sleeper("broken", "raise SystemExit('no such setting')")
    broken.is_up = lambda: False
    with pytest.raises(StartError, match="no such setting"):
        supervisor.start([broken])


def test_what_a_killed_program_started_is_ended_before_its_successor_needs_its_port(
    supervisor, tmp_path
):
    noted = tmp_path / "child"
    parent = (
        "import pathlib, subprocess, sys, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f"pathlib.Path({str(noted)!r}).write_text(str(child.pid)); time.sleep(60)"
    )
    supervisor.start([sleeper("with a child", parent)])
    deadline = time.monotonic() + 10
    while not (noted.exists() and noted.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    child = int(noted.read_text())
    assert is_alive(child)
    os.kill(supervisor.programs[0].process.pid, signal.SIGKILL)
    while is_alive(child) and time.monotonic() < deadline:
        supervisor.watch()
        time.sleep(0.05)
    assert not is_alive(child)


def test_a_program_that_lived_long_is_started_again_at_once(supervisor, monkeypatch):
    monkeypatch.setattr("pipelines.operator.supervisor.LONGEST_PAUSE_SECONDS", 0.2)
    supervisor.start([sleeper("one")])
    program = supervisor.programs[0]
    program.restarts = 9
    time.sleep(0.3)
    os.kill(program.process.pid, signal.SIGKILL)
    program.process.wait()
    supervisor.watch()
    assert program.restarts == 1


def is_alive(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
