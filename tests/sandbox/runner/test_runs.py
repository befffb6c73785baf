"""Honest models: the same bytes by every path, and seeds anybody can derive."""

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from sandbox.runner.docker_configuration import cold
from sandbox.runner.embedded_engine import EmbeddedEngine
from sandbox.runner.engine import Engine, available_engine
from sandbox.runner.errors import ImageAbsentError, Missed, SandboxUnavailableError
from sandbox.runner.image import Image
from sandbox.runner.limits import Caps, Limits
from sandbox.runner.run import Feed, SlotResult, replay, run_cold, slot_seed
from sandbox.runner.session import Session
from sandbox.runner.validate import checked
from signalbox import Forecast, Manifest

HONEST = """
import numpy as np
import polars as pl
from signalbox import Forecast

def forecast(window):
    drawn = []
    for symbol in reversed(window.symbols):
        close = window.numpy(symbol)
        trend = np.polyfit(np.arange(close.size), np.log(close), 1)[0]
        mean = window.bars(symbol).lazy().select(pl.col("close").ewm_mean(span=7)).collect()
        earlier = window.historical(symbol, window.as_of.replace(hour=0), window.as_of)
        for hours in (4, 1):
            noise = window.random.normal(0, 1e-3, 100) * earlier.height
            low, mid, high = np.quantile(noise, [0.1, 0.5, 0.9])
            point = np.float32(trend * hours + mean["close"][-1] * 1e-12)
            drawn.append(Forecast(symbol, np.int64(hours), point,
                                  {0.1: low, 0.5: mid, 0.9: high}, np.float64(0.5)))
    return drawn
"""
THINKING_SECONDS = 0.2
SLOW = f"""
honest = forecast

def forecast(window):
    time.sleep({THINKING_SECONDS})
    return honest(window)
"""
VERSION = "ada/honest v1.0.0"
ImageFactory = Callable[[dict[str, str]], Image]


def _bytes(results: list[SlotResult]) -> list[bytes]:
    assert [result.missed for result in results] == [None] * len(results), results[0].log
    return [msgspec.msgpack.encode(result.rows) for result in results]


def test_cold_and_replay_give_the_same_bytes_under_both_engines(
    throwaway_image: ImageFactory,
    manifest: Manifest,
    feed: Callable[..., Feed],
    both_engines: list[Engine],
) -> None:
    image = throwaway_image({"app.py": HONEST})
    feeds = [feed(hours) for hours in range(3)]
    paths = [
        _bytes([run_cold(engine, image, manifest, VERSION, each) for each in feeds])
        for engine in both_engines
    ]
    paths += [_bytes(list(replay(e, image, manifest, VERSION, feeds))) for e in both_engines]
    assert paths[1:] == paths[:1] * 3
    assert len(set(paths[0])) == 3


def test_a_replay_reveals_a_slot_only_after_the_answer_before_it(
    engine: Engine, throwaway_image: ImageFactory, manifest: Manifest, feed: Callable[..., Feed]
) -> None:
    asked_at = []

    def feeds() -> object:
        for hours in range(3):
            asked_at.append(time.monotonic())
            yield feed(hours)

    image = throwaway_image({"app.py": "import time\n" + HONEST + SLOW})
    running = replay(engine, image, manifest, VERSION, feeds())
    with closing(running):
        assert next(running).rows is not None
        # One answer is looked at while the next is computed, and no more than one.
        assert len(asked_at) == 2
        assert next(running).rows is not None
        assert len(asked_at) == 3
    for before, after in itertools.pairwise(asked_at):
        assert after - before >= THINKING_SECONDS


def test_answers_come_in_manifest_order_with_six_digits(
    engine: Engine, throwaway_image: ImageFactory, manifest: Manifest, feed: Callable[..., Feed]
) -> None:
    image = throwaway_image({"app.py": HONEST})
    rows = run_cold(engine, image, manifest, VERSION, feed()).rows
    assert rows is not None
    pairs = [(row.symbol, row.horizon_hours) for row in rows]
    assert pairs == [("EURUSD", 1), ("EURUSD", 4), ("GBPUSD", 1), ("GBPUSD", 4)]
    for row in rows:
        assert row.quantiles is not None
        assert list(row.quantiles) == [0.1, 0.5, 0.9]
        for value in (row.point, *row.quantiles.values()):
            assert value == float(f"{value:.6g}")


def test_many_sandboxes_at_once_each_get_their_own_answer(
    engine: Engine, throwaway_image: ImageFactory, manifest: Manifest, feed: Callable[..., Feed]
) -> None:
    image = throwaway_image({"app.py": HONEST})

    def run(hours: int) -> SlotResult:
        return run_cold(engine, image, manifest, VERSION, feed(hours))

    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(run, range(11)))
    assert [result.as_of for result in together] == [feed(hours).as_of for hours in range(11)]
    assert len(set(_bytes(together))) == 11
    assert _bytes(together[3:4]) == _bytes([run(3)])


