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

from sandbox.registry.docker_image import ensure_loaded
from sandbox.registry.errors import RefusedError
from sandbox.registry.image import ImageStore
from sandbox.registry.lock import lock
from sandbox.registry.requirements import parse_requirements
from sandbox.registry.reservation import (
    Reservation,
    Submission,
    lost,
    record_event,
    reject,
    reserve,
)
from sandbox.registry.sbom import bill_of_materials
from sandbox.registry.smoke import smoke
from sandbox.registry.tree import SourceTree, read_tree
from sandbox.runner.engine import Engine
from signalbox import Manifest, ManifestError, parse_manifest
from signalbox.leaf import canonical
from sql.log import append_leaf

__all__ = ["Submission", "build", "go_live", "reserve"]

Say = Callable[[str], None]


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
) -> None:
    """Check, lock, make the image and have the model answer once.

    Raises:
        RefusedError: theirs; recorded as rejected, and the name is free again.
    """
    try:
        facts = _build(connection, store, engine, submission, now, say)
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
    now: datetime,
    say: Say,
) -> dict[str, Any]:
    say(f"reserved    {submission.label}")
    tree = read_tree(submission.repository, submission.commit)
    say(f"tree        {len(tree.files)} files, {tree.digest[:19]}")
    manifest = _manifest(connection, tree, submission)
    say(
        f"manifest    {len(manifest.forecast.symbols)} symbols, horizons "
        f"{', '.join(map(str, manifest.forecast.horizons_hours))} h"
    )
    locked = lock(parse_requirements(tree.text("requirements.txt")), now=now, cache=store.cache)
    say(f"lock        {locked.text.count('==')} wheels, {locked.digest[:19]}")
    base, dependencies = store.base(), store.dependencies(locked)
    image = store.add(base=base, dependencies=dependencies, files=tree.files)
    if engine.name == "docker":
        ensure_loaded(store, image.digest)
    say(f"image       {image.digest}")
    same = smoke(engine, store.open(image.digest), manifest, submission.label)
    say(
        f"sandbox     answered validly twice under {engine.name}"
        + ("" if same else "; NOT deterministic: two runs of one hour differ")
    )
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
    }


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
        _offer(connection, signal_id, manifest, now)
        pusher = submission.provider_id
        record_event(connection, reservation.version_id, "live", "published", pusher, now)
        leaf_index = append_leaf(
            connection,
            kind="version/v1",
            signal_id=signal_id,
            facts={
                "sig": f"{submission.provider}/{submission.name}",
                "ver": submission.version,
                "commit": submission.commit,
                "tree": tree,
                "lock": lock_digest,
                "img": image,
                "base": base,
                "sbom": "sha256:" + hashlib.sha256(sbom.encode()).hexdigest(),
            },
            now=now,
        )
        connection.execute(
            "insert into audit.event (at, actor_id, action, subject, detail)"
            " values (%s, %s, 'version.publish', %s, %s)",
            [now, submission.provider_id, submission.label, Jsonb({"image": image})],
        )
    return Published(image_digest=image, leaf_index=leaf_index)


def _manifest(
    connection: psycopg.Connection[Any], tree: SourceTree, submission: Submission
) -> Manifest:
    manifest = parse_manifest(tree.text("signal.toml"))
    if manifest.signal.name != submission.name:
        raise ManifestError(
            "signal.name",
            f"{manifest.signal.name!r} was pushed to {submission.name}.git; make them the same",
        )
    known = {symbol for (symbol,) in connection.execute("select symbol from market.instrument")}
    for symbol in manifest.forecast.symbols:
        if symbol not in known:
            listed = ", ".join(sorted(known)) or "none yet"
            raise ManifestError("forecast.symbols", f"{symbol} is not known here; known: {listed}")
    return manifest


def _offer(
    connection: psycopg.Connection[Any], signal_id: int, manifest: Manifest, now: datetime
) -> None:
    offer = (manifest.offer.amount_minor, manifest.offer.currency, manifest.offer.trial_days)
    last = connection.execute(
        "select amount_minor, currency, trial_days from billing.price where signal_id = %s"
        " order by id desc limit 1",
        [signal_id],
    ).fetchone()
    if last != offer:
        connection.execute(
            "insert into billing.price (signal_id, amount_minor, currency, trial_days, valid_from)"
            " values (%s, %s, %s, %s, %s)",
            [signal_id, *offer, now],
        )
