"""Looking for the future in lockstep: there is none in the model's process."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from assets.market_data import SlotPin
from assets.market_data.frames import UTC_TIME, WINDOW_SCHEMA
from assets.market_data.history import History
from assets.market_data.steps import steps
from sandbox.runner.engine import Engine
from sandbox.runner.image import Image
from sandbox.runner.run import Feed, SlotResult, replay, run_cold
from signalbox import Manifest

ImageFactory = Callable[[dict[str, str]], Image]
VERSION = "mallory/peeks v1.0.0"
HOUR = timedelta(hours=1)
HOURS, LOOKBACK = 112, 100
SYMBOLS = ("EURUSD", "GBPUSD")

ANSWER = """
import gc, math, os, re, select, time
import numpy as np
import polars as pl
from signalbox import Forecast, RefusedReadError

def rows(points):
    return [Forecast(s, h, p, {0.1: p - 0.1, 0.5: p, 0.9: p + 0.1})
            for s, p in points.items() for h in (1, 4)]
"""

# name: the value that a look at the next bar, or at all of them, would give away.
PEEKERS = {
    "shift(-1)": "(close.shift(-1) / close - 1).fill_null(0.0)[-1]",
    "centred rolling mean": "close.rolling_mean(5, center=True).fill_null(close[-1])[-1] / 1e3",
    "whole-frame scaling": "(close[-1] - close.mean()) / close.std() / 10",
}

SEARCH = """
MARK = re.compile(rb"BAR(\\d{5})")

def found_in_memory():
    hours = set()
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps.read().splitlines():
            where, rights, *_ = line.split()
            if not rights.startswith("r") or line.endswith(("[vvar]", "[vsyscall]")):
                continue
            begin, end = (int(part, 16) for part in where.split("-"))
            for at in range(begin, end, 1 << 24):
                try:
                    memory.seek(at)
                    piece = memory.read(min(1 << 24, end - at))
                except OSError:
                    continue
                hours.update(int(hour) for hour in MARK.findall(piece))
                del piece
    return hours

def waiting_in_descriptors():
    poll = select.poll()
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd > 2:
            poll.register(fd, select.POLLIN)
    return [fd for fd, event in poll.poll(0) if event == select.POLLIN]

def behind(array):
    sizes = []
    while isinstance(array, np.ndarray):
        sizes.append(array.size)
        array = array.base
    return max(sizes), len(array) // 8, type(array).__name__

def forecast(window):
    if window.as_of.hour not in (12, 17, 22):
        return rows(dict.fromkeys(window.symbols, 0.0))
    hours = found_in_memory()
    assert len(hours) >= 100, "the search finds nothing"
    assert max(hours) == 99 + window.as_of.hour - 12, max(hours)
    assert waiting_in_descriptors() == []
    assert behind(window.numpy("EURUSD")) == (100, 100, "bytes")
    held = [one for one in gc.get_objects() if isinstance(one, pl.DataFrame)]
    held += [window.bars(symbol) for symbol in window.symbols]
    newest = max(frame["ts_open"].to_physical().max() for frame in held)
    assert newest < window.as_of.timestamp() * 1_000_000
    return rows(dict.fromkeys(window.symbols, 0.0))
"""


@pytest.fixture(scope="module")
def past(feed: Callable[..., Feed]) -> Callable[[], Iterator[Feed]]:
    """Eleven slots as a replay reveals them; a bar's volume spells BAR and its hour."""
    first = feed().as_of - LOOKBACK * HOUR
    dice = np.random.default_rng(3)
    frames = {}
    for symbol in SYMBOLS:
        opened = [first + hour * HOUR for hour in range(HOURS)]
        close = 100 * np.exp(np.cumsum(dice.normal(0, 0.01, HOURS)))
        marks = np.frombuffer(b"".join(b"BAR%05d" % hour for hour in range(HOURS)), np.float64)
        closed = [hour + HOUR for hour in opened]
        columns = [opened, close, close + 1, close - 1, close, marks, closed, closed]
        schema = {**WINDOW_SCHEMA, "ts_close": UTC_TIME, "available_at": UTC_TIME}
        frames[symbol] = pl.DataFrame(dict(zip(schema, columns, strict=True)), schema=schema)
    end = first + HOURS * HOUR
    history = History(frames, first, end, SlotPin(slot=end, cutoff=end, max_batch=1))

    def feeds() -> Iterator[Feed]:
        slots = [first + hour * HOUR for hour in range(LOOKBACK, LOOKBACK + 11)]
        for step in steps(history, slots, LOOKBACK):
            tables = {symbol: step.table(symbol) for symbol in SYMBOLS}
            yield Feed(step.slot, tables, _no_rows, step.changes)

    return feeds


