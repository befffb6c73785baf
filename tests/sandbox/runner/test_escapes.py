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
Tell = Callable[[str, str], None]
TellMissed = Callable[..., None]


@pytest.fixture(scope="module")
def probed(
    engine: Engine, throwaway_image: Callable[[dict[str, str]], Image], feed: Callable[..., Feed]
) -> dict[str, probes.Judged]:
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
    judged = probes.judged(result.log, engine.guarantees().lacks)
    return {each.probe.name: each for each in judged}


def _no_rows(*_: object) -> bytes:
    return b""


@pytest.mark.parametrize("attack", [probe.name for probe in probes.PROBES])
def test_escape_attempt_runs_into_a_refusal(
    probed: dict[str, probes.Judged], tell: Tell, attack: str
) -> None:
    assert probed[attack].held, probed[attack].outcome
    tell(attack, probed[attack].word)


def test_what_an_engine_admits_to_lack_is_known_and_no_leak() -> None:
    clock = next(probe for probe in probes.PROBES if probe.name == "read the clock")
    log = "probe read the clock = done\n"
    assert probes.leaks(log, [], [clock]) == ("read the clock: done",)
    (judged,) = probes.judged(log, ["the clock can be read"], [clock])
    assert (judged.held, judged.known, judged.word) == (True, True, "not stopped")
    refused = probes.judged("probe read the clock = EPERM\n", ["the clock can be read"], [clock])
    assert not refused[0].held  # a guarantee that says too little is wrong too


def test_a_probe_that_got_through_is_named() -> None:
    log = "probe fork = 17\n"
    fork = next(probe for probe in probes.PROBES if probe.name == "fork")
    assert probes.leaks(log, (), [fork]) == ("fork: 17",)
    assert probes.leaks("", (), [fork]) == ("fork: never tried",)


OTHER_ARCHITECTURES = {
    "int 0x80": r"\xb8\x14\x00\x00\x00\xcd\x80\xc3",
    "an x32 call": r"\xb8\x27\x00\x00\x40\x0f\x05\xc3",
}


@pytest.mark.parametrize("attack", OTHER_ARCHITECTURES)
def test_a_call_by_another_architecture_ends_the_process(
    cold: Cold, engine: Engine, tell_missed: TellMissed, attack: str
) -> None:
    result = cold(
        f"""
import mmap
def forecast(window):
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"{OTHER_ARCHITECTURES[attack]}")
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    print("got", ctypes.CFUNCTYPE(ctypes.c_int)(address)())
    return rows()
""",
        timeout_seconds=1.0,
    )
    assert "got" not in result.log
    # Docker's runtime can only ask for the death of the thread: the others stay until the deadline.
    tell_missed(attack, result, {"exit", "timeout"} if engine.name == "docker" else {"exit"})


@pytest.mark.parametrize("attack", ["execute a program of /tmp"])
def test_executing_a_program_of_tmp_is_refused_where_the_engine_promises_it(
    cold: Cold, engine: Engine, tell: Tell, attack: str
) -> None:
    result = cold("""
import shutil
def forecast(window):
    shutil.copy("/usr/bin/python3.11", "/tmp/program")
    os.chmod("/tmp/program", 0o755)
    try:
        os.execv("/tmp/program", ["program", "-c", "print('replaced')"])
    except PermissionError as error:
        print("refused", error.errno)
    return rows()
""")
    promised = not any("can be executed (bubblewrap" in line for line in engine.guarantees().lacks)
    # What replaces the model has lost the protocol, and is missed.
    assert (result.missed is None) is promised
    assert result.log == ("refused 13\n" if promised else "replaced\n")
    tell(attack, "refused" if promised else "not stopped")


@pytest.mark.parametrize("attack", ["replace the process by another program"])
def test_replacing_the_process_leaves_it_in_the_same_sandbox(
    cold: Cold, tell_missed: TellMissed, attack: str
) -> None:
    result = cold("""
def forecast(window):
    os.execv("/usr/bin/python3.11", ["python3.11", "-c", '''
import os, sys
print("as", os.getuid(), os.path.exists("/proc/self/fd/101"), file=sys.stderr)
try: os.fork()
except PermissionError: print("refused", file=sys.stderr)
'''])
""")
    assert result.log == "as 65534 False\nrefused\n"
    tell_missed(attack, result, {"exit"})
