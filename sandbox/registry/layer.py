"""Layers: deterministic tar files, kept by the sha256 of their bytes.

Equal content gives equal bytes on any machine: entries sorted, owner 0:0,
modification time 0, modes reduced to 0755 and 0644. A layer is kept twice:
as the tar (Docker loads it) and unpacked (bubblewrap mounts it).
"""

import contextlib
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.registry.errors import BuildError

COPY_BYTES = 1024**2


@dataclass(frozen=True)
class LayerStore:
    """Layers under `root`: `<hex>.tar`, and unpacked in `<hex>/`."""

    root: Path

    def tar(self, digest: str) -> Path:
        return self.root / f"{_hex(digest)}.tar"

    def folder(self, digest: str) -> Path:
        return self.root / _hex(digest)

    def has(self, digest: str) -> bool:
        return self.tar(digest).exists() and self.folder(digest).exists()

    def add_folder(self, folder: Path) -> str:
        """Keep a folder's content as a layer and return its digest; the folder is moved."""
        with self._new_tar() as (name, archive):
            _add_content(archive, folder)
        return self._keep(name, folder)

    def unpacked_digest(self, digest: str) -> str | None:
        """What the unpacked layer really holds, as a digest; None where it is not there."""
        if not self.folder(digest).is_dir():
            return None
        sink: Any = _Sha256Sink()
        with tarfile.TarFile(
            fileobj=sink, mode="w", format=tarfile.GNU_FORMAT, copybufsize=COPY_BYTES
        ) as archive:
            _add_content(archive, self.folder(digest))
        return f"sha256:{sink.sha256.hexdigest()}"

    def tar_digest(self, digest: str) -> str | None:
        """The same of its tar, which Docker loads."""
        try:
            with self.tar(digest).open("rb") as file:
                return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        except FileNotFoundError:
            return None

    def add_files(self, files: Mapping[str, tuple[bytes, bool]]) -> str:
        """Keep files given by path, as `(content, is_executable)`."""
        with self.workspace() as folder:
            for path, (content, is_executable) in files.items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
                target.chmod(0o755 if is_executable else 0o644)
            return self.add_folder(folder)

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Path]:
        """A scratch folder on the store's own file system, removed afterwards."""
        self.root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="new-", dir=self.root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def _new_tar(self) -> Iterator[tuple[Path, tarfile.TarFile]]:
        self.root.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix="new-", suffix=".tar", dir=self.root)
        path = Path(name)
        try:
            with (
                os.fdopen(descriptor, "wb") as file,
                tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive,
            ):
                yield path, archive
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _keep(self, tar: Path, folder: Path) -> str:
        with tar.open("rb") as file:
            digest = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        _open_for_reading(folder)
        tar.chmod(0o644)  # run workers hash it, backups copy it: neither is who built it
        # Two builders of one layer: whoever comes second finds the same content in place.
        with contextlib.suppress(OSError):
            folder.rename(self.folder(digest))
        tar.rename(self.tar(digest))
        return digest


def compile_python(folder: Path, *, inside: str) -> None:
    """Write .pyc files that are trusted as they are: no source check, no time stamp.

    Args:
        folder: what to compile.
        inside: where it will stand in the image, for tracebacks.
    """
    result = subprocess.run(
        [
            sys.executable, "-I", "-m", "compileall", "-q", "-j", "2",
            "--invalidation-mode", "unchecked-hash",
            "-s", str(folder), "-p", inside, "-x", r"/(tests?|lib2to3|idlelib)/", str(folder),
        ],
        capture_output=True, text=True, check=False, env={"PYTHONHASHSEED": "0"},
    )  # fmt: skip
    # A wheel may carry templates that are no valid Python: they stay uncompiled.
    if result.returncode not in (0, 1):
        raise BuildError(f"compiling {inside} failed: {result.stderr[-500:]}")


class _Sha256Sink(io.RawIOBase):
    """A file that keeps nothing but the hash of what was written."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()
        self._position = 0

    def write(self, chunk: Any, /) -> int:
        self.sha256.update(chunk)
        self._position += len(chunk)
        return len(chunk)

    def tell(self) -> int:
        return self._position


def _add_content(archive: tarfile.TarFile, folder: Path) -> None:
    for path in sorted(folder.rglob("*"), key=lambda p: p.relative_to(folder).as_posix()):
        _add_path(archive, path, path.relative_to(folder).as_posix())


def _add_path(archive: tarfile.TarFile, path: Path, name: str) -> None:
    info = tarfile.TarInfo(name)
    if path.is_symlink():
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
        archive.addfile(info)
    elif path.is_dir():
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(info)
    elif path.is_file():
        info.size = path.stat().st_size
        info.mode = _mode(path)
        with path.open("rb") as file:
            archive.addfile(info, file)


def _mode(path: Path) -> int:
    return 0o755 if path.stat().st_mode & 0o100 else 0o644


def _open_for_reading(folder: Path) -> None:
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else _mode(path))


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """A small deterministic tar in memory."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in sorted(files):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(files[name]), 0o644
            archive.addfile(info, io.BytesIO(files[name]))
    return buffer.getvalue()


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")
