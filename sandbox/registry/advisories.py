"""Known weaknesses of packages, matched against a lock.

The operator imports a database in the OSV format (https://ossf.github.io/osv-schema/): one JSON
document per advisory, in a zip archive, a folder or a single file. Which versions an advisory is
about is decided here, as that schema prescribes; pip-audit leaves it to the server that it asks
(docs/decisions/0013). What cannot be judged counts as affected: the scan fails closed.
"""

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from psycopg.types.json import Jsonb

from sandbox.registry.lock import Pinned

ECOSYSTEM = "PyPI"
MAX_ADVISORY_BYTES = 4 * 1024**2

NEWEST_IMPORT = """
select id, at, source, newest, advisories from registry.advisory_import order by id desc limit 1
"""
OF_PACKAGES = """
select advisory_id, package, summary, affected from registry.advisory
where import_id = %s and package = any(%s)
  and advisory_id not in (select advisory_id from registry.advisory_acceptance)
order by package, advisory_id
"""


class _Event(msgspec.Struct, frozen=True):
    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None


class _Range(msgspec.Struct, frozen=True):
    type: str
    events: tuple[_Event, ...] = ()


class _Package(msgspec.Struct, frozen=True):
    name: str
    ecosystem: str


class _Affected(msgspec.Struct, frozen=True):
    package: _Package | None = None
    ranges: tuple[_Range, ...] = ()
    versions: tuple[str, ...] = ()


class Advisory(msgspec.Struct, frozen=True):
    """What of an OSV document is used."""

    id: str
    modified: datetime
    withdrawn: datetime | None = None
    summary: str = ""
    details: str = ""
    affected: tuple[_Affected, ...] = ()


@dataclass(frozen=True)
class Database:
    """The newest import."""

    id: int
    at: datetime
    source: str
    newest: datetime | None
    advisories: int


@dataclass(frozen=True)
class Hit:
    """A locked package that an advisory is about."""

    advisory_id: str
    package: Pinned
    summary: str
    fixed: tuple[str, ...]

    def __str__(self) -> str:
        mend = f"; mended in {', '.join(self.fixed)}" if self.fixed else ""
        what = f" ({self.summary[:160]})" if self.summary else ""
        return f"{self.package.name} {self.package.version}: {self.advisory_id}{what}{mend}"


def newest_database(connection: psycopg.Connection[Any]) -> Database | None:
    """What is matched against; None where the operator imported nothing."""
    row = connection.execute(NEWEST_IMPORT).fetchone()
    return Database(*row) if row else None


def find_hits(
    connection: psycopg.Connection[Any], database: Database, packages: Sequence[Pinned]
) -> list[Hit]:
    """Every advisory that is about one of these packages and that the operator did not accept."""
    by_name = {package.name: package for package in packages}
    hits = []
    for advisory_id, name, summary, raw in connection.execute(
        OF_PACKAGES, [database.id, list(by_name)]
    ):
        affected = msgspec.convert(raw, tuple[_Affected, ...])
        if any(is_affected(by_name[name].version, one) for one in affected):
            fixed = {
                event.fixed
                for one in affected
                for span in one.ranges
                if span.type == "ECOSYSTEM"
                for event in span.events
                if event.fixed
            }
            hits.append(Hit(advisory_id, by_name[name], summary, tuple(sorted(fixed))))
    return hits


def is_affected(version: str, affected: _Affected) -> bool:
    """OSV's evaluation: listed, or inside a range; true also where nothing can be compared."""
    spans = [span for span in affected.ranges if span.type == "ECOSYSTEM"]
    if not spans and not affected.versions:
        return True
    try:
        ours = Version(version)
        listed = any(_is(ours, one) for one in affected.versions)
        return listed or any(_is_inside(ours, span) for span in spans)
    except InvalidVersion:
        return True


def _is(ours: Version, text: str) -> bool:
    try:
        return Version(text) == ours
    except InvalidVersion:
        # Releases of old that PEP 440 does not know; ours is one that it does.
        return False


