"""The name `(signal, version)`, held by one push at a time.

`reserve` takes it in a transaction of its own, so that of two pushes of one tag
the second is told so at once. The git process frees the name of a push that died
(`sandbox/git/janitor.py`); where that did not happen it is taken over after a while:
a name is never blocked for ever, and never in use twice.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from sandbox.registry.errors import RefusedError

SEMVER = re.compile(r"v(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")
# Longer than any push may take, waiting for its turn included.
RESERVATION = timedelta(hours=1)


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
class Reservation:
    """A version's name, held for one push; `reserved_at` tells it from a later holder's."""

    version_id: int
    reserved_at: datetime


def reserve(
    connection: psycopg.Connection[Any], submission: Submission, now: datetime
) -> Reservation:
    """Take the version's name, for one push at a time.

    Raises:
        RefusedError: the name is taken, or not greater than the last.
    """
    with connection.transaction():
        signal_id = _signal(connection, submission, now)
        _check_no_other(connection, signal_id, submission.version, now)
        _check_order(connection, signal_id, submission.version)
        row = connection.execute(
            "insert into registry.version (signal_id, version, state, reserved_at, pushed_by,"
            " commit_sha) values (%s, %s, 'building', %s, %s, %s)"
            " on conflict (signal_id, version) do update set state = 'building',"
            " reserved_at = excluded.reserved_at, pushed_by = excluded.pushed_by,"
            " commit_sha = excluded.commit_sha, why = null, image_digest = null,"
            " deterministic = null, leak_report = null"
            " where version.state = 'rejected' or (version.state = 'building'"
            " and version.reserved_at < %s) returning id, reserved_at",
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
        record_event(connection, row[0], "building", "pushed", submission.provider_id, now)
        return Reservation(version_id=row[0], reserved_at=row[1])


def held(connection: psycopg.Connection[Any], submission: Submission) -> Reservation:
    """The reservation under which this commit is being published.

    Raises:
        RefusedError: there is none, or not any more.
    """
    row = connection.execute(
        "select v.id, v.reserved_at from registry.version v"
        " join registry.signal s on s.id = v.signal_id"
        " where s.provider_id = %s and s.name = %s and v.version = %s and v.commit_sha = %s"
        " and v.state = 'building'",
        [submission.provider_id, submission.name, submission.version, submission.commit],
    ).fetchone()
    if row is None:
        raise lost(submission)
    return Reservation(version_id=row[0], reserved_at=row[1])


def lost(submission: Submission) -> RefusedError:
    """What a push is told whose name another one took over, or that took too long."""
    return RefusedError(f"{submission.version} lost its reservation; push it again")


def reject(
    connection: psycopg.Connection[Any], reservation: Reservation, why: str, now: datetime
) -> None:
    """Free the name for another push, unless it was taken over meanwhile."""
    with connection.transaction():
        found = connection.execute(
            "update registry.version set state = 'rejected', why = %s"
            " where id = %s and state = 'building' and reserved_at = %s",
            [why, reservation.version_id, reservation.reserved_at],
        )
        if found.rowcount:
            record_event(connection, reservation.version_id, "rejected", why, None, now)


def record_event(
    connection: psycopg.Connection[Any],
    version_id: int,
    state: str,
    why: str,
    actor: uuid.UUID | None,
    now: datetime,
) -> None:
    """Note a change of state; `actor` is None where the platform made it."""
    connection.execute(
        "insert into registry.version_event (version_id, at, actor_id, to_state, why)"
        " values (%s, %s, %s, %s, %s)",
        [version_id, now, actor, state, why],
    )


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


def _check_no_other(
    connection: psycopg.Connection[Any], signal_id: int, version: str, now: datetime
) -> None:
    """One build of a signal at a time: two at once could go live in the wrong order."""
    connection.execute("select 1 from registry.signal where id = %s for update", [signal_id])
    row = connection.execute(
        "select version from registry.version where signal_id = %s and version <> %s"
        " and state = 'building' and reserved_at >= %s",
        [signal_id, version, now - RESERVATION],
    ).fetchone()
    if row is not None:
        raise RefusedError(f"{row[0]} is being built; push {version} when that push has ended")


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
