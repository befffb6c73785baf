"""What a run of a version comes to, and where its image is found.

A model's failure is an outcome; the platform's own is raised, and
nothing is recorded for the slots that it struck.
"""

from dataclasses import dataclass

from assets.forecasts.version import PublishedVersion
from assets.market_data.window import SlotPin
from sandbox.registry.docker_image import ensure_loaded
from sandbox.registry.image import ImageStore
from sandbox.runner.engine import Engine, RunPath
from sandbox.runner.image import Image
from sandbox.runner.run import SlotResult


@dataclass(frozen=True)
class Outcome:
    """What a version answered at a slot, and exactly what it was given."""

    version: PublishedVersion
    pin: SlotPin
    input_digest: str
    result: SlotResult
    engine: str
    path: RunPath


def image_of(engine: Engine, images: ImageStore, version: PublishedVersion) -> Image:
    """A version's image, where the engine finds it."""
    if engine.name == "docker":
        ensure_loaded(images, version.image_digest)
    return images.open(version.image_digest)
