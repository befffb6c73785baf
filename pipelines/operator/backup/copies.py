"""Copies folders that others write to: repositories and images.

Files that are in the previous backup unchanged share their place on the disk with it.
Within a repository objects are copied last: whatever a ref names then is there, because git
writes a push's objects before its refs. Loose refs come before packed ones, because git
packs a ref before it drops the loose one.
"""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

TRIES = 3
# Objects of pushes that are still on their way.
ON_THE_WAY = ("incoming-", "tmp_")
LAST = {"objects": 2, "packed-refs": 1}


class VanishedError(RuntimeError):
    """A file went while it was copied: git packed the repository anew."""


@dataclass
class Copy:
    """One folder's copy.

    Attributes:
        linked: paths, within the copy, that share their place with the previous backup's.
    """

    source: Path
    target: Path
    previous: Path | None = None
    skip: Callable[[Path], bool] = lambda _: False
    linked: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Copy everything.

        Raises:
            VanishedError: a file that was listed is gone.
        """
        self._folder(Path())

    def _folder(self, inside: Path) -> None:
        target = self.target / inside
        target.mkdir(parents=True, exist_ok=True)
        try:
            entries = sorted(os.scandir(self.source / inside), key=_order)
        except FileNotFoundError:
            raise VanishedError(str(inside)) from None
        for entry in entries:
            if not self.skip(inside / entry.name):
                self._entry(inside / entry.name)
        _keep_status(self.source / inside, target)

    def _entry(self, inside: Path) -> None:
        source = self.source / inside
        try:
            status = source.lstat()
            if stat.S_ISDIR(status.st_mode):
                self._folder(inside)
            elif stat.S_ISLNK(status.st_mode):
                (self.target / inside).symlink_to(source.readlink())
            elif stat.S_ISREG(status.st_mode) and not self._link(inside, status):
                shutil.copyfile(source, self.target / inside)
                _keep_status(source, self.target / inside)
        except FileNotFoundError:
            raise VanishedError(str(inside)) from None

    def _link(self, inside: Path, status: os.stat_result) -> bool:
        """Share the previous backup's file where it is this one."""
        if self.previous is None:
            return False
        before = self.previous / inside
        try:
            known = before.lstat()
            same = ("st_size", "st_mtime_ns", "st_mode", "st_uid", "st_gid")
            if any(getattr(known, name) != getattr(status, name) for name in same):
                return False
            os.link(before, self.target / inside, follow_symlinks=False)
        except OSError:  # not there, or a file system without links
            return False
        self.linked.add(str(inside))
        return True


def copy_images(source: Path, target: Path, previous: Path | None) -> set[str]:
    """Copy the image store without its cache of wheels; see `Copy.linked`."""
    return _retried(Copy(source, target, previous, lambda path: path == Path("wheels")))


def copy_repositories(source: Path, target: Path, previous: Path | None) -> set[str]:
    """Copy every repository, and have git look whether each is whole; see `Copy.linked`.

    Raises:
        RuntimeError: a copy is not whole, or could not be made.
    """
    linked = _retried(Copy(source, target, previous, _is_on_the_way))
    for head in sorted(target.rglob("HEAD")):
        if (head.parent / "objects").is_dir():
            _check(head.parent)
    return linked


def _retried(copy: Copy) -> set[str]:
    for _ in range(TRIES):
        try:
            copy.run()
        except VanishedError:
            shutil.rmtree(copy.target)
            copy.linked.clear()
        else:
            return copy.linked
    raise RuntimeError(f"{copy.source} changed while it was copied, {TRIES} times; try again later")


def _check(repository: Path) -> None:
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "fsck", "--connectivity-only", "--no-dangling"],
        cwd=repository, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(
            f"{repository.name} is not whole in the copy: {done.stderr.strip()}; look at the"
            " repository itself with git fsck"
        )


def _is_on_the_way(path: Path) -> bool:
    of_a_push = path.parent.name == "objects" and path.name.startswith(ON_THE_WAY)
    return of_a_push or path.suffix == ".lock"


def _order(entry: os.DirEntry[str]) -> tuple[int, str]:
    return LAST.get(entry.name, 0), entry.name


def _keep_status(source: Path, target: Path) -> None:
    shutil.copystat(source, target)
    if os.geteuid() == 0:
        owner = source.stat()
        os.chown(target, owner.st_uid, owner.st_gid)
