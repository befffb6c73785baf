"""The installation's folders: room on their disks, and who may read the secrets in them."""

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from pipelines.operator.backup.manifest import read_latest
from pipelines.operator.doctor.finding import Finding, miss, ok, warn
from pipelines.operator.home import Home

GB = 1024**3
FREE_GB_WANTED = 5
FREE_SHARE_WANTED = 0.1
BACKUP_AGE_AT_MOST = timedelta(hours=26)
SETTING_SUFFIX = "_FILE"
# Files named by settings that anybody may read.
PUBLIC_FILES = {"SIGNALBOX_DATA_PUBLIC_KEY_FILE"}


def examine_disks(home: Home) -> Iterator[Finding]:
    """Room where the installation writes; each disk once."""
    seen: set[int] = set()
    for folder in _folders(home):
        device = folder.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        yield _room(folder)


def _folders(home: Home) -> list[Path]:
    wanted = [
        home.root, home.images, home.root / "postgres", home.root / "git", home.root / "wal",
        home.root / "backups", Path("/var/tmp"), Path("/tmp"),  # noqa: S108 - where builds go
    ]  # fmt: skip
    there = [folder for folder in wanted if folder.is_dir()]
    return there if home.root.is_dir() else [Path("/var"), *there]


def _room(folder: Path) -> Finding:
    usage = shutil.disk_usage(folder)
    nodes = os.statvfs(folder)
    said = f"{usage.free // GB} GB of {usage.total // GB} GB free under {folder}"
    if nodes.f_files and nodes.f_favail < nodes.f_files * 0.05:
        return warn("disk", f"{said}, hardly any inodes", f"remove small files on {folder}'s disk")
    if usage.free >= FREE_GB_WANTED * GB and usage.free >= usage.total * FREE_SHARE_WANTED:
        return ok("disk", said)
    if usage.free < GB:
        return miss("disk", said, "make room: below 1 GB Postgres and builds stop")
    return warn("disk", said, "make room; see docs/operations/alerts.md, DiskNearlyFull")


def examine_backups(folder: Path, now: datetime) -> Finding:
    """How old the newest complete backup is.

    Args:
        folder: of backups, as `signalbox backup` keeps it.
        now: UTC.
    """
    latest = read_latest(folder)
    if latest is None:
        return warn("backup", f"none in {folder}", "signalbox backup, each day, and to elsewhere")
    age = now - latest.finished_at
    said = f"the newest in {folder} is {age / timedelta(hours=1):.0f} hours old"
    if age <= BACKUP_AGE_AT_MOST:
        return ok("backup", said)
    return warn("backup", said, "see why the daily signalbox backup did not run")


def examine_modes(home: Home, environment: dict[str, str]) -> Iterator[Finding]:
    """Nobody but its owner may read a secret."""
    wrong = [fault for path in _secrets(home, environment) for fault in _faults(path)]
    if wrong:
        yield miss("modes", "; ".join(wrong), "chmod 600 the files and 700 their folder")
    elif home.root.is_dir():
        yield ok("modes", "secrets are for their owners alone")


def _secrets(home: Home, environment: dict[str, str]) -> Iterator[Path]:
    for folder in (home.root / "secrets", home.signer):
        if folder.is_dir():
            yield folder
            try:
                yield from (one for one in sorted(folder.iterdir()) if one.is_file())
            except PermissionError:
                continue
    for name, value in sorted(environment.items()):
        is_ours = name.startswith(("SIGNALBOX_", "DAGSTER_")) and name.endswith(SETTING_SUFFIX)
        if is_ours and name not in PUBLIC_FILES and value:
            yield Path(value)


def _faults(path: Path) -> Iterator[str]:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        yield f"{path} is not there"
        return
    except PermissionError:
        return  # what cannot even be seen is closed enough
    if path.suffix != ".pub" and stat.S_IMODE(mode) & 0o077:
        yield f"{path} has mode {stat.S_IMODE(mode):04o}"
