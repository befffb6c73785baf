"""What is known of a lock's packages on the day they are built, and whether that forbids them."""

from datetime import datetime, timedelta
from typing import Any

import psycopg

from sandbox.registry.advisories import Database, find_hits, newest_database
from sandbox.registry.errors import LockError
from sandbox.registry.lock import Lock

MAX_AGE = timedelta(days=30)


def scan(
    connection: psycopg.Connection[Any], locked: Lock, *, is_required: bool, now: datetime
) -> dict[str, Any]:
    """Facts to be kept with the version; `said` is for people.

    Args:
        connection: as the git process.
        locked: what is looked up.
        is_required: refuse where there is no database, or none newer than MAX_AGE.
        now: UTC.

    Raises:
        LockError: an advisory is about a locked package, or there is nothing to scan with though
            the operator demands it.
    """
    database = newest_database(connection)
    problem = _problem(database, now)
    if problem and is_required:
        raise LockError(
            f"the packages cannot be scanned: {problem}, and this platform publishes nothing"
            " unscanned; ask its operator to run: signalbox advisories import"
        )
    if database is None:
        return {"is_scanned": False, "said": f"not scanned: {problem}"}
    hits = find_hits(connection, database, locked.packages)
    if hits:
        listed = "\n".join(f"  {hit}" for hit in hits)
        raise LockError(
            f"requirements.txt: {len(hits)} known weaknesses; ask for mended versions:\n{listed}"
        )
    newest = f"{database.newest:%Y-%m-%d}" if database.newest else "an unknown day"
    packages = len(locked.packages)
    return {
        "is_scanned": True,
        "said": f"no known weakness in {packages} packages (advisories up to {newest})"
        + (f"; OLD: {problem}" if problem else ""),
        "database": database.source,
        "imported_at": database.at.isoformat(),
        "newest_advisory": database.newest.isoformat() if database.newest else None,
        "advisories": database.advisories,
    }


def _problem(database: Database | None, now: datetime) -> str | None:
    if database is None:
        return "no database"
    newest = database.newest or database.at
    if now - newest > MAX_AGE:
        return f"its newest advisory is of {newest:%Y-%m-%d}"
    return None
