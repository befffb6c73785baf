"""What a cosigner holds against a log: notes that the log signed, leaves that it showed."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from signalbox.log.files import create_private, sync_folder

MAX_CASES = 1000


class EvidenceFolder:
    """One folder per case; a case is kept once, and never changed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """The cases."""
        if not self._path.is_dir():
            return []
        return sorted(one.name for one in self._path.iterdir() if not one.name.startswith("."))

    def read(self, name: str) -> dict[str, str]:
        """The files of a case."""
        return {one.name: one.read_text() for one in sorted((self._path / name).iterdir())}

    def has(self, name: str) -> bool:
        """Is this case kept already?"""
        return (self._path / name).is_dir()

    def keep(self, name: str, files: Mapping[str, str]) -> None:
        """Keep a case whole, unless it is there or there are more than enough."""
        if self.has(name) or len(self.names()) >= MAX_CASES:
            return
        self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
        making = Path(tempfile.mkdtemp(prefix=".", dir=self._path))
        try:
            for file_name, text in files.items():
                create_private(making / file_name, text)
            making.rename(self._path / name)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        sync_folder(self._path)
