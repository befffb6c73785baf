"""What killed pushes leave, put right: at the start, after each push, and every few minutes.

Theory of operation: a push leaves, wherever it is killed, at most

- processes, if the git process itself was killed;
- a quarantine of objects, and lock files of refs;
- a reservation, under which nobody builds any more;
- a tag that git took, whose version has not gone live: `receive-pack` died between
  moving the ref and calling `post-receive`.

While no push runs in a repository (`pushes.py`), all of these are leftovers. A tag
whose version was built is finished, because git would answer "up to date" to
whoever pushes it again; a tag of a version that did not come about is removed.
"""

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from sandbox.git.repository import repository_path
from sandbox.registry.reservation import Reservation, Submission, reject

log = logging.getLogger(__name__)

END_SECONDS = 10
WHY = "its push ended before it was published; push the tag again"
# Repack when there is much of it; what nothing refers to goes after a while.
TIDY = ("-c", "gc.auto=500", "-c", "gc.autoPackLimit=30", "-c", "gc.pruneExpire=1.hour.ago")


@dataclass(frozen=True)
class _Unpublished:
    """A version that is not, or not any more, on its way."""

    reservation: Reservation
    submission: Submission
    is_building: bool
    is_built: bool


def settle(
    connection: psycopg.Connection[Any], root: Path, repository: Path, now: datetime
) -> None:
    """Put one repository right, in which no push is running."""
    provider, name = repository.parent.name, repository.name.removesuffix(".git")
    assert repository == repository_path(root, provider, name)  # noqa: S101 - ours to call rightly
    sweep(repository)
    tags = _tags(repository)
    for version in _unpublished(connection, repository, provider, name):
        _settle_version(connection, version, tags, now)


def sweep(repository: Path) -> None:
    """Remove quarantines, and lock files that would refuse every later push."""
    for folder in (repository / "objects").glob("tmp_objdir-*"):
        shutil.rmtree(folder, ignore_errors=True)
    stale = (
        repository.glob("*.lock"),
        (repository / "refs").rglob("*.lock"),
        (repository / "objects" / "pack").glob("*.keep"),
    )
    for path in (path for paths in stale for path in paths):
        path.unlink(missing_ok=True)


def tidy(repository: Path) -> None:
    """Have git repack a repository that has grown, and forget what nothing refers to."""
    done = subprocess.run(
        ["git", *TIDY, "gc", "--auto", "--quiet"],
        cwd=repository, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1",
             "GIT_CONFIG_GLOBAL": os.devnull},
    )  # fmt: skip
    if done.returncode:
        log.warning("%s could not be repacked: %s", repository, done.stderr.strip())


def end_left_processes(root: Path) -> None:
    """End the processes of pushes that outlived their git process; only at the start of a new one.

    Told to end, a hook frees its reservation and its sandbox; what stays is ended by force.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        for group in set(_groups(root)):
            log.warning("process group %d of a push outlived its git process: %d", group, number)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, number)
        deadline = time.monotonic() + END_SECONDS
        while any(_groups(root)) and time.monotonic() < deadline:
            time.sleep(0.05)


def _groups(root: Path) -> Iterator[int]:
    """Process groups of pushes into `root`, known by their environment."""
    mark = f"SIGNALBOX_PUSH_REPOSITORY={root}/".encode()
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        # Not ours to read, or just gone.
        with contextlib.suppress(OSError):
            told = (process / "environ").read_bytes().split(b"\0")
            if any(one.startswith(mark) for one in told):
                yield os.getpgid(int(process.name))


def _settle_version(
    connection: psycopg.Connection[Any],
    version: _Unpublished,
    tags: dict[str, str],
    now: datetime,
) -> None:
    submission = version.submission
    commit = tags.get(submission.version)
    has_tag = commit == submission.commit
    if version.is_building and version.is_built and has_tag:
        from sandbox.registry.publish import go_live  # noqa: PLC0415 - large, and rarely needed

        try:
            go_live(connection, submission, version.reservation, now)
        except Exception:
            # It is rejected, so that the tag can be pushed again.
            log.exception("%s could not be finished", submission.version)
        else:
            _audit(connection, submission, "its push was killed; finished", now)
            return
    if version.is_building:
        reject(connection, version.reservation, WHY, now)
    if commit is not None:
        _git(submission.repository, "update-ref", "-d", f"refs/tags/{submission.version}")
        _audit(connection, submission, "its version did not come about; tag removed", now)


def _unpublished(
    connection: psycopg.Connection[Any], repository: Path, provider: str, name: str
) -> list[_Unpublished]:
    rows = connection.execute(
        "select v.id, v.version, v.state = 'building', v.commit_sha, v.reserved_at,"
        " v.image_digest is not null, u.id"
        " from registry.version v join registry.signal s on s.id = v.signal_id"
        " join account.user_account u on u.id = s.provider_id"
        " where u.handle = %s and s.name = %s and v.state in ('building', 'rejected')",
        [provider, name],
    ).fetchall()
    return [
        _Unpublished(
            reservation=Reservation(version_id=id_, reserved_at=reserved_at),
            submission=Submission(
                provider_id=provider_id, provider=provider, name=name, version=version,
                commit=commit, repository=repository,
            ),
            is_building=is_building,
            is_built=is_built,
        )
        for id_, version, is_building, commit, reserved_at, is_built, provider_id in rows
    ]  # fmt: skip


def _tags(repository: Path) -> dict[str, str]:
    """Tag to commit; an annotated tag by what it points at."""
    listed = _git(
        repository, "for-each-ref", "--format=%(refname:strip=2) %(objectname) %(*objectname)",
        "refs/tags",
    )  # fmt: skip
    words = (line.split() for line in listed.splitlines())
    return {name: objects[-1] for name, *objects in words}


def _git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=repository, capture_output=True, text=True, check=True
    )
    return done.stdout


def _audit(
    connection: psycopg.Connection[Any], submission: Submission, what: str, now: datetime
) -> None:
    log.warning("%s: %s", submission.label, what)
    nobody: uuid.UUID | None = None  # the platform
    connection.execute(
        "insert into audit.event (at, actor_id, action, subject, detail)"
        " values (%s, %s, 'push.heal', %s, %s)",
        [now, nobody, submission.label, Jsonb({"commit": submission.commit, "what": what})],
    )
