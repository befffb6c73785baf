"""The operator's list of packages: what may be in a lock at all.

A denied name is refused wherever it turns up. While the list allows any name, it is closed: only
what it allows may be locked, besides what the runtime itself is made of.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from packaging.utils import InvalidName, canonicalize_name

from sandbox.registry.errors import LockError
from sandbox.registry.lock import RUNTIME_PACKAGES

Verdict = Literal["allow", "deny", "none"]

RULES = """
select name, verdict, why, at from (
  select distinct on (name) name, verdict, why, at from registry.package_rule
  order by name, id desc) newest
where verdict <> 'none' order by name
"""


@dataclass(frozen=True)
class PackageRule:
    """What the operator said last of one package."""

    name: str
    verdict: Verdict
    why: str
    at: datetime


def rules(connection: psycopg.Connection[Any]) -> list[PackageRule]:
    """The list as it stands, by name."""
    return [PackageRule(*row) for row in connection.execute(RULES)]


def add_rule(
    connection: psycopg.Connection[Any], name: str, verdict: Verdict, why: str, now: datetime
) -> str:
    """Put a name on the list, or take it off (`none`); returns the name as it is matched.

    Raises:
        ValueError: it is no name of a package.
    """
    try:
        plain = canonicalize_name(name, validate=True)
    except InvalidName:
        raise ValueError(f"{name!r} is not the name of a package, such as scikit-learn") from None
    connection.execute(
        "insert into registry.package_rule (at, name, verdict, why) values (%s, %s, %s, %s)",
        [now, plain, verdict, why],
    )
    return plain


def check_packages(names: Iterable[str], listed: Iterable[PackageRule]) -> None:
    """Refuse the first name that may not be used.

    Raises:
        LockError: naming the package, and what to do.
    """
    by_name = {rule.name: rule for rule in listed}
    allowed = {name for name, rule in by_name.items() if rule.verdict == "allow"}
    for name in map(canonicalize_name, names):
        rule = by_name.get(name)
        if rule is not None and rule.verdict == "deny":
            reason = f": {rule.why}" if rule.why else ""
            raise LockError(f"requirements.txt: {name} is denied on this platform{reason}")
        if allowed and name not in allowed and name not in RUNTIME_PACKAGES:
            raise LockError(
                f"requirements.txt: {name} is not on this platform's list of allowed packages;"
                " do without it, or ask the operator to run:"
                f" signalbox packages allow {name}"
            )
