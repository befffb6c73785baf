"""Models and windows of the tick's benchmark, for whichever design is measured on them.

The models are the three examples, each copy with a line of its own and so with an
image of its own; three locks, several providers.
"""

import itertools
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from assets.market_data.digest import arrow_ipc
from assets.market_data.sample import SampleSource
from sandbox.harness.bars import Bars
from sandbox.registry.image import BuiltImage, ImageStore
from sandbox.registry.lock import Lock, lock
from sandbox.registry.requirements import parse_requirements
from sandbox.registry.tree import SourceTree
from signalbox import Manifest, parse_manifest
from signalbox.window import Cells

EXAMPLES = Path(__file__).parents[1] / "examples"
KINDS = ("momentum-quantiles", "ridge-lags", "seasonal-naive")
PROVIDERS = ("ada", "bob")


@dataclass(frozen=True)
class Model:
    """One version, as it would have been pushed."""

    provider: str
    name: str
    kind: str
    manifest: Manifest
    lock: Lock
    image: BuiltImage
    tree: str


def make_models(count: int, store: ImageStore, now: datetime) -> Iterator[Model]:
    """Models with images in `store`: kinds and providers in turn."""
    locks = {
        kind: lock(
            parse_requirements((EXAMPLES / kind / "requirements.txt").read_text()),
            now=now,
            cache=store.cache,
        )
        for kind in KINDS
    }
    layers = {kind: store.dependencies(locked) for kind, locked in locks.items()}
    base = store.base()
    turns = itertools.cycle(itertools.product(PROVIDERS, KINDS))
    for number, (provider, kind) in enumerate(itertools.islice(turns, count)):
        name = f"{kind}-{number:05d}"
        toml = (EXAMPLES / kind / "signal.toml").read_text().replace(f'"{kind}"', f'"{name}"')
        app = (EXAMPLES / kind / "app.py").read_text() + f"\n# {name}\n"
        files = {"app.py": (app.encode(), False), "signal.toml": (toml.encode(), False)}
        image = store.add(base=base, dependencies=layers[kind], files=files)
        yield Model(
            provider, name, kind, parse_manifest(toml), locks[kind], image, SourceTree(files).digest
        )


def windows(slot: datetime) -> dict[str, dict[str, Cells]]:
    """What a model of each kind sees at a slot: bars by symbol, as `Window` takes them."""
    made = {}
    for kind in KINDS:
        forecast = tomllib.loads((EXAMPLES / kind / "signal.toml").read_text())["forecast"]
        source = SampleSource(tuple(forecast["symbols"]))
        start = slot - timedelta(hours=forecast["lookback_hours"])
        made[kind] = {
            symbol: Bars.of_table(
                arrow_ipc(source.fetch(symbol, start, slot, slot).frame.drop("ts_close"))
            ).cells
            for symbol in forecast["symbols"]
        }
    return made
