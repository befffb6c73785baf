"""What a run took, as each engine and path tells it."""

import resource
import subprocess
import sys
from collections.abc import Callable

from sandbox.runner.engine import NOT_MEASURED, Engine
from sandbox.runner.run import SlotResult

Cold = Callable[..., SlotResult]

BURN = """
def forecast(window):
    began = time.process_time()
    while time.process_time() - began < 0.3: pass
    return rows()
"""
HOLD = """
kept = bytearray(100 << 20)
def forecast(window): return rows()
"""
BURN_FOR_EVER = "def forecast(window):\n    while True: pass"


def test_a_run_that_computes_shows_its_cpu_time(cold: Cold) -> None:
    took = cold(BURN).usage.cpu_ms
    assert took is not None
    # Starting Python and polars cold is part of it.
    assert 300 <= took < 2_500


def test_a_run_that_holds_memory_shows_its_peak(cold: Cold, engine: Engine) -> None:
    took = cold(HOLD).usage.peak_memory_mb
    if took is None:
        # Without cgroups, and started by a process that had as much itself.
        assert (engine.name, engine.path) == ("embedded", "cold")
        assert not engine._families
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 >= 100
        return
    assert 100 <= took < 256


def test_a_run_past_its_deadline_shows_what_it_burned(cold: Cold, engine: Engine) -> None:
    result = cold(BURN_FOR_EVER, timeout_seconds=1.0)
    assert result.missed is not None
    assert result.missed.kind == "timeout"
    if (engine.name, engine.path) == ("embedded", "cold") and not engine._families:
        # Nobody is left to tell: bubblewrap, which waited for it, was killed with it.
        assert result.usage == NOT_MEASURED
        return
    assert result.usage.cpu_ms is not None
    # Less than the deadline where the machine is busy.
    assert 20 <= result.usage.cpu_ms < 3_000


HOG = """
import os, resource, subprocess, sys
from sandbox.runner.engine import Usage
kept = b"x" * (int(sys.argv[1]) << 20)
child = subprocess.Popen([sys.executable, "-c", f"b'x' * ({sys.argv[2]} << 20)"])
print(Usage.told(os.wait4(child.pid, 0)[2]).peak_memory_mb)
"""


def test_memory_of_whoever_started_it_is_not_taken_for_a_runs_own() -> None:
    # Each of them was started by the one before, whose peak it has from there.
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    taken = ours + 100

    def told(held_mb: int) -> str:
        command = [sys.executable, "-c", HOG, str(held_mb), str(taken)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert told(taken + 100) == "None"
    assert taken <= float(told(0)) < taken + 50
