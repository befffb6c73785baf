"""Reaching out of the sandbox: every attempt runs into a refusal."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sandbox.runner import probes
from sandbox.runner.engine import Engine
from sandbox.runner.image import Image
from sandbox.runner.run import Feed, SlotResult, run_cold
from signalbox import parse_manifest

Cold = Callable[..., SlotResult]
Outcomes = dict[str, str]


@pytest.fixture(scope="module")
def outcomes(
    engine: Engine, throwaway_image: Callable[[dict[str, str]], Image], feed: Callable[..., Feed]
) -> Outcomes:
    """All probes, tried in one run."""
    slot = Feed(datetime(2026, 1, 5, tzinfo=UTC), {"PROBE": feed().tables["EURUSD"]}, _no_rows)
    result = run_cold(
        engine,
        throwaway_image({"app.py": probes.app_source()}),
        parse_manifest(probes.MANIFEST),
        "signalbox/probe v1.0.0",
        slot,
    )
    assert result.missed is None, result.log
    return probes.outcomes(result.log)


def _no_rows(*_: object) -> bytes:
    return b""


@pytest.mark.parametrize("probe", probes.PROBES, ids=lambda probe: probe.name)
def test_escape_attempt_runs_into_a_refusal(probe: probes.Probe, outcomes: Outcomes) -> None:
    assert outcomes.get(probe.name, "never tried") in probe.expected


def test_a_probe_that_got_through_is_named() -> None:
    log = "probe fork = 17\n"
    fork = next(probe for probe in probes.PROBES if probe.name == "fork")
    assert probes.leaks(log, [fork]) == ("fork: 17",)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("int 0x80", r"\xb8\x14\x00\x00\x00\xcd\x80\xc3"),
        ("an x32 call", r"\xb8\x27\x00\x00\x40\x0f\x05\xc3"),
    ],
)
def test_a_call_by_another_architecture_ends_the_process(cold: Cold, call: str, code: str) -> None:
    result = cold(
        f"""
import mmap
def forecast(window):
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"{code}")
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    print("got", ctypes.CFUNCTYPE(ctypes.c_int)(address)())
    return rows()
""",
        timeout_seconds=1.0,
    )
    assert result.missed is not None, call
    # Docker's runtime can only ask for the death of the thread: the others stay until the deadline.
    assert result.missed.kind in ("exit", "timeout")
    assert "got" not in result.log


def test_executing_from_tmp_is_refused_where_the_engine_promises_it(
    cold: Cold, engine: Engine
) -> None:
    result = cold("""
import mmap
def forecast(window):
    with open("/tmp/code", "wb") as file:
        file.write(bytes(4096))
    with open("/tmp/code", "r+b") as file:
        try:
            mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)
        except OSError as error:
            print("refused", error.errno)
    return rows()
""")
    promised = not any("can be executed" in lack for lack in engine.guarantees().lacks)
    assert result.log == ("refused 1\n" if promised else "")


def test_replacing_the_process_leaves_it_in_the_same_sandbox(cold: Cold) -> None:
    result = cold("""
def forecast(window):
    os.execv("/usr/bin/python3.11", ["python3.11", "-c", '''
import os, sys
print("as", os.getuid(), os.path.exists("/proc/self/fd/101"), file=sys.stderr)
try: os.fork()
except PermissionError: print("refused", file=sys.stderr)
'''])
""")
    assert result.missed is not None
    assert result.missed.kind == "exit"
    assert result.log == "as 65534 False\nrefused\n"


def test_state_left_behind_is_gone_in_the_next_run(cold: Cold) -> None:
    source = """
def forecast(window):
    for place in ("/tmp", "/dev/shm", "/dev", "/srv/signal", "/var/tmp", "/dev/mqueue"):
        path = place + "/left-behind"
        print(place, os.path.exists(path))
        try:
            open(path, "w").write("a future price")
        except OSError:
            pass
    return rows()
"""
    first, second = cold(source), cold(source)
    assert first.missed is None
    assert "True" not in first.log + second.log
