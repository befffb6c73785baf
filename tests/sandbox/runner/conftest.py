"""Runs of hostile models, each of which must leave nothing behind."""

import contextlib
import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from sandbox.runner import cgroup
from sandbox.runner.engine import Engine, Sandbox
from sandbox.runner.forked_engine import ForkedSandbox
from sandbox.runner.image import Image
from sandbox.runner.limits import Limits
from sandbox.runner.run import Feed, SlotResult, replay, run_cold
from signalbox import Manifest

VERSION = "mallory/hostile v1.0.0"

# What every model of these tests has at hand: raw frames past the harness, a right answer.
PRELUDE = """
import ctypes, math, os, resource, signal, struct, sys, threading, time
import msgspec
from signalbox import Forecast

def frame(kind, seq, payload, length=None):
    return struct.pack("<IB3xI", len(payload) if length is None else length, kind, seq) + payload

def say(data):
    while data:
        data = data[os.write(101, data):]

PAIRS = [("EURUSD", 1), ("EURUSD", 4), ("GBPUSD", 1), ("GBPUSD", 4)]
QUANTILES = {0.1: -0.1, 0.5: 0.0, 0.9: 0.1}

def rows(point=0.001, up=None, pairs=PAIRS, quantiles=QUANTILES):
    return [Forecast(s, h, point, quantiles, up) for s, h in pairs]

def answer(found=None):
    return msgspec.msgpack.encode({"rows": rows() if found is None else found})
"""

DOCUMENT = Path(__file__).parents[3] / "docs/operations/sandbox.md"
BEGIN = "<!-- attacks: written by make sandbox-table -->\n"
END = "<!-- end of attacks -->\n"
SECOND_USER = "as an ordinary user"
GONE_SECONDS = 10.0


class AttackTable:
    """Attack x path -> outcome, as the document has it and as this run sees it."""

    WRITE = "WRITE_SANDBOX_TABLE"

    def __init__(self, document: Path = DOCUMENT) -> None:
        self._document = document
        self.is_written = os.environ.get(self.WRITE) == "1"
        self.paths, self.rows = _table_of(document.read_text())
        self.seen: dict[str, dict[str, str]] = {}

    def tell(self, path: str, attack: str, outcome: str) -> None:
        """This attack ended so on this path; it must be what the document says."""
        self.seen.setdefault(attack, {})[path] = outcome
        if not self.is_written:
            said = self.rows.get(attack, {}).get(path, "nothing")
            assert said == outcome, f"{self._document.name} says {said!r}: run make sandbox-table"

    def take_over(self, document: Path) -> None:
        """What the same tests saw as an ordinary user, from the document they wrote."""
        if self.is_written:
            _, rows = _table_of(document.read_text())
            for attack, outcomes in rows.items():
                theirs = {path: word for path, word in outcomes.items() if SECOND_USER in path}
                self.seen.setdefault(attack, {}).update(theirs)

    def write(self) -> None:
        """Put what was seen into the document: whole columns, of the paths that ran."""
        ran = {path for outcomes in self.seen.values() for path in outcomes}
        kept = [path for path in self.paths if path not in ran]
        paths = sorted({*kept, *ran}, key=lambda path: (SECOND_USER in path, path))
        attacks = [*self.seen, *(attack for attack in self.rows if attack not in self.seen)]
        rows = []
        for attack in attacks:
            outcomes = {path: self.rows.get(attack, {}).get(path, "") for path in kept}
            outcomes |= self.seen.get(attack, {})
            if any(outcomes.values()):
                rows.append([attack, *(outcomes.get(path) or "-" for path in paths)])
        lines = [["attack", *paths], ["---"] * (len(paths) + 1), *rows]
        table = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
        before, _, rest = self._document.read_text().partition(BEGIN)
        self._document.write_text(before + BEGIN + table + END + rest.partition(END)[2])


