"""Whether images are still what they were when they were built.

Theory of operation: a digest names an image, so whoever opens one can find out. A process hashes
each layer when it first opens it (`ImageStore.open`), and once a day, or when the operator asks,
every layer of every published version is hashed. What is found altered is not run: the finding
goes to the database, which takes every version that stands on it offline, with an event that
says so. Nothing goes live on it until a later check has found it whole again. Nobody is told by
a version's failing hours: an altered image is the platform's fault, never the provider's.

What this cannot see: a change made after the hash and undone before the next one, and the layers
that Docker keeps in a folder of its own, whose digest Docker compares when it loads them.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import psycopg

from sandbox.registry.errors import BuildError
from sql.clock import Clock

if TYPE_CHECKING:
    from sandbox.registry.image import ImageStore

log = logging.getLogger(__name__)

STANDING = """
select array_agg(distinct image_digest), array_agg(distinct digest)
from registry.version
cross join lateral (values (base_digest), (dependencies_digest), (source_digest)) as layer(digest)
where state in ('live', 'offline') and digest is not null
"""
QUARANTINED = """
select subject from (
  select distinct on (subject) subject, verdict from registry.image_finding
  order by subject, id desc) newest
where verdict = 'altered'
"""


@dataclass(frozen=True)
class Finding:
    """Something about an image that the operator must know.

    Attributes:
        subject: digest of a layer or of an image, or a tag.
        verdict: `altered` takes versions offline, `mended` brings them back.
        detail: for people.
    """

    subject: str
    verdict: Literal["altered", "mended", "tag_moved"]
    detail: str


Alarm = Callable[[Finding], None]


class AlteredError(BuildError):
    """An image, or a layer of it, is not what its digest says; nothing of it may run."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(
            f"{finding.subject} was altered ({finding.detail}): restore the backup of the image"
            " store, then run: signalbox image check"
        )


def to_log(finding: Finding) -> None:
    """An alarm of a process without a database."""
    log.error("image %s: %s: %s", finding.verdict, finding.subject, finding.detail)


def to_database(connect: Callable[[], psycopg.Connection[Any]], clock: Clock) -> Alarm:
    """An alarm that is kept, with what follows from it.

    Args:
        connect: as a role that may call registry.report_image; a connection of its own, because
            the finding stands whatever becomes of the caller's transaction.
        clock: when it was found.
    """

    def alarm(finding: Finding) -> None:
        to_log(finding)
        with connect() as connection:
            connection.execute(
                "select registry.report_image(%s, %s, %s, %s)",
                [finding.subject, finding.verdict, finding.detail, clock()],
            )

    return alarm


@dataclass(frozen=True)
class Checked:
    """What a check of every published image came to."""

    images: int
    layers: int
    altered: tuple[Finding, ...]
    mended: tuple[Finding, ...]


def check_images(store: "ImageStore", connection: psycopg.Connection[Any]) -> Checked:
    """Hash every layer, unpacked and packed, and every configuration that a version stands on.

    Findings go to the store's alarm.
    """
    images, layers = connection.execute(STANDING).fetchone() or (None, None)
    in_quarantine = {subject for (subject,) in connection.execute(QUARANTINED)}
    faults = {layer: _layer_fault(store, layer) for layer in layers or ()}
    faults |= {image: store.config_fault(image) for image in images or ()}
    altered = tuple(
        Finding(subject, "altered", fault) for subject, fault in faults.items() if fault
    )
    mended = tuple(
        Finding(subject, "mended", "hashed again")
        for subject, fault in faults.items()
        if fault is None and subject in in_quarantine
    )
    for finding in (*altered, *mended):
        store.alarm(finding)
    return Checked(len(images or ()), len(layers or ()), altered, mended)


def _layer_fault(store: "ImageStore", layer: str) -> str | None:
    for what, found in (
        ("its folder", store.layers.unpacked_digest(layer)),
        ("its tar", store.layers.tar_digest(layer)),
    ):
        if found is None:
            return f"{what} is gone"
        if found != layer:
            return f"{what} holds {found}"
    return None