def test_an_absent_image_is_our_error_and_nothing_is_recorded(
    engine: Engine, throwaway_image: ImageFactory, manifest: Manifest, feed: Callable[..., Feed]
) -> None:
    image = throwaway_image({"app.py": HONEST})
    gone = replace(image, digest=f"sha256:{'0' * 64}", source=image.source / "gone")
    with pytest.raises(ImageAbsentError, match="Rebuild it from the registry"):
        run_cold(engine, gone, manifest, VERSION, feed())


def test_a_docker_daemon_that_is_gone_is_our_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with pytest.raises(SandboxUnavailableError, match="Start Docker"):
        available_engine("docker")
    assert available_engine("auto").name == "embedded"


def test_removing_the_container_in_the_middle_is_our_error_and_not_the_models(
    throwaway_image: ImageFactory,
    manifest: Manifest,
    feed: Callable[..., Feed],
    both_engines: list[Engine],
) -> None:
    docker_engine = both_engines[0]
    image = throwaway_image({"app.py": "import time\ndef forecast(window): time.sleep(60)"})
    session = Session(
        docker_engine, image, manifest, version_label=VERSION, version_seed=0, limits=Limits()
    )
    with session:
        container = session._sandbox._container

        def removed(*_: object) -> None:
            docker_engine._client.remove_container(container, force=True)

        threading.Timer(0.3, removed).start()
        each = feed()
        with pytest.raises(SandboxUnavailableError, match="somebody removed the container"):
            session.answer(each.as_of, 1, 1, each.tables, each.historical)


def test_a_machine_without_bubblewrap_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SandboxUnavailableError, match="apt-get install bubblewrap"):
        available_engine("embedded")


def test_a_sandbox_that_cannot_be_built_is_our_error(
    throwaway_image: ImageFactory, manifest: Manifest, feed: Callable[..., Feed]
) -> None:
    image = throwaway_image({"app.py": HONEST})
    # A base without a Python: bubblewrap starts, the harness does not.
    base = image.source.parent / "no-python"
    for directory in ("usr", "opt/signalbox"):
        (base / directory).mkdir(parents=True, exist_ok=True)
    with pytest.raises(SandboxUnavailableError, match="could not build a sandbox"):
        run_cold(EmbeddedEngine(), replace(image, base=base), manifest, VERSION, feed())


def test_sandboxes_past_their_deadline_are_reaped_and_others_left(
    engine: Engine, throwaway_image: ImageFactory
) -> None:
    image = throwaway_image({"app.py": HONEST})
    if engine.name == "embedded" and not engine._families:
        pytest.skip("without cgroups the host's death ends its sandboxes")
    old = engine.launch(image, Limits(lifetime_seconds=1.0), "reaper/old v1.0.0")
    young = engine.launch(image, Limits(lifetime_seconds=600.0), "reaper/young v1.0.0")
    try:
        reaped = engine.reap(datetime.now(UTC) + timedelta(seconds=10))
        assert len(reaped) >= 1
        if engine.name == "docker":
            assert "reaper/old v1.0.0" in reaped
        else:
            assert old.wait(5) is not None
        assert young.wait(0.1) is None
    finally:
        old.close()
        young.close()


def test_seeds_follow_from_version_and_slot_alone() -> None:
    slot = datetime(2026, 1, 1, tzinfo=UTC)
    assert slot_seed(VERSION, slot) == slot_seed(VERSION, slot)
    assert slot_seed(VERSION, slot) != slot_seed("ada/honest v1.0.1", slot)
    assert slot_seed(VERSION, slot) != slot_seed(VERSION, slot + timedelta(hours=1))


def test_a_manifest_that_asks_for_more_than_the_caps_gets_the_caps(manifest: Manifest) -> None:
    limits = Limits.of(manifest, Caps(timeout_seconds=5, memory_mb=128))
    assert (limits.timeout_seconds, limits.memory_mb) == (5, 128)


@pytest.mark.parametrize("price", [0.0, -1.0, 1e13])
def test_a_price_out_of_range_is_invalid(manifest: Manifest, price: float) -> None:
    tables = replace_target(manifest, "price")
    row = Forecast("EURUSD", 1, price)
    with pytest.raises(Missed, match="is no price"):
        checked([row], tables)


def replace_target(manifest: Manifest, target: str) -> Manifest:
    forecast = msgspec.structs.replace(manifest.forecast, target=target, quantiles=())
    return msgspec.structs.replace(manifest, forecast=forecast)


def test_both_engines_tell_what_they_do_not_stop(both_engines: list[Engine]) -> None:
    for engine in both_engines:
        told = engine.guarantees()
        assert any("no network" in line for line in told.holds)
        assert "the clock can be read" in told.lacks


def test_every_option_of_the_container_is_as_designed() -> None:
    """What a probe cannot see from inside stands here."""
    options = cold("sha256:0", Limits(), "a label", 0, "runsc")["HostConfig"]
    assert options["Runtime"] == "runsc"
    assert options["LogConfig"] == {"Type": "none", "Config": {}}
    assert options["Memory"] == options["MemorySwap"] == 512 * 1024 * 1024
    assert options["CapDrop"] == ["ALL"]
    assert "Binds" not in options
    assert "Mounts" not in options
