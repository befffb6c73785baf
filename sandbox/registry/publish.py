"""A pushed tag becomes a version: reserve (`reservation.py`), build, go live.

Theory of operation: a push holds the name `(signal, version)`. `build` reads the
tree, parses, locks, makes the image and has the model answer in the sandbox;
nothing of the provider's runs elsewhere. Git then moves the ref, and `go_live`
turns the reservation into a version together with its leaf. Each step holds only
while the reservation is still this push's.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from sandbox.registry.dependencies import admitted_lock
from sandbox.registry.docker_image import ensure_loaded
from sandbox.registry.errors import RefusedError
from sandbox.registry.image import ImageStore
from sandbox.registry.known_manifest import known_manifest
from sandbox.registry.offer import changed_offer
from sandbox.registry.provenance import Built, Signer, statement
from sandbox.registry.reservation import (
    Reservation,
    Submission,
    lost,
    record_event,
    reject,
    reserve,
)
from sandbox.registry.sbom import bill_of_materials
from sandbox.registry.smoke import smoke, stored, told
from sandbox.registry.tree import read_tree
from sandbox.runner.engine import Engine
from signalbox import Manifest, ManifestError
from signalbox.leaf import canonical
from sql.log import NewLeaf, append_leaves

__all__ = ["Submission", "Terms", "build", "go_live", "reserve"]

Say = Callable[[str], None]


@dataclass(frozen=True)
class Terms:
    """On what terms this installation publishes.

    Attributes:
        signer: signs the provenance; without one there is none, which is said and stored.
        is_scan_required: publish nothing whose packages were not looked up.
    """

    signer: Signer | None = None
    is_scan_required: bool = False


NO_TERMS = Terms()


@dataclass(frozen=True)
class Published:
    """What the pusher is told at the end."""

    image_digest: str
    leaf_index: int


def build(
    connection: psycopg.Connection[Any],
    store: ImageStore,
    engine: Engine,
    submission: Submission,
    reservation: Reservation,
    now: datetime,
    say: Say,
    terms: Terms = NO_TERMS,
) -> None:
    """Check, lock, make the image and have the model answer once.

    Raises:
        RefusedError: theirs; recorded as rejected, and the name is free again.
    """
    try:
        facts = _build(connection, store, engine, submission, reservation, now, say, terms)
        _record(connection, submission, reservation, facts)
    except (RefusedError, ManifestError) as error:
        reject(connection, reservation, str(error), now)
        raise RefusedError(str(error)) from error
    except Exception as error:
        # Ours: the name is free again at once, and the failure is seen by whoever looks.
        reject(connection, reservation, f"platform failure: {error}", now)
        raise
    except BaseException as error:
        reject(connection, reservation, f"ended before it was built: {error}", now)
        raise


def _build(
    connection: psycopg.Connection[Any],
    store: ImageStore,
    engine: Engine,
    submission: Submission,
    reservation: Reservation,
    now: datetime,
    say: Say,
    terms: Terms,
) -> dict[str, Any]:
    say(f"reserved    {submission.label}")
    tree = read_tree(submission.repository, submission.commit)
    say(f"tree        {len(tree.files)} files, {tree.digest[:19]}")
    manifest = known_manifest(connection, tree, submission)
    say(
        f"manifest    {len(manifest.forecast.symbols)} symbols, horizons "
        f"{', '.join(map(str, manifest.forecast.horizons_hours))} h"
    )
    locked, scanned = admitted_lock(
        connection, tree.text("requirements.txt"), cache=store.cache,
        is_scan_required=terms.is_scan_required, now=now,
    )  # fmt: skip
    say(f"lock        {len(locked.packages)} wheels, {locked.digest[:19]}")
    say(f"scan        {scanned['said']}")
    base, dependencies = store.base(), store.dependencies(locked)
    image = store.add(base=base, dependencies=dependencies, files=tree.files)
    if engine.name == "docker":
        ensure_loaded(store, image.digest)
    say(f"image       {image.digest}")
    examined = smoke(engine, store.open(image.digest), manifest, submission.label)
    for line in told(examined, engine.name):
        say(line)
    built = Built(
        submission.label, submission.commit, tree.digest, image.base, locked, image.digest,
        scanned, reservation.reserved_at,
    )  # fmt: skip
    envelope = _signed(connection, terms.signer, built, now, say)
    return {
        "tree_digest": tree.digest,
        "manifest": Jsonb(msgspec.to_builtins(manifest)),
        "lock": locked.text,
        "lock_digest": locked.digest,
        "sbom": canonical(bill_of_materials(locked)).decode(),
        "base_digest": image.base,
        "dependencies_digest": image.dependencies,
        "source_digest": image.source,
        "image_digest": image.digest,
        "scan": Jsonb(scanned),
        "provenance": envelope,
        "deterministic": examined.deterministic,
        "leak_report": Jsonb(stored(examined)),
    }


def _signed(
    connection: psycopg.Connection[Any],
    signer: Signer | None,
    built: Built,
    now: datetime,
    say: Say,
) -> str | None:
    if signer is None:
        say("provenance  not signed: this installation has no key")
        return None
    signer.publish_key(connection, now)
    say(f"provenance  signed by {signer.key_id[:16]}")
    return signer.sign(statement(built, signer.builder))


def _record(
    connection: psycopg.Connection[Any],
    submission: Submission,
    reservation: Reservation,
    facts: dict[str, Any],
) -> None:
    """Write down what was built, unless a later push took the name over meanwhile."""
    assignments = ", ".join(f"{column} = %s" for column in facts)
    found = connection.execute(
        f"update registry.version set {assignments}"  # noqa: S608 - our own names
        " where id = %s and state = 'building' and reserved_at = %s",
        [*facts.values(), reservation.version_id, reservation.reserved_at],
    )
    if found.rowcount == 0:
        raise lost(submission)


def go_live(
    connection: psycopg.Connection[Any],
    submission: Submission,
    reservation: Reservation,
    now: datetime,
) -> Published:
    """Turn the built reservation into a version, with its offer and its leaf.

    Raises:
        RefusedError: the name was taken over, or nothing was built under it.
    """
    try:
        return _go_live(connection, submission, reservation, now)
    except Exception as error:
        reject(connection, reservation, f"could not go live: {error}", now)
        raise


def _go_live(
    connection: psycopg.Connection[Any],
    submission: Submission,
    reservation: Reservation,
    now: datetime,
) -> Published:
    with connection.transaction():
        row = connection.execute(
            "update registry.version set state = 'live', published_at = %s"
            " where id = %s and state = 'building' and reserved_at = %s and commit_sha = %s"
            " and image_digest is not null returning signal_id, tree_digest, lock_digest,"
            " image_digest, base_digest, sbom, manifest",
            [now, reservation.version_id, reservation.reserved_at, submission.commit],
        ).fetchone()
        if row is None:
            raise lost(submission)
        signal_id, tree, lock_digest, image, base, sbom, raw = row
        manifest = msgspec.convert(raw, Manifest)
        connection.execute(
            "update registry.signal set title = %s, description = %s where id = %s",
            [manifest.signal.title, manifest.signal.description, signal_id],
        )
        signal = f"{submission.provider}/{submission.name}"
        offered = changed_offer(connection, signal_id, signal, manifest.offer, now)
        pusher = submission.provider_id
        record_event(connection, reservation.version_id, "live", "published", pusher, now)
        said = {
            "sig": signal,
            "ver": submission.version,
            "commit": submission.commit,
            "tree": tree,
            "lock": lock_digest,
            "img": image,
            "base": base,
            "sbom": "sha256:" + hashlib.sha256(sbom.encode()).hexdigest(),
        }
        leaves = [NewLeaf("version/v1", signal_id, said), *offered]
        leaf_index = append_leaves(connection, leaves, now)[0]
        connection.execute(
            "insert into audit.event (at, actor_id, action, subject, detail)"
            " values (%s, %s, 'version.publish', %s, %s)",
            [now, submission.provider_id, submission.label, Jsonb({"image": image})],
        )
    return Published(image_digest=image, leaf_index=leaf_index)
