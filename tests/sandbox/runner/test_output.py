"""Answering with anything but an answer: missed, naming the first fault."""

import re
from collections.abc import Callable

import pytest

from sandbox.runner.run import SlotResult

Lockstep = Callable[..., list[SlotResult]]
Cold = Callable[..., SlotResult]
TellMissed = Callable[..., None]

# The process survives these: a whole answer that is wrong, or an exception.
# name: (expression that forecast returns, kind, what the detail says)
WRONG_ANSWERS = {
    "NaN": ("rows(math.nan)", "invalid", "point is nan, not a finite number"),
    "infinity": ("rows(-math.inf)", "invalid", "point is -inf"),
    "1e308": ("rows(1e308)", "invalid", "is no log return"),
    "duplicate": ("rows() + rows()", "invalid", "EURUSD 1 h stands twice"),
    "undeclared symbol": (
        "rows(pairs=[('AAPL', 1)])",
        "invalid",
        "symbol 'AAPL' is not in the manifest",
    ),
    "undeclared horizon": ("rows(pairs=[('EURUSD', 2)])", "invalid", "horizon 2 h is not in"),
    "missing one": ("rows()[:-1]", "invalid", "GBPUSD 4 h is missing"),
    "empty list": ("[]", "invalid", "EURUSD 1 h is missing"),
    "unsorted quantiles": (
        "rows(quantiles={0.1: 1.0, 0.5: 0.0, 0.9: 2.0})",
        "invalid",
        "quantile 0.5 lies below 0.1",
    ),
    "NaN in a quantile": (
        "rows(quantiles={0.1: 0.0, 0.5: math.nan, 0.9: 2.0})",
        "invalid",
        "quantile 0.5 is nan",
    ),
    "undeclared quantile level": (
        "rows(quantiles={0.2: 0.0})",
        "invalid",
        "quantile levels are 0.1, 0.5, 0.9",
    ),
    "no quantiles": ("rows(quantiles=None)", "invalid", "quantile levels are"),
    "probability above 1": ("rows(up=1.5)", "invalid", "probability_up 1.5"),
    "probability NaN": ("rows(up=math.nan)", "invalid", "probability_up nan"),
    "None": ("None", "error", "returned NoneType, not a list"),
    "a dictionary": ("{'EURUSD': 1}", "error", "returned dict"),
    "a list of tuples": ("[('EURUSD', 1, 0.0)]", "error", "a list with tuple in it"),
    "text for a number": ("rows('0.1')", "error", "str where a number belongs"),
    "half an hour": ("rows(pairs=[('EURUSD', 1.0)])", "error", "TypeError"),
    "an object for a number": ("rows(object())", "error", "object where a number belongs"),
    "10 MB of rows": ("rows() * 25_000", "error", "over the limit of 65536"),
    "an exception": ("1 / 0", "error", "ZeroDivisionError: division by zero"),
    "a huge exception": (
        "exec('raise ValueError(chr(0x1F600) * 1_000_000)')",
        "error",
        "ValueError: ",
    ),
    "an unprintable exception": (
        "exec('class E(Exception):\\n def __str__(s): raise s\\nraise E')",
        "error",
        "E: ",
    ),
    "a lone surrogate": ("exec('raise ValueError(chr(0xD800))')", "error", r"ValueError: \?"),
    "SystemExit 0": ("sys.exit(0)", "error", "SystemExit: 0"),
    "KeyboardInterrupt": ("exec('raise KeyboardInterrupt')", "error", "KeyboardInterrupt"),
    "endless recursion": ("(f := lambda: f())()", "error", "RecursionError"),
    "infinity in a quantile": (
        "rows(quantiles={0.1: -math.inf, 0.5: 0.0, 0.9: 2.0})",
        "invalid",
        "quantile 0.1 is -inf",
    ),
    "a price for a return": ("rows(1.08e5)", "invalid", "is no log return"),
    "a horizon of 2 to the 63": ("rows(pairs=[('EURUSD', 1 << 63)])", "invalid", "horizon"),
    "a symbol of 60,000 letters": ("rows(pairs=[('E' * 60_000, 1)])", "invalid", "symbol 'EEE"),
    "an endless list": (
        "__import__('itertools').repeat(rows()[0])",
        "error",
        "returned repeat, not a list",
    ),
    "a coroutine": ("(lambda: (yield))()", "error", "returned generator, not a list"),
    "a row of a subclass": (
        "[type('F', (Forecast,), {})('EURUSD', 1, 0.0)]",
        "invalid",
        "",
    ),
    "StopIteration": ("next(iter(()))", "error", "StopIteration"),
    "GeneratorExit": ("exec('raise GeneratorExit')", "error", "GeneratorExit"),
    "MemoryError": ("exec('raise MemoryError')", "out_of_memory", "MemoryError"),
}

