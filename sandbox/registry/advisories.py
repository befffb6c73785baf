"""Known weaknesses of packages, matched against a lock.

The operator imports a database in the OSV format; see `osv.py` for what it says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from sandbox.registry.lock import Pinned
from sandbox.registry.osv import ECOSYSTEM, Affected, is_affected, read_documents

NEWEST_IMPORT = """
select id, at, source, newest, advisories from registry.advisory_import order by id desc limit 1
"""
OF_PACKAGES = """
select advisory_id, package, summary, affected from registry.advisory
where import_id = %s and package = any(%s)
  and advisory_id not in (select advisory_id from registry.advisory_acceptance)
order by package, advisory_id
"""


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
        affected = msgspec.convert(raw, tuple[Affected, ...])
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


def accept(connection: psycopg.Connection[Any], advisory_id: str, why: str, now: datetime) -> None:
    """Live with an advisory from now on.

    Raises:
        ValueError: the database has no such advisory, so that a slip of the pen accepts nothing.
    """
    known = connection.execute(
        "select 1 from registry.advisory where advisory_id = %s limit 1", [advisory_id]
    ).fetchone()
    if known is None:
        raise ValueError(
            f"the imported database has no advisory {advisory_id!r}; ids match exactly"
        )
    connection.execute(
        "insert into registry.advisory_acceptance (at, advisory_id, why) values (%s, %s, %s)",
        [now, advisory_id, why],
    )


def import_advisories(connection: psycopg.Connection[Any], path: Path, now: datetime) -> Database:
    """Take in a database; it replaces the one before as a whole, or not at all.

    Args:
        connection: as the owner.
        path: a zip archive of OSV documents, a folder of them, or a single one.
        now: UTC.

    Raises:
        ValueError: a document is not OSV, or none is about a Python package.
    """
    documents = read_documents(path)
    found = documents.found
    if not found:
        raise ValueError(
            f"{path} holds no advisory about a package of {ECOSYSTEM}; take the all.zip of OSV's"
            f" ecosystem {ECOSYSTEM}"
        )
    with connection.transaction():
        row = connection.execute(
            "insert into registry.advisory_import (at, source, digest, newest, advisories)"
            " values (%s, %s, %s, %s, %s) returning id",
            [
                now,
                path.name,
                documents.digest,
                documents.newest,
                len({advisory_id for _, advisory_id in found}),
            ],
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
