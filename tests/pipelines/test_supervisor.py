"""Processes are started, started again, and never left behind."""

import os
import signal
import sys
import time

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