CASES = """
def forecast(window):
    expression = CASES[int((window.as_of - FIRST).total_seconds()) // 3600]
    return eval(expression, globals())
"""
FIRST = "from datetime import UTC, datetime\nFIRST = datetime(2026, 1, 5, 12, tzinfo=UTC)\n"


@pytest.fixture(scope="module")
def wrong_answers(at_once: Lockstep) -> dict[str, SlotResult]:
    """One slot each, in one process, and a right one last."""
    expressions = [expression for expression, _, _ in WRONG_ANSWERS.values()]
    source = f"{FIRST}CASES = {[*expressions, 'rows()']!r}\n{CASES}"
    results = at_once(source, slots=len(expressions) + 1, timeout_seconds=30.0)
    return dict(zip([*WRONG_ANSWERS, "right"], results, strict=True))


@pytest.mark.parametrize("attack", WRONG_ANSWERS)
def test_answering_wrongly_is_missed_naming_the_first_fault(
    wrong_answers: dict[str, SlotResult], tell_missed: TellMissed, attack: str
) -> None:
    _, kind, detail = WRONG_ANSWERS[attack]
    missed = wrong_answers[attack].missed
    assert missed is not None
    assert re.search(detail, missed.detail), missed
    tell_missed(attack, wrong_answers[attack], {kind})


def test_after_all_wrong_answers_a_right_one_counts(wrong_answers: dict[str, SlotResult]) -> None:
    assert wrong_answers["right"].missed is None
    assert "ZeroDivisionError" in wrong_answers["an exception"].log


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("", "ImportError: app.py defines no forecast"),
        ("forecast = 3", "ImportError: app.py defines no forecast"),
        ("import sys; sys.exit(0)", "SystemExit: 0"),
        ("def forecast(window", "SyntaxError: "),
        ("import requests", "ModuleNotFoundError: No module named 'requests'"),
    ],
)
def test_code_that_does_not_load_is_missed_with_its_reason(
    cold: Cold, source: str, detail: str
) -> None:
    result = cold(source)
    assert result.missed is not None
    assert result.missed.kind == "error"
    assert detail in result.missed.detail


def test_print_and_raw_writes_become_the_log_and_leave_frames_intact(cold: Cold) -> None:
    result = cold("""
print("loading")
def forecast(window):
    print("Python to stdout")
    print("Python to stderr", file=sys.stderr)
    os.write(1, b"C to stdout\\n")
    os.write(2, b"C to stderr \\xff\\n")
    print("input:", repr(sys.stdin.read()))
    return rows()
""")
    assert result.missed is None
    assert result.log == (
        "loading\nPython to stdout\nPython to stderr\nC to stdout\nC to stderr \ufffd\ninput: ''\n"
    )


def test_closing_or_replacing_stdout_costs_nothing_but_the_log(cold: Cold) -> None:
    result = cold("""
def forecast(window):
    sys.stdout.close()
    sys.stderr = None
    return rows()
""")
    assert result.missed is None
