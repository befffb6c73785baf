"""Lockstep replay against cold runs: what revealing hour after hour in one process saves.

Both paths run `examples/momentum-quantiles` over the same made-up bars, in the same
engine, one after the other in this run; the answers must be equal.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from assets.market_data.digest import arrow_ipc
from assets.market_data.sample import SampleSource
from sandbox.registry.docker_image import ensure_loaded
from sandbox.registry.image import ImageStore
from sandbox.registry.lock import lock
from sandbox.registry.requirements import parse_requirements
from sandbox.runner.engine import Engine, available_engine
from sandbox.runner.image import Image
from sandbox.runner.run import Feed, replay, run_cold
from signalbox import Manifest, parse_manifest

EXAMPLE = Path(__file__).parents[1] / "examples" / "momentum-quantiles"
FIRST = datetime(2026, 1, 5, tzinfo=UTC)
LABEL = "benchmark/momentum-quantiles@v1.0.0"


def main() -> None:
    """Print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, default=500)
    parser.add_argument("--cold", type=int, default=20, help="slots that are also run cold")
    parser.add_argument("--engine", default="auto", choices=["auto", "docker", "embedded"])
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    options = parser.parse_args()
    engine = available_engine(options.engine)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as root:
        Path(root).chmod(0o755)
        image, manifest = _image(Path(root), engine)
        result = _measure(engine, image, manifest, options.slots, options.cold)
    if not options.json:
        for name, value in result.items():
            print(f"{name:24} {value}")
    print(msgspec.json.encode(result).decode())


def _image(root: Path, engine: Engine) -> tuple[Image, Manifest]:
    store = ImageStore(root)
    locked = lock(
        parse_requirements((EXAMPLE / "requirements.txt").read_text()),
        now=datetime.now(UTC),
        cache=store.cache,
    )
    files = {path.name: (path.read_bytes(), False) for path in EXAMPLE.iterdir() if path.is_file()}
    built = store.add(base=store.base(), dependencies=store.dependencies(locked), files=files)
    if engine.name == "docker":
        ensure_loaded(store, built.digest)
    return store.open(built.digest), parse_manifest((EXAMPLE / "signal.toml").read_text())


def _measure(
    engine: Engine, image: Image, manifest: Manifest, slots: int, cold: int
) -> dict[str, float | int | str]:
    feeds = list(_feeds(manifest, slots))
    began = time.perf_counter()
    replayed = list(replay(engine, image, manifest, LABEL, feeds))
    replay_seconds = time.perf_counter() - began
    began = time.perf_counter()
    fresh = [run_cold(engine, image, manifest, LABEL, feed) for feed in feeds[:cold]]
    cold_seconds = time.perf_counter() - began
    assert all(one.rows is not None for one in replayed)
    assert [one.rows for one in fresh] == [one.rows for one in replayed[:cold]]
    per_replayed, per_cold = replay_seconds / slots, cold_seconds / cold
    return {
        "engine": engine.name,
        "slots": slots,
        "seconds": round(replay_seconds, 3),
        "slots_per_second": round(1 / per_replayed, 1),
        "cold_seconds_per_slot": round(per_cold, 4),
        "cold_ratio": round(per_cold / per_replayed, 1),
    }


def _feeds(manifest: Manifest, slots: int) -> Iterator[Feed]:
    source = SampleSource(manifest.forecast.symbols)
    lookback = timedelta(hours=manifest.forecast.lookback_hours)
    end = FIRST + timedelta(hours=slots)
    bars = {
        symbol: source.fetch(symbol, FIRST - lookback, end, end).frame.drop("ts_close")
        for symbol in manifest.forecast.symbols
    }
    for step in range(slots):
        tables = {
            symbol: arrow_ipc(frame.slice(step, manifest.forecast.lookback_hours))
            for symbol, frame in bars.items()
        }
        yield Feed(FIRST + timedelta(hours=step), tables, _no_history)


def _no_history(symbol: str, start: datetime, end: datetime) -> bytes:
    raise LookupError(f"{symbol} from {start} to {end}: this model reads its window only")


if __name__ == "__main__":
    main()