def _no_rows(symbol: str, start: object, end: object) -> bytes:
    raise LookupError(f"{symbol} from {start} to {end}: not asked for here")


@pytest.fixture
def lockstep(
    engine: Engine,
    throwaway_image: ImageFactory,
    manifest: Manifest,
    past: Callable[[], Iterator[Feed]],
) -> Callable[[str], list[SlotResult]]:
    def run(source: str) -> list[SlotResult]:
        image = throwaway_image({"app.py": ANSWER + source})
        return list(replay(engine, image, manifest, VERSION, past()))

    return run


@pytest.mark.parametrize("peeker", PEEKERS)
def test_a_model_that_peeks_gains_nothing_over_a_run_on_the_truncated_window(
    engine: Engine,
    throwaway_image: ImageFactory,
    manifest: Manifest,
    past: Callable[[], Iterator[Feed]],
    lockstep: Callable[[str], list[SlotResult]],
    peeker: str,
) -> None:
    source = f"""
def forecast(window):
    closes = {{symbol: window.bars(symbol)["close"] for symbol in window.symbols}}
    return rows({{symbol: {PEEKERS[peeker]} for symbol, close in closes.items()}})
"""
    replayed = lockstep(source)
    assert [result.missed for result in replayed] == [None] * 11
    image = throwaway_image({"app.py": ANSWER + source})
    for number, each in enumerate(past()):
        if number in (0, 5, 10):
            truncated = run_cold(engine, image, manifest, VERSION, each)
            assert truncated.rows == replayed[number].rows


def test_a_model_that_walks_its_own_memory_finds_no_bar_later_than_its_slot(
    lockstep: Callable[[str], list[SlotResult]],
) -> None:
    assert [str(result.missed) for result in lockstep(SEARCH)] == ["None"] * 11


def test_writing_into_what_a_slot_was_given_changes_nothing_in_the_next(
    lockstep: Callable[[str], list[SlotResult]],
) -> None:
    attack = """
def forecast(window):
    close = window.numpy("EURUSD")
    answer = rows({symbol: float(window.numpy(symbol)[-2]) / 1e3 for symbol in window.symbols})
    try:
        close.setflags(write=True)
    except ValueError:
        pass
    else:
        close[:] = 1e9
        raise AssertionError("it could be written")
    frame = window.bars("EURUSD")
    frame[-1, "close"] = 1e9
    return answer
"""
    honest = attack.replace('frame[-1, "close"] = 1e9', "pass")
    attacked = lockstep(attack)
    assert [str(result.missed) for result in attacked] == ["None"] * 11
    assert [one.rows for one in attacked] == [one.rows for one in lockstep(honest)]


def test_a_model_that_reads_the_clock_gets_the_same_bars_in_replay_as_cold(
    engine: Engine,
    throwaway_image: ImageFactory,
    manifest: Manifest,
    past: Callable[[], Iterator[Feed]],
    lockstep: Callable[[str], list[SlotResult]],
) -> None:
    source = """
def forecast(window):
    assert time.time() - window.as_of.timestamp() > 7200
    return rows({symbol: float(window.random.normal() * 1e-3) for symbol in window.symbols})
"""
    replayed = lockstep(source)
    fresh = run_cold(
        engine, throwaway_image({"app.py": ANSWER + source}), manifest, VERSION, next(past())
    )
    assert fresh.missed is None
    assert fresh.rows == replayed[0].rows


def test_reads_past_the_cut_off_off_the_manifest_and_of_ten_million_rows_are_refused_in_lockstep(
    lockstep: Callable[[str], list[SlotResult]],
) -> None:
    results = lockstep("""
from datetime import timedelta
def forecast(window):
    hour, now, refused = timedelta(hours=1), window.as_of, []
    for symbol, start, end in [
        ("EURUSD", now - hour, now + hour),
        ("AAPL", now - hour, now),
        ("EURUSD", now - 10_000_000 * hour, now),
    ]:
        try:
            window.historical(symbol, start, end)
        except RefusedReadError as refusal:
            refused.append(str(refusal).split(" is ")[-1])
    assert refused == [
        "past the slot; ask up to it",
        "not in the manifest; it names EURUSD, GBPUSD",
        "one read carries at most 200000 hours; ask for less",
    ], refused
    return rows(dict.fromkeys(window.symbols, 0.0))
""")
    assert [str(result.missed) for result in results] == ["None"] * 11
