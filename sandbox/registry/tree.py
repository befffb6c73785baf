"""The tree of a pushed commit: read blob by blob, checked, and digested.

`git archive` would honour attributes that the provider writes; we read objects.
"""

import hashlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.registry.errors import TreeError

MAX_ENTRIES = 500
MAX_LINE_BYTES = 16_384
MAX_FILE_BYTES = 5 * 1024 * 1024
MAX_TREE_BYTES = 20 * 1024 * 1024
FILE_MODES = {"100644": False, "100755": True}
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
NEEDED = ("signal.toml", "app.py")


@dataclass(frozen=True)
class SourceTree:
    """A checked tree: path to `(content, is_executable)`, and its digest."""

    files: dict[str, tuple[bytes, bool]]

    @property
    def digest(self) -> str:
        """sha256 over `mode content-sha256 path` lines, sorted by path."""
        lines = hashlib.sha256()
        for path, (content, is_executable) in sorted(self.files.items()):
            mode = "100755" if is_executable else "100644"
            lines.update(f"{mode} {hashlib.sha256(content).hexdigest()} {path}\n".encode())
        return "sha256:" + lines.hexdigest()

    def text(self, path: str) -> str:
        """A file as UTF-8; empty where it is absent.

        Raises:
            TreeError: it is not UTF-8.
        """
        content, _ = self.files.get(path, (b"", False))
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise TreeError(f"{path}: not UTF-8 text") from None


@dataclass(frozen=True)
class _Entry:
    mode: str
    kind: str
    sha: str
    size: int
    path: str


def read_tree(repository: Path, commit: str) -> SourceTree:
    """Read the whole tree of a commit.

    Raises:
        TreeError: naming the path and the rule.
    """
    entries = _list(repository, commit)
    _check(entries)
    files = {entry.path: (_blob(repository, entry), FILE_MODES[entry.mode]) for entry in entries}
    for path, (content, _) in files.items():
        if content.startswith(LFS_POINTER):
            raise TreeError(f"{path}: a Git LFS pointer; commit the file itself")
    return SourceTree(files)


def _list(repository: Path, commit: str) -> list[_Entry]:
    entries = []
    for number, line in enumerate(_listing(repository, commit), start=1):
        if number > MAX_ENTRIES:
            raise TreeError(f"more than {MAX_ENTRIES} files and folders; commit fewer")
        entry = _entry(line)
        if entry.kind != "tree":
            entries.append(entry)
    return entries


def _listing(repository: Path, commit: str) -> Iterator[bytes]:
    """Git's lines, one by one: a tree that unfolds without end is left in good time."""
    command = ["git", "ls-tree", "-r", "-t", "-z", "-l", "--full-tree", commit]
    with subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE, bufsize=0) as git:
        assert git.stdout is not None  # noqa: S101 - opened as a pipe
        try:
            rest = b""
            while chunk := git.stdout.read(MAX_LINE_BYTES):
                *lines, rest = (rest + chunk).split(b"\0")
                yield from lines
                if len(rest) > MAX_LINE_BYTES:
                    raise TreeError(f"a path is over {MAX_LINE_BYTES} bytes long; shorten it")
            if git.wait() != 0:
                raise TreeError(f"commit {commit} has no readable tree; commit it anew")
        finally:
            git.kill()


def _entry(line: bytes) -> _Entry:
    facts, _, name = line.partition(b"\t")
    mode, kind, sha, size = facts.decode().split()
    try:
        path = name.decode()
    except UnicodeDecodeError:
        raise TreeError(f"{name!r}: file names must be UTF-8") from None
    return _Entry(mode, kind, sha, 0 if size == "-" else int(size), path)


def _check(entries: list[_Entry]) -> None:
    if sum(entry.size for entry in entries) > MAX_TREE_BYTES:
        raise TreeError(f"the tree is over {MAX_TREE_BYTES // 1024**2} MB")
    folded: dict[str, str] = {}
    for entry in entries:
        _check_entry(entry)
        twin = folded.setdefault(entry.path.casefold(), entry.path)
        if twin != entry.path:
            raise TreeError(f"{entry.path}: differs from {twin} only in case; rename one")
    for name in NEEDED:
        if name not in folded.values():
            raise TreeError(f"{name} is missing at the top of the tree; add it")


def _check_entry(entry: _Entry) -> None:
    if entry.mode == "120000":
        raise TreeError(f"{entry.path}: symbolic links are not taken; commit the file")
    if entry.kind == "commit":
        raise TreeError(f"{entry.path}: submodules are not taken; commit the files")
    if entry.mode not in FILE_MODES:
        raise TreeError(f"{entry.path}: mode {entry.mode} is not taken")
    if entry.size > MAX_FILE_BYTES:
        raise TreeError(f"{entry.path}: over {MAX_FILE_BYTES // 1024**2} MB")
    for part in entry.path.casefold().split("/"):
        if part in {".git", "git~1", "..", "."} or part.endswith((" ", ".")) or "\\" in part:
            raise TreeError(f"{entry.path!r}: {part!r} may not be part of a path")


def _blob(repository: Path, entry: _Entry) -> bytes:
    return subprocess.run(
        ["git", "cat-file", "blob", entry.sha], cwd=repository, capture_output=True, check=True
    ).stdout
