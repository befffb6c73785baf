"""What a backup consists of: every file with its digest, and what it was taken of."""

import hashlib
import os
import stat
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

MANIFEST, LATEST = "manifest.json", "latest.json"
READ_BYTES = 1024**2


class FileDigest(msgspec.Struct, frozen=True):
    """One file: sha256 of its content, in hexadecimal, and its size; of a link, its target's."""

    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One backup. All times are UTC, by the world's clock.

    Attributes:
        started_at: before the first file was read.
        consistent_at: the earliest instant that the database can be restored to from it.
        finished_at: when everything was copied.
        platform: our version.
        schema: the newest migration.
        postgres: the server's version, such as 16.14.
        log_size: leaves in the log when it began; the database holds these at least.
        checkpoint: the newest signed note then; null: none was signed yet.
        first_wal: name of the segment of the write-ahead log that a recovery begins with.
        files: by path within the backup.
    """

    name: str
    started_at: datetime
    consistent_at: datetime
    finished_at: datetime
    platform: str
    schema: str
    postgres: str
    log_size: int
    checkpoint: str | None
    first_wal: str
    files: dict[str, FileDigest]

    @property
    def bytes(self) -> int:
        """Size of all files, those included that share their place with an older backup's."""
        return sum(file.bytes for file in self.files.values())

    @property
    def postgres_major(self) -> int:
        return int(self.postgres.partition(".")[0])


class Latest(msgspec.Struct, frozen=True):
    """`latest.json`: the newest backup, for whoever watches that there is one."""

    finished_at: Annotated[datetime, msgspec.Meta(tz=True)]
    name: str


def digest_of(path: Path) -> FileDigest:
    """Hash one file, or where a link points."""
    if path.is_symlink():
        target = os.fsencode(path.readlink())
        return FileDigest(hashlib.sha256(target).hexdigest(), len(target))
    with path.open("rb", buffering=0) as file:
        digest = hashlib.file_digest(file, "sha256")
        return FileDigest(digest.hexdigest(), file.tell())


def digests_of(folder: Path, known: dict[str, FileDigest] | None = None) -> dict[str, FileDigest]:
    """Hash every file under a folder but the manifest; `known` ones are taken as they are."""
    known = known or {}
    return {name: known.get(name) or digest_of(folder / name) for name in files_in(folder)}


def files_in(folder: Path) -> Iterator[str]:
    """Paths of files and links under a folder, but the manifest, in order."""
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name != MANIFEST and not stat.S_ISDIR(path.lstat().st_mode):
            yield name


def faults_of(folder: Path, manifest: Manifest) -> list[str]:
    """What is not as the manifest says: missing, altered or added files, each in words."""
    there = set(files_in(folder))
    faults = [f"{name} is missing" for name in sorted(set(manifest.files) - there)]
    faults += [f"{name} is in no manifest" for name in sorted(there - set(manifest.files))]
    faults += [
        f"{name} was altered"
        for name in sorted(there & set(manifest.files))
        if digest_of(folder / name) != manifest.files[name]
    ]
    return faults


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup.

    Raises:
        ValueError: there is none, or it cannot be read.
    """
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise ValueError(f"{folder} is no backup: it has no {MANIFEST}") from None
    except msgspec.MsgspecError as error:
        raise ValueError(f"{folder / MANIFEST} cannot be read: {error}") from error


def read_latest(folder: Path) -> Latest | None:
    """The newest backup that was completed in a folder of backups; None: no word of any."""
    try:
        return msgspec.json.decode((folder / LATEST).read_bytes(), type=Latest)
    except (OSError, msgspec.MsgspecError):
        return None


def write_whole(path: Path, content: msgspec.Struct) -> None:
    """Write a file as JSON: after a crash there is the old one or the new one."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(content), indent=1))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Have the file system of a folder write out what it holds back.

    Raises:
        OSError: it could not; what was written is not safe.
    """
    done = subprocess.run(["sync", "-f", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip())
