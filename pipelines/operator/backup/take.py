"""Take one backup, and drop those that are no longer kept."""

import fcntl
import importlib.metadata
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from sqlalchemy import URL

from pipelines.operator.backup import postgres
from pipelines.operator.backup.base_check import base_faults
from pipelines.operator.backup.copies import copy_images, copy_repositories
from pipelines.operator.backup.manifest import (
    LATEST,
    MANIFEST,
    FileDigest,
    Latest,
    Manifest,
    digests_of,
    faults_of,
    read_manifest,
    sync,
    write_whole,
)
from sql.archive import segments
from sql.clock import Clock

logger = logging.getLogger("signalbox.backup")
PARTIAL, GOING = ".partial", ".going"
# Small files beside the database that say which installation this is.
SINGLE_FILES = ("log-origin", "first-partition", "clock")
FOLDERS = {"git": copy_repositories, "images": copy_images}


@dataclass(frozen=True)
class Source:
    """What is backed up.

    Attributes:
        database: URL of the role `signalbox_backup`.
        folder: the installation's.
    """

    database: URL
    folder: Path


def take(source: Source, target: Path, clock: Clock) -> Manifest:
    """Take a backup into a folder of its own under `target`, and verify it.

    Raises:
        RuntimeError: it could not be taken, for want of room or else; older ones are untouched.
    """
    with _alone(target):
        _sweep(target)
        started = clock()
        name = f"{started:%Y%m%dT%H%M%SZ}"
        if (target / name).exists():
            raise RuntimeError(f"{target / name} is there already: wait a second")
        partial = target / f"{name}{PARTIAL}"
        try:
            manifest = _taken(source, target, partial, name, started, clock)
        except psycopg.Error as error:
            raise RuntimeError(f"the database could not be asked: {error}") from error
        except OSError as error:
            raise RuntimeError(
                f"the backup could not be written: {error}. Older ones are untouched; make room in"
                f" {target} and call it again"
            ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return manifest


def _taken(
    source: Source, target: Path, partial: Path, name: str, started: datetime, clock: Clock
) -> Manifest:
    partial.mkdir(mode=0o700)
    position = postgres.position_of(source.database)
    programs = postgres.programs_of(int(position.postgres.partition(".")[0]))
    base = partial / "postgres"
    postgres.base_backup(source.database, programs, base)
    consistent = postgres.server_time(source.database)
    known = _copied(source.folder, partial, newest(target))
    manifest = Manifest(
        name=name,
        started_at=started,
        consistent_at=consistent,
        finished_at=clock(),
        platform=importlib.metadata.version("signalbox-platform"),
        schema=position.schema,
        postgres=position.postgres,
        log_size=position.log_size,
        checkpoint=position.checkpoint,
        first_wal=postgres.first_segment(base),
        files=digests_of(partial, known),
    )
    sync(partial)
    write_whole(partial / MANIFEST, manifest)
    if faults := verify(partial, manifest):
        raise RuntimeError(f"the backup is not whole: {faults[0]}; {len(faults)} faults in all")
    partial.rename(target / name)
    write_whole(target / LATEST, Latest(manifest.finished_at, name))
    return manifest


def _copied(folder: Path, partial: Path, previous: Manifest | None) -> dict[str, FileDigest]:
    """Copy what lies beside the database; returns what is known to be as in the previous one."""
    for name in SINGLE_FILES:
        if (folder / name).exists():
            shutil.copy2(folder / name, partial / name)
    known: dict[str, FileDigest] = {}
    for name, copied in FOLDERS.items():
        if not (folder / name).is_dir():
            continue
        before = partial.parent / previous.name / name if previous else None
        linked = copied(folder / name, partial / name, before)
        if previous:
            known |= {
                path: previous.files[path]
                for path in (f"{name}/{one}" for one in linked)
                if path in previous.files
            }
    return known


def all_backups(target: Path) -> list[Manifest]:
    """Complete backups, oldest first."""
    folders = sorted(path.parent for path in target.glob(f"*/{MANIFEST}"))
    return [read_manifest(one) for one in folders if one.suffix not in (PARTIAL, GOING)]


def newest(target: Path) -> Manifest | None:
    """The newest complete backup."""
    return next(reversed(all_backups(target)), None)


def verify(folder: Path, manifest: Manifest) -> list[str]:
    """Hash a backup again, and hold it against what Postgres sent; every fault in words."""
    return [*faults_of(folder, manifest), *base_faults(folder / "postgres", manifest)]


def prune(target: Path, keep: int, wal: Path | None) -> list[str]:
    """Drop all but the newest `keep`, and the write-ahead log that only those needed.

    Returns:
        names of what was dropped.
    """
    with _alone(target):
        found = all_backups(target)
        dropped = [manifest.name for manifest in found[:-keep]]
        for name in dropped:
            going = target / f"{name}{GOING}"
            (target / name).rename(going)
            shutil.rmtree(going)
        if wal is not None and wal.is_dir() and found:
            needed = set(segments(wal, found[-keep:][0].first_wal))
            for path in segments(wal):
                if path not in needed:
                    path.unlink()
        return dropped


def _sweep(target: Path) -> None:
    """Remove what a backup that was killed left behind."""
    for suffix in (PARTIAL, GOING):
        for folder in target.glob(f"*{suffix}"):
            logger.warning("removing %s, which was never finished", folder)
            shutil.rmtree(folder)


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    target.mkdir(parents=True, exist_ok=True)
    with (target / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(f"another backup into {target} is under way: wait for it") from None
        yield
