"""A pushed tag becomes a version: reserve, build, go live.

Theory of operation: `reserve` takes the name `(signal, version)` in a
transaction of its own, so that of two pushes of one tag the second is told so
at once. `build` reads the tree, parses, locks, makes the image and has the
model answer in the sandbox; nothing of the provider's runs elsewhere. Git then
moves the ref, and `go_live` turns the reservation into a version together with
its leaf. A reservation whose push died is taken over after a while: a name is
never blocked for ever, and never in use twice.
"""

import hashlib
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from sandbox.registry.docker_image import ensure_loaded
from sandbox.registry.errors import RefusedError
from sandbox.registry.image import ImageStore
from sandbox.registry.lock import lock
from sandbox.registry.requirements import parse_requirements
from sandbox.registry.sbom import bill_of_materials
from sandbox.registry.smoke import smoke
from sandbox.registry.tree import SourceTree, read_tree
from sandbox.runner.engine import Engine
from signalbox import Manifest, ManifestError, parse_manifest
from signalbox.leaf import canonical
from sql.log import append_leaf

SEMVER = re.compile(r"v(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")
RESERVATION = timedelta(minutes=20)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Submission:
    """One pushed tag."""

    provider_id: uuid.UUID
    provider: str
    name: str
    version: str
    commit: str
    repository: Path

    @property
    def label(self) -> str:
        return f"{self.provider}/{self.name}@{self.version}"


@dataclass(frozen=True)
class Published:
    """What the pusher is told at the end."""

    image_digest: str
    leaf_index: int


def reserve(connection: psycopg.Connection[Any], submission: Submission, now: datetime) -> int:
    """Take the version's name; returns the version's id.

    Raises:
        RefusedError: the name is taken, or not greater than the last.
    """
    with connection.transaction():
        signal_id = _signal(connection, submission, now)
        _check_order(connection, signal_id, submission.version)
        row = connection.execute(
            "insert into registry.version (signal_id, version, state, reserved_at, pushed_by,"
            " commit_sha) values (%s, %s, 'building', %s, %s, %s)"
            " on conflict (signal_id, version) do update set state = 'building',"
            " reserved_at = excluded.reserved_at, pushed_by = excluded.pushed_by,"
            " commit_sha = excluded.commit_sha, why = null"
            " where version.state = 'rejected' or (version.state = 'building'"
            " and version.reserved_at < %s) returning id",
            [
                signal_id, submission.version, now, submission.provider_id, submission.commit,
                now - RESERVATION,
            ],
        ).fetchone()  # fmt: skip
        if row is None:
            raise RefusedError(
                f"{submission.version} is already reserved by another push; wait for it to end,"
                " or push the next version"
            )
        _event(connection, row[0], "building", "pushed", submission.provider_id, now)
        return int(row[0])


def build(
    connection: psycopg.Connection[Any],
    store: ImageStore,
    engine: Engine,
    submission: Submission,
    version_id: int,
    now: datetime,
    say: Say,
) -> None:
    """Check, lock, make the image and have the model answer once.

    Raises:
        RefusedError: theirs; recorded as rejected, and the name is free again.
    """
    try:
        facts = _build(connection, store, engine, submission, now, say)
    except (RefusedError, ManifestError) as error:
        _reject(connection, version_id, str(error), now)
        raise RefusedError(str(error)) from error
    except Exception as error:
        # Ours: the name is free again at once, and the failure is seen by whoever looks.
        _reject(connection, version_id, f"platform failure: {error}", now)
        raise
    assignments = ", ".join(f"{column} = %s" for column in facts)
    connection.execute(
        f"update registry.version set {assignments} where id = %s",  # noqa: S608 - our own names
        [*facts.values(), version_id],
    )


def _build(
    connection: psycopg.Connection[Any],
    store: ImageStore,
    engine: Engine,
    submission: Submission,
    now: datetime,
    say: Say,
) -> dict[str, Any]:
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


def go_live(
    connection: psycopg.Connection[Any], submission: Submission, version_id: int, now: datetime
) -> Published:
    """Turn the built reservation into a version, with its offer and its leaf."""
    with connection.transaction():
        row = connection.execute(
            "update registry.version set state = 'live', published_at = %s"
            " where id = %s and state = 'building' returning signal_id, tree_digest, lock_digest,"
            " image_digest, base_digest, sbom, manifest",
            [now, version_id],
        ).fetchone()
        if row is None:
            raise RefusedError(f"{submission.version} lost its reservation; push it again")
        signal_id, tree, lock_digest, image, base, sbom, raw = row
        manifest = msgspec.convert(raw, Manifest)
        connection.execute(
            "update registry.signal set title = %s, description = %s where id = %s",
            [manifest.signal.title, manifest.signal.description, signal_id],
        )
        _offer(connection, signal_id, manifest, now)
        _event(connection, version_id, "live", "published", submission.provider_id, now)
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


def _signal(connection: psycopg.Connection[Any], submission: Submission, now: datetime) -> int:
    connection.execute(
        "insert into registry.signal (provider_id, name, title, description, visibility,"
        " created_at) values (%s, %s, %s, '', 'private', %s)"
        " on conflict (provider_id, name) do nothing",
        [submission.provider_id, submission.name, submission.name, now],
    )
    row = connection.execute(
        "select id from registry.signal where provider_id = %s and name = %s",
        [submission.provider_id, submission.name],
    ).fetchone()
    assert row is not None  # noqa: S101 - inserted above
    return int(row[0])


def _check_order(connection: psycopg.Connection[Any], signal_id: int, version: str) -> None:
    rows = connection.execute(
        "select version from registry.version where signal_id = %s"
        " and state not in ('rejected', 'building')",
        [signal_id],
    )
    last = max((_semver(name) for (name,) in rows), default=(-1, 0, 0))
    if _semver(version) <= last:
        newest = "v" + ".".join(map(str, last))
        raise RefusedError(f"{version} is not greater than {newest}: tag a greater version")


def _semver(version: str) -> tuple[int, int, int]:
    match = SEMVER.fullmatch(version)
    if match is None:
        raise RefusedError(f"tag {version!r} is not vMAJOR.MINOR.PATCH, such as v1.0.0")
    major, minor, patch = (int(part) for part in match.groups())
    return major, minor, patch


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


def _reject(connection: psycopg.Connection[Any], version_id: int, why: str, now: datetime) -> None:
    with connection.transaction():
        connection.execute(
            "update registry.version set state = 'rejected', why = %s where id = %s",
            [why, version_id],
        )
        _event(connection, version_id, "rejected", why, None, now)


def _event(
    connection: psycopg.Connection[Any],
    version_id: int,
    state: str,
    why: str,
    actor: uuid.UUID | None,
    now: datetime,
) -> None:
    connection.execute(
        "insert into registry.version_event (version_id, at, actor_id, to_state, why)"
        " values (%s, %s, %s, %s, %s)",
        [version_id, now, actor, state, why],
    )
