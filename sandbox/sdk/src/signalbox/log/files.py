"""Files that must still say tomorrow what they say today.

Written beside, synced, and renamed into place, so that a crash leaves the old or the new
one whole. A digest on the first line shows if the disk kept something else.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from signalbox.log.errors import StateError

OWNER_ONLY = 0o600


def write_sealed(path: Path, body: bytes) -> None:
    """Replace a file, on disk before this returns; only its owner may read it."""
    digest = hashlib.sha256(body).hexdigest().encode()
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(digest + b"\n" + body)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """What was renamed or made in a folder stays so."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_sealed(path: Path) -> bytes:
    """What `write_sealed` wrote.

    Raises:
        StateError: it is torn, or was edited.
        FileNotFoundError: it is not there.
    """
    digest, _, body = path.read_bytes().partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise StateError(
            f"{path} is torn or was edited: restore it from a copy that is certainly the newest;"
            " an older one would forget what was seen"
        )
    return body


def create_private(path: Path, text: str) -> None:
    """Make a file that only its owner may read, and that is not there yet.

    Raises:
        FileExistsError: it is there.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
