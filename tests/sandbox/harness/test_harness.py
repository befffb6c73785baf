"""The harness in the checkout, on plain pipes: what it does without any sandbox."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.runner.image import Image
from sandbox.runner.run import Feed, SlotResult, replay, run_cold
from signalbox import Manifest

NOWHERE = Image("sha256:none", Path(), Path(), Path())
ANSWER = """
from signalbox import Forecast
def answer(point=0.0):
    return [Forecast(s, h, point, {0.1: -0.1, 0.5: 0.0, 0.9: 0.1})
            for s in ("EURUSD", "GBPUSD") for h in (1, 4)]
"""
Run = Callable[..., list[SlotResult]]


@pytest.fixture
def run(
    tmp_path: Path,
    local_engine: Callable[..., Any],
    manifest: Manifest,
    feed: Callable[..., Feed],
) -> Run:
    """`run(source, slots=1, **other_files)`."""

    def running(source: str, slots: int = 1, **files: str) -> list[SlotResult]:
        (tmp_path / "app.py").write_text(ANSWER + source)
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        engine = local_engine([sys.executable, "-s", "-P", "-m", "sandbox.harness"], cwd=tmp_path)
        feeds = [feed(hours) for hours in range(slots)]
        if slots == 1:
            return [run_cold(engine, NOWHERE, manifest, "ada/here v1.0.0", feeds[0])]
        return list(replay(engine, NOWHERE, manifest, "ada/here v1.0.0", feeds))

    return running


def test_forecast_sees_the_window_of_its_slot(run: Run) -> None:
    results = run(
        """
def forecast(window):
    frame = window.bars("EURUSD")
    print(window.as_of, window.symbols, frame.height, frame["close"][-1] - frame["close"][0])
    print(window.bars("GBPUSD", 5).columns, frame["ts_open"].dtype)
    return answer()
""",
        slots=2,
    )
    assert [result.missed for result in results] == [None, None]
    assert results[1].log == (
        "2026-01-05 13:00:00+00:00 ('EURUSD', 'GBPUSD') 100 99.0\n"
        "['ts_open', 'open', 'high', 'low', 'close', 'volume'] "
        "Datetime(time_unit='us', time_zone='UTC')\n"
    )


def test_random_numbers_repeat_for_a_slot_and_differ_between_slots(run: Run) -> None:
    source = """
def forecast(window):
    return answer(float(window.random.normal()))
"""
    live = run(source)[0]
    first, second = run(source, slots=2)
    assert live.rows == first.rows != second.rows


def test_a_model_may_import_its_own_modules_but_shadow_nobody_elses(run: Run) -> None:
    result = run(
        """
import helper, msgspec
def forecast(window):
    print(helper.NAME, hasattr(msgspec, "Struct"))
    return answer()
""",
        helper="NAME = 'mine'",
        msgspec="raise SystemExit",
    )[0]
    assert result.log == "mine True\n"


def test_state_of_a_module_stays_from_slot_to_slot_of_one_process(run: Run) -> None:
    results = run(
        """
seen = []
def forecast(window):
    seen.append(window.as_of)
    print(len(seen))
    if len(seen) == 2: raise RuntimeError("the second")
    return answer()
""",
        slots=3,
    )
    assert [result.log.splitlines()[0] for result in results] == ["1", "2", "3"]
    assert [str(result.missed) for result in results] == [
        "None",
        "error: RuntimeError: the second",
        "None",
    ]


def test_a_traceback_reaches_the_log_with_the_providers_own_line(run: Run) -> None:
    result = run("""
def forecast(window):
    return answer()[17]
""")[0]
    assert "return answer()[17]" in result.log
    assert result.log.endswith("IndexError: list index out of range\n")


def test_rows_may_hold_numpy_numbers_and_come_as_a_tuple(run: Run) -> None:
    result = run("""
import numpy as np
def forecast(window):
    return tuple(
        Forecast(row.symbol, np.int64(row.horizon_hours), np.float32(0.5),
                 {np.float64(level): np.float64(value) for level, value in row.quantiles.items()},
                 np.float64(0.25))
        for row in answer()
    )
""")[0]
    assert result.rows is not None
    assert (result.rows[0].point, result.rows[0].probability_up) == (0.5, 0.25)


def test_a_missing_app_is_named(
    tmp_path: Path, local_engine: Callable[..., Any], manifest: Manifest, feed: Callable[..., Feed]
) -> None:
    engine = local_engine([sys.executable, "-s", "-P", "-m", "sandbox.harness"], cwd=tmp_path)
    result = run_cold(engine, NOWHERE, manifest, "ada/here v1.0.0", feed())
    assert "there is no app.py; it must define forecast(window)" in str(result.missed)