def _is_inside(ours: Version, span: _Range) -> bool:
    """Walk the events in the order of their versions; raises InvalidVersion."""
    limits = [Version(e.limit) for e in span.events if e.limit and e.limit != "*"]
    if limits and all(ours >= limit for limit in limits):
        return False
    inside = False
    for at, kind in sorted(_moments(span)):
        if kind == "introduced" and ours >= at:
            inside = True
        elif (kind == "fixed" and ours >= at) or (kind == "last_affected" and ours > at):
            inside = False
    return inside


def _moments(span: _Range) -> Iterator[tuple[Version, str]]:
    for event in span.events:
        if event.introduced is not None:
            first = "0.dev0" if event.introduced == "0" else event.introduced
            yield Version(first), "introduced"
        if event.fixed is not None:
            yield Version(event.fixed), "fixed"
        if event.last_affected is not None:
            yield Version(event.last_affected), "last_affected"


def import_advisories(connection: psycopg.Connection[Any], path: Path, now: datetime) -> Database:
    """Take in a database; it replaces the one before as a whole, or not at all.

    Args:
        connection: as the owner.
        path: a zip archive of OSV documents, a folder of them, or a single one.
        now: UTC.

    Raises:
        ValueError: a document is not OSV, or none is about a Python package.
    """
    found, newest, digest = _read(path)
    if not found:
        raise ValueError(
            f"{path} holds no advisory about a package of {ECOSYSTEM}; take the all.zip of OSV's"
            f" ecosystem {ECOSYSTEM}"
        )
    with connection.transaction():
        row = connection.execute(
            "insert into registry.advisory_import (at, source, digest, newest, advisories)"
            " values (%s, %s, %s, %s, %s) returning id",
            [now, path.name, digest, newest, len({advisory_id for _, advisory_id in found})],
        ).fetchone()
        assert row is not None  # noqa: S101 - inserted above
        connection.execute("delete from registry.advisory where import_id <> %s", [row[0]])
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into registry.advisory (import_id, package, advisory_id, summary, affected)"
                " values (%s, %s, %s, %s, %s)",
                [
                    (row[0], package, advisory_id, summary, Jsonb(affected))
                    for (package, advisory_id), (summary, affected) in found.items()
                ],
            )
    database = newest_database(connection)
    assert database is not None  # noqa: S101 - inserted above
    return database


def _read(path: Path) -> tuple[dict[tuple[str, str], tuple[str, list[Any]]], datetime | None, str]:
    """Affected versions by package and advisory, the newest change, and the digest of it all."""
    found: dict[tuple[str, str], tuple[str, list[Any]]] = {}
    newest: datetime | None = None
    digest = hashlib.sha256()
    for name, content in _documents(path):
        digest.update(hashlib.sha256(content).digest())
        try:
            advisory = msgspec.json.decode(content, type=Advisory)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: {name} is not an OSV document: {error}") from None
        newest = advisory.modified if newest is None else max(newest, advisory.modified)
        if advisory.withdrawn is not None:
            continue
        summary = advisory.summary or advisory.details.partition("\n")[0]
        for affected in advisory.affected:
            if affected.package is None or affected.package.ecosystem != ECOSYSTEM:
                continue
            key = (canonicalize_name(affected.package.name), advisory.id)
            said = msgspec.to_builtins(affected)
            found.setdefault(key, (summary[:500], []))[1].append(
                {"ranges": said["ranges"], "versions": said["versions"]}
            )
    return found, newest, f"sha256:{digest.hexdigest()}"


def _documents(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every JSON document, by name, in order."""
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            yield file.name, _bounded(file.name, file.read_bytes())
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for info in sorted(archive.infolist(), key=lambda entry: entry.filename):
                if info.filename.endswith(".json"):
                    with archive.open(info) as packed:
                        content = packed.read(MAX_ADVISORY_BYTES + 1)
                    yield info.filename, _bounded(info.filename, content)
    elif path.is_file():
        yield path.name, _bounded(path.name, path.read_bytes())
    else:
        raise ValueError(f"no file {path}")


def _bounded(name: str, content: bytes) -> bytes:
    if len(content) > MAX_ADVISORY_BYTES:
        raise ValueError(f"{name} is over {MAX_ADVISORY_BYTES // 1024**2} MB: no advisory is")
    return content
