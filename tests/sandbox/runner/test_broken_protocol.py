"""Breaking the protocol: missed, naming the first fault, and the next slot goes on."""

import re
from collections.abc import Callable

import pytest

from sandbox.runner.run import SlotResult

Lockstep = Callable[..., list[SlotResult]]
Cold = Callable[..., SlotResult]
TellMissed = Callable[..., None]

# These end the process, or the host ends it for them.
# name: (body of forecast, which has `seq`, kind, what the detail says)
BROKEN_PROTOCOL = {
    "pickle": (
        "import pickle; say(frame(66, seq, pickle.dumps(rows())))",
        "invalid",
        "FORECAST is not the message",
    ),
    "JSON": ("say(frame(66, seq, b'{\"rows\": []}'))", "invalid", "FORECAST is not the message"),
    "Arrow": ("say(frame(66, seq, b'ARROW1' + bytes(100)))", "invalid", "is not the message"),
    "nesting bomb": ("say(frame(66, seq, b'\\x91' * 60_000))", "invalid", "is not the message"),
    "nesting bomb in the rows": (
        "say(frame(66, seq, b'\\x81\\xa4rows' + b'\\x91' * 60_000))",
        "invalid",
        "is not the message",
    ),
    "array bomb": (
        "say(frame(66, seq, b'\\x81\\xa4rows\\xdd\\xff\\xff\\xff\\xff'))",
        "invalid",
        "is not the message",
    ),
    "unknown field": (
        "say(frame(66, seq, msgspec.msgpack.encode({'rows': [], 'provenance': 'live'})))",
        "invalid",
        "provenance",
    ),
    "text for a number in a raw frame": (
        "say(frame(66, seq, answer([{'symbol': 'EURUSD', 'horizon_hours': 1, 'point': '1'}])))",
        "invalid",
        "Expected `float`, got `str`",
    ),
    "deep map": (
        "say(frame(66, seq, b'\\x81\\xa4rows\\x91' + b'\\x81\\xa1a' * 20_000))",
        "invalid",
        "is not the message",
    ),
    "map bomb": (
        "say(frame(66, seq, b'\\xdf\\xff\\xff\\xff\\xff'))",
        "invalid",
        "is not the message",
    ),
    "string bomb": (
        "say(frame(66, seq, b'\\x81\\xa4rows\\xdb\\xff\\xff\\xff\\xff'))",
        "invalid",
        "is not the message",
    ),
    "an extension type": (
        "say(frame(66, seq, b'\\xc7\\x04\\x01abcd'))",
        "invalid",
        "is not the message",
    ),
    "an empty frame": ("say(frame(66, seq, b''))", "invalid", "is not the message"),
    "rows for another slot and version": (
        "say(frame(66, seq, msgspec.msgpack.encode({'rows': rows(), 'as_of': 0, 'version': 'x'})))",
        "invalid",
        "unknown field",
    ),
    "4 GB frame": ("say(frame(66, seq, b'', 0xffffffff))", "invalid", "over the limit of 65536"),
    "one byte too many": ("say(frame(66, seq, bytes(65537)))", "invalid", "over the limit"),
    "wrong step": ("say(frame(66, seq + 1, answer()))", "invalid", "frame of step"),
    "the step before": ("say(frame(66, seq - 1, answer()))", "invalid", "frame of step"),
    "step 2 to the 32 less 1": ("say(frame(66, 0xffffffff, answer()))", "invalid", "frame of step"),
    "step 0": ("say(frame(66, 0, answer()))", "invalid", "frame of step 0"),
    "unknown kind": ("say(frame(99, seq, b''))", "invalid", "frame of kind 99"),
    "a kind of the host's": ("say(frame(6, seq, b''))", "invalid", "frame of kind 6"),
    "READY again": ("say(frame(64, seq, b''))", "invalid", "frame of kind 64"),
    "text": ("say(b'EURUSD will certainly rise')", "invalid", "stray bytes"),
    "flood of zeros": ("while True: say(bytes(65536))", "invalid", "frame of kind 0"),
    "answer twice": ("say(frame(66, seq, answer()) * 2)", "invalid", "stray bytes"),
    "answer to come": (
        "say(frame(66, seq, answer()) + frame(66, seq + 1, answer()))",
        "invalid",
        "stray bytes",
    ),
    "truncated and exit": (
        "say(frame(66, seq, answer())[:30]); os._exit(0)",
        "exit",
        "ended with status 0 before it answered",
    ),
    "truncated and stalled": (
        "say(frame(66, seq, answer())[:30]); time.sleep(60)",
        "timeout",
        "no answer within 2 s",
    ),
    "half a header": ("say(b'\\0\\0\\0'); time.sleep(60)", "timeout", "no answer within 2 s"),
    "dripped": (
        "for byte in frame(66, seq, answer()): say(bytes([byte])); time.sleep(0.2)",
        "timeout",
        "no answer within 2 s",
    ),
    "reads without end, unread": (
        "while True: say(frame(65, seq, b'\\x83'))",
        "invalid",
        "HISTORICAL is not the message",
    ),
    "exit 0 without an answer": ("os._exit(0)", "exit", "ended with status 0"),
    "exit 0 after half a frame": (
        "say(frame(66, seq, b'', 100)); os._exit(0)",
        "exit",
        "ended with status 0",
    ),
    "the protocol's pipe closed": (
        "os.close(101); time.sleep(60)",
        "timeout",
        "no answer within 2 s",
    ),
    "the protocol read instead of the harness": (
        "os.read(100, 1); time.sleep(60)",
        "timeout",
        "no answer within 2 s",
    ),
    "exit 3": ("os._exit(3)", "exit", "ended with status 3"),
    "all descriptors closed": (
        "os.closerange(0, 256); time.sleep(60)",
        "timeout",
        "no answer within 2 s",
    ),
    "descriptors closed, then an answer": ("os.closerange(0, 256)", "exit", "ended with status"),
}

