"""Run versions in the sandbox: many at one slot, or one over many slots.

Theory of operation: `tick` drives as many sandboxes at once as there are cores
and hands back each outcome as it comes, so that a slow or failing version
delays nobody's record. `replay_range` keeps one sandbox and reveals hour after
hour. A model's failure is an outcome; the platform's own is raised, and
nothing is recorded for the slots that it struck.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from assets.forecasts.feed import PastBars, PinnedFeed, SlotBars
from assets.forecasts.version import PublishedVersion
from assets.market_data.window import SlotPin
from sandbox.registry.docker_image import ensure_loaded
from sandbox.registry.image import ImageStore
from sandbox.runner.engine import Engine, RunPath
from sandbox.runner.run import Feed, SlotResult, replay, run_cold

AT_ONCE = os.cpu_count() or 1


@dataclass(frozen=True)
class Outcome:
    """What a version answered at a slot, and exactly what it was given."""

    version: PublishedVersion
    pin: SlotPin
    input_digest: str
    result: SlotResult
    engine: str
    path: RunPath


def tick(
    connection: psycopg.Connection[Any],
    engine: Engine,
    images: ImageStore,
    versions: Sequence[PublishedVersion],
    pin: SlotPin,
) -> Iterator[Outcome]:
    """Run every version once at the pinned slot, in the order in which they end.

    Args:
        connection: used for reads only, from several threads in turn.
        engine: where to run.
        images: the store the versions were built into.
        versions: at least one.
        pin: the slot.

    Raises:
        SandboxError: ours; outcomes already handed out stand.
    """
    bars = SlotBars(connection, versions, pin)
    feeds = {version.id: bars.feed(version) for version in versions}

    def run(version: PublishedVersion) -> Outcome:
        pinned = feeds[version.id]
        result = run_cold(
            engine,
            _image(engine, images, version),
            version.manifest,
            version.label,
            pinned.feed,
        )
        return Outcome(version, pinned.pin, pinned.input_digest, result, engine.name, engine.path)

    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="sandbox") as pool:
        running = [pool.submit(run, version) for version in versions]
        try:
            for future in as_completed(running):
                yield future.result()
        finally:
            for future in running:
                future.cancel()


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

    image = _image(engine, images, version)
    for result in replay(engine, image, version.manifest, version.label, feeds()):
        pinned = revealed.pop()
        yield Outcome(version, pinned.pin, pinned.input_digest, result, engine.name, "replay")


def _image(engine: Engine, images: ImageStore, version: PublishedVersion) -> Any:
    if engine.name == "docker":
        ensure_loaded(images, version.image_digest)
    return images.open(version.image_digest)
