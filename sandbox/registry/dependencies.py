"""From `requirements.txt` to a lock that this installation admits."""

from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from sandbox.registry.lock import Lock, lock
from sandbox.registry.packages import check_packages, rules
from sandbox.registry.requirements import parse_requirements
from sandbox.registry.scan import scan


def admitted_lock(
    connection: psycopg.Connection[Any],
    requirements: str,
    *,
    cache: Path,
    is_scan_required: bool,
    now: datetime,
) -> tuple[Lock, dict[str, Any]]:
    """Parse, hold against the operator's list, lock, and look for known weaknesses.

    Wheels newer than `now` are not taken. Returns the lock, and the facts of the scan.

    Raises:
        RefusedError: naming the line or the package.
    """
    wanted = parse_requirements(requirements)
    listed = rules(connection)
    # Once before anything is asked of an index, and once for what the names bring with them.
    check_packages((requirement.name for requirement in wanted), listed)
    locked = lock(wanted, now=now, cache=cache)
    check_packages((package.name for package in locked.packages), listed)
    return locked, scan(connection, locked, is_required=is_scan_required, now=now)