RAW_CASES = """
def forecast(window):
    number = int((window.as_of - FIRST).total_seconds()) // 3600
    if number % 2:
        return rows()
    exec(CASES[number // 2], globals() | {"seq": number + 1})
    return rows()
"""
FIRST = "from datetime import UTC, datetime\nFIRST = datetime(2026, 1, 5, 12, tzinfo=UTC)\n"


@pytest.fixture(scope="module")
def broken_protocol(at_once: Lockstep) -> dict[str, tuple[SlotResult, SlotResult]]:
    """Two slots each: the attack, and a right answer of the process that comes after it."""
    bodies = [body for body, _, _ in BROKEN_PROTOCOL.values()]
    source = f"{FIRST}CASES = {bodies!r}\n{RAW_CASES}"
    results = at_once(source, slots=2 * len(bodies), timeout_seconds=2.0)
    return dict(zip(BROKEN_PROTOCOL, zip(results[::2], results[1::2], strict=True), strict=True))


@pytest.mark.parametrize("attack", BROKEN_PROTOCOL)
def test_breaking_the_protocol_is_missed_and_the_next_slot_gets_a_new_process(
    broken_protocol: dict[str, tuple[SlotResult, SlotResult]],
    tell_missed: TellMissed,
    attack: str,
) -> None:
    _, kind, detail = BROKEN_PROTOCOL[attack]
    broken, after = broken_protocol[attack]
    assert broken.missed is not None
    assert re.search(detail, broken.missed.detail), broken.missed
    assert after.missed is None
    tell_missed(attack, broken, {kind})


def test_an_answer_before_the_slot_is_known_is_refused(cold: Cold) -> None:
    result = cold("""
say(frame(66, 1, answer()))
def forecast(window): return rows()
""")
    assert str(result.missed) == "invalid: frame of kind 66 where ERROR or READY belongs"


def test_ready_and_an_answer_in_one_breath_are_refused(cold: Cold) -> None:
    result = cold("""
say(frame(64, 0, msgspec.msgpack.encode({"protocol": 1})) + frame(66, 1, answer()))
def forecast(window): return rows()
""")
    assert str(result.missed).startswith("invalid: ")
    assert "stray bytes" in str(result.missed)


def test_exit_after_the_answer_is_missed_in_the_next_slot(lockstep: Lockstep) -> None:
    first, second, third = lockstep(
        """
served = []
def forecast(window):
    if served: time.sleep(60)
    served.append(1)
    threading.Timer(0.2, os._exit, (0,)).start()
    return rows()
""",
        slots=3,
    )
    assert first.missed is None
    assert str(second.missed) == "exit: ended with status 0 before it answered"
    assert third.missed is None
