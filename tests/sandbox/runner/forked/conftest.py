"""Forked engines over each cold one, an honest model, and what is asked of them."""

import os
from collections.abc import Callable, Iterator

import msgspec
import pytest

from sandbox.runner.docker_engine import DockerEngine
from sandbox.runner.embedded_engine import EmbeddedEngine
from sandbox.runner.errors import SandboxUnavailableError
from sandbox.runner.forked_engine import ColdEngine, ForkedEngine
from sandbox.runner.image import Image
from sandbox.runner.run import Feed, SlotResult, run_cold
from sandbox.runner.zygote import Zygote
from signalbox import Manifest

Run = Callable[..., SlotResult]
ColdFactory = Callable[[], ColdEngine]
VERSION = "ada/honest v1.0.0"
HONEST = """
import numpy as np
import polars as pl
from signalbox import Forecast

def forecast(window):
    drawn = []
    for symbol in window.symbols:
        close = window.numpy(symbol)
        mean = window.bars(symbol).lazy().select(pl.col("close").ewm_mean(span=7)).collect()
        for hours in (1, 4):
            noise = np.quantile(window.random.normal(0, 1e-3, 100), [0.1, 0.5, 0.9])
            point = np.polyfit(np.arange(close.size), np.log(close), 1)[0] + noise[1]
            levels = dict(zip([0.1, 0.5, 0.9], noise + mean["close"][-1] * 1e-9, strict=True))
            drawn.append(Forecast(symbol, hours, point, levels, 0.5))
    return drawn
"""


@pytest.fixture(scope="module", params=["docker", "embedded"])
def cold_engine(request: pytest.FixtureRequest) -> ColdFactory:
    """What makes the engine under each forked one, anew each time."""
    return _required({"docker": DockerEngine, "embedded": EmbeddedEngine}[request.param])


@pytest.fixture(scope="session")
def docker_only() -> ColdFactory:
    """As `cold_engine`, of Docker alone."""
    return _required(DockerEngine)


def _required(kind: ColdFactory) -> ColdFactory:
    try:
        kind().close()
    except SandboxUnavailableError as error:
        if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
            pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but: {error}")
        pytest.skip(str(error))
    return kind


@pytest.fixture(scope="module")
def engine(cold_engine: ColdFactory) -> Iterator[ForkedEngine]:
    made = ForkedEngine(cold_engine())
    yield made
    made.close()


@pytest.fixture
def run(manifest: Manifest, feed: Callable[..., Feed]) -> Run:
    """`run(engine, image, hours=0, version=VERSION)`: one slot in a sandbox of its own."""

    def ran(engine: ForkedEngine, image: Image, hours: int = 0, **given: str) -> SlotResult:
        return run_cold(engine, image, manifest, given.get("version", VERSION), feed(hours))

    return ran


@pytest.fixture
def honest(throwaway_image: Callable[[dict[str, str]], Image]) -> Image:
    """A model that answers from bars and seeded noise."""
    return throwaway_image({"app.py": HONEST})


@pytest.fixture(scope="session")
def answers() -> Callable[..., list[bytes]]:
    """`answers(*results)`: what was answered, as bytes; none of them was missed."""

    def encoded(*results: SlotResult) -> list[bytes]:
        assert [result.missed for result in results] == [None] * len(results), results[0].log
        return [msgspec.msgpack.encode(result.rows) for result in results]

    return encoded


@pytest.fixture(scope="session")
def only_zygote() -> Callable[[ForkedEngine], Zygote]:
    """`only_zygote(engine)`: the one it has."""

    def found(engine: ForkedEngine) -> Zygote:
        (zygote,) = engine.zygotes._by_key.values()
        return zygote

    return found
