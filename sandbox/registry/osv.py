"""The OSV format (https://ossf.github.io/osv-schema/): documents, and which versions they mean.

Which versions an advisory is about is decided here, as the schema prescribes; pip-audit leaves
it to the server that it asks (docs/decisions/0013). What cannot be judged counts as affected.
"""

import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ECOSYSTEM = "PyPI"
MAX_ADVISORY_BYTES = 4 * 1024**2


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


class Affected(msgspec.Struct, frozen=True):
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
    affected: tuple[Affected, ...] = ()


@dataclass(frozen=True)
class Documents:
    """What a database says of Python packages.

    Attributes:
        found: `(package, advisory id)` to summary and affected versions, as OSV has them.
        newest: when the newest document was modified.
        digest: sha256 over every document's.
    """

    found: dict[tuple[str, str], tuple[str, list[Any]]]
    newest: datetime | None
    digest: str


def is_affected(version: str, affected: Affected) -> bool:
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


def read_documents(path: Path) -> Documents:
    """Read a zip archive of OSV documents, a folder of them, or a single one.

    Raises:
        ValueError: a document is not OSV, or there is no file.
    """
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
    return Documents(found, newest, f"sha256:{digest.hexdigest()}")


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