def _table_of(text: str) -> tuple[list[str], dict[str, dict[str, str]]]:
    lines = text.partition(BEGIN)[2].partition(END)[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    if not cells:
        return [], {}
    paths = cells[0][1:]
    return paths, {row[0]: dict(zip(paths, row[1:], strict=True)) for row in cells[2:]}


def path_of(engine: Engine) -> str:
    """The table's column: engine, path, and as whom where that is not root."""
    user = "" if os.geteuid() == 0 else f" {SECOND_USER}"
    return f"{engine.name} {engine.path}{user}"


@pytest.fixture(scope="session")
def attack_table() -> Iterator[AttackTable]:
    table = AttackTable()
    yield table
    if table.is_written:
        table.write()


@pytest.fixture
def tell(attack_table: AttackTable, engine: Engine) -> Callable[[str, str], None]:
    """`tell(attack, outcome)`: what this path made of it, which the document must say too."""
    return lambda attack, outcome: attack_table.tell(path_of(engine), attack, outcome)


@pytest.fixture
def tell_missed(tell: Callable[[str, str], None]) -> Callable[..., None]:
    """`tell_missed(attack, result, kinds)`: it must be missed as one of these kinds."""

    def told(attack: str, result: SlotResult, kinds: set[str]) -> None:
        assert result.rows is None
        assert result.missed is not None
        assert result.missed.kind in kinds, result.missed
        tell(attack, f"missed: {' or '.join(sorted(kinds))}")

    return told


@pytest.fixture(scope="session", autouse=True)
def healthy_host(feed: Callable[..., Feed]) -> Iterator[None]:
    """After the last test nothing is left of what was made since the first."""
    feed()  # polars opens event queues at its first frame, and keeps them
    made: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        _note(
            patch,
            made,
            cgroup,
            "create",
            lambda group: map(str, group.directories if group else ()),
        )
        _note(patch, made, tempfile, "mkdtemp", lambda folder: [folder])
        making = "create_container_from_config"
        _note(patch, made, docker.APIClient, making, lambda told: [f"container {told['Id']}"])
        before = _traces_of_ours()
        yield
    deadline = time.monotonic() + GONE_SECONDS
    while (left := _left(made, before)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def _note(
    patch: pytest.MonkeyPatch,
    made: list[str],
    owner: Any,
    name: str,
    names: Callable[[Any], Iterable[str]],
) -> None:
    """Note what `owner.name` makes from now on."""
    original = getattr(owner, name)

    def noting(*args: Any, **given: Any) -> Any:
        answer = original(*args, **given)
        made.extend(names(answer))
        return answer

    patch.setattr(owner, name, noting)


def _left(made: list[str], before: set[str]) -> list[str]:
    gc.collect()  # what only the collector still holds is no leak
    known = {name for name in made if name.startswith("container ")}
    if known:
        client = docker.APIClient(version="auto")
        known &= {f"container {each['Id']}" for each in client.containers(all=True)}
        client.close()
    files = [name for name in made if name.startswith("/") and Path(name).exists()]
    return [*sorted(known), *files, *sorted(_traces_of_ours() - before)]


def _traces_of_ours() -> set[str]:
    """This process' children, mounts and open pipes, sockets and process handles.

    Not the mounts of containers: others run some meanwhile, and ours are known by their names.
    """
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    traces = {f"mount {line}" for line in mounts if "/docker/" not in line.split()[4]}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, rest = path.read_text().rpartition(")")
            if int(rest.split()[1]) == os.getpid():
                traces.add(f"process {name})")
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            target = str(path.readlink())
            if not target.startswith("/"):
                traces.add(f"descriptor {path.name} {target}")
    return traces


class Recording:
    """An engine that remembers what it launched."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.launched: list[Sandbox] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def launch(self, image: Image, limits: Limits, label: str) -> Sandbox:
        sandbox = self._engine.launch(image, limits, label)
        self.launched.append(sandbox)
        return sandbox

    def left_over(self) -> list[str]:
        return [trace for sandbox in self.launched for trace in self._traces(sandbox)]

    def _traces(self, sandbox: Any) -> Iterator[str]:
        if isinstance(sandbox, ForkedSandbox):
            if not sandbox._closed:
                yield f"forked {sandbox.label}"
            keeper = sandbox._keeper
            yield from (
                f"process {pid}" for pid in (keeper.group.pids() if keeper.group else ())[1:]
            )
        elif self._engine.name == "docker":
            try:
                self._engine._client.inspect_container(sandbox._container)
                yield f"container {sandbox._container}"
            except docker.errors.NotFound:
                return
        else:
            if sandbox._process.poll() is None:
                yield f"process {sandbox._process.pid}"
            if sandbox._group is not None:
                # A cgroup can only be removed when no process is left in it.
                yield from (str(path) for path in sandbox._group.directories if path.exists())


@pytest.fixture
def recording(engine: Engine) -> Iterator[Recording]:
    recorded = Recording(engine)
    yield recorded
    assert recorded.launched
    assert recorded.left_over() == []


@pytest.fixture
def cold(
    recording: Recording,
    throwaway_image: Callable[[dict[str, str]], Image],
    manifest: Manifest,
    feed: Callable[..., Feed],
) -> Callable[..., SlotResult]:
    """`cold(source, **limits)`: one slot in a sandbox of its own."""

    def run(source: str, **limits: Any) -> SlotResult:
        image = throwaway_image({"app.py": PRELUDE + source})
        return run_cold(recording, image, manifest, VERSION, feed(), limits=_limits(limits))

    return run


@pytest.fixture
def lockstep(
    recording: Recording,
    throwaway_image: Callable[[dict[str, str]], Image],
    manifest: Manifest,
    feed: Callable[..., Feed],
) -> Callable[..., list[SlotResult]]:
    """`lockstep(source, slots=n, **limits)`: a replay of n slots."""

    def run(source: str, slots: int, **limits: Any) -> list[SlotResult]:
        image = throwaway_image({"app.py": PRELUDE + source})
        feeds = (feed(hours) for hours in range(slots))
        return list(replay(recording, image, manifest, VERSION, feeds, limits=_limits(limits)))

    return run


@pytest.fixture(scope="module")
def at_once(
    engine: Engine,
    throwaway_image: Callable[[dict[str, str]], Image],
    manifest: Manifest,
    feed: Callable[..., Feed],
) -> Iterator[Callable[..., list[SlotResult]]]:
    """`at_once(source, slots=n, **limits)`: as `lockstep`, for the tests of a whole module."""
    recorded = Recording(engine)

    def run(source: str, slots: int, **limits: Any) -> list[SlotResult]:
        image = throwaway_image({"app.py": PRELUDE + source})
        feeds = (feed(hours) for hours in range(slots))
        return list(replay(recorded, image, manifest, VERSION, feeds, limits=_limits(limits)))

    yield run
    assert recorded.left_over() == []


def _limits(given: dict[str, Any]) -> Limits:
    return Limits(**({"timeout_seconds": 5.0, "memory_mb": 256} | given))
