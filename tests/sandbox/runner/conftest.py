"""Runs of hostile models, each of which must leave nothing behind."""

from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest

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
        if self._engine.name == "docker":
            try:
                self._engine._client.inspect_container(sandbox._container)
                yield f"container {sandbox._container}"
            except docker.errors.NotFound:
                return
        else:
            if isinstance(sandbox, ForkedSandbox):
                if not sandbox._closed:
                    yield f"forked {sandbox.label}"
            elif sandbox._process.poll() is None:
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


def _limits(given: dict[str, Any]) -> Limits:
    return Limits(**({"timeout_seconds": 5.0, "memory_mb": 256} | given))
