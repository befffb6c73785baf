"""The web interface as it was built, read once per process."""

import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "subscriber_ui" / "dist"
INDEX = "index.html"
ASSETS = "assets"
NONCE = b"__CSP_NONCE__"


@dataclass(frozen=True)
class File:
    """`packed`: the same by gzip; None where that is not worth it."""

    content: bytes
    packed: bytes | None
    media_type: str


@cache
def assets(folder: Path = FOLDER) -> dict[str, File]:
    """By their name under /assets/; none while nothing is built."""
    return {
        file.name: File(file.read_bytes(), _packed(file), _media_type(file))
        for file in sorted((folder / ASSETS).glob("*"))
        if file.suffix != ".gz"
    }


@cache
def page(folder: Path = FOLDER) -> bytes | None:
    """The page that every address of the interface begins with; None: nothing is built."""
    index = folder / INDEX
    return index.read_bytes() if index.is_file() else None


def _packed(file: Path) -> bytes | None:
    beside = file.with_name(f"{file.name}.gz")
    return beside.read_bytes() if beside.is_file() else None


def _media_type(file: Path) -> str:
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"
