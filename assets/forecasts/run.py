"""Run a version in the sandbox over many slots; `tick.py` runs many at one.

Theory of operation: `replay_range` keeps one sandbox and reveals hour after
hour. A model's failure is an outcome; the platform's own is raised, and
nothing is recorded for the slots that it struck.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from assets.forecasts.feed import PastBars, PinnedFeed
from assets.forecasts.version import PublishedVersion
from assets.market_data.window import SlotPin
from sandbox.registry.docker_image import ensure_loaded
from sandbox.registry.image import ImageStore
from sandbox.runner.engine import Engine, RunPath
from sandbox.runner.image import Image
from sandbox.runner.run import Feed, SlotResult, replay


@dataclass(frozen=True)
class Outcome:
    """What a version answered at a slot, and exactly what it was given."""

    version: PublishedVersion
    pin: SlotPin
    input_digest: str
    result: SlotResult
    engine: str
    path: RunPath


def replay_range(
    connection: psycopg.Connection[Any],
    engine: Engine,
    images: ImageStore,
    version: PublishedVersion,
    slots: Sequence[datetime],
    pin: SlotPin,
) -> Iterator[Outcome]:
    """Run one version over past slots in lockstep, oldest first.

    Args:
        connection: used for reads only.
        engine: where to run.
        images: the store the version was built into.
        version: whose past.
        slots: ascending, at least one.
        pin: of the last slot; its delay and newest batch hold for all.
    """
    bars = PastBars(connection, version, slots[0], pin)
    revealed: list[PinnedFeed] = []

    def feeds() -> Iterator[Feed]:
        for slot in slots:
            revealed.append(bars.feed(slot))
            yield revealed[-1].feed

    image = image_of(engine, images, version)
    for result in replay(engine, image, version.manifest, version.label, feeds()):
        pinned = revealed.pop()
        yield Outcome(version, pinned.pin, pinned.input_digest, result, engine.name, "replay")


def image_of(engine: Engine, images: ImageStore, version: PublishedVersion) -> Image:
    """A version's image, where the engine finds it."""
    if engine.name == "docker":
        ensure_loaded(images, version.image_digest)
    return images.open(version.image_digest)
