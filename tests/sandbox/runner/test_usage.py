"""What a run took, as each engine and path tells it."""

import resource
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
