"""The secrets of an installation, copied apart from its data.

Who holds a backup and its secrets holds everything: so they never lie in one folder. Of the
signer the keys are copied and its state is not: an older state would sign a second history.
"""

import os
import shutil
from pathlib import Path

SIGNER_KEYS = (".skey", ".retired")


def copy_secrets(folder: Path, target: Path, beside: Path) -> list[str]:
    """Copy `secrets/` and the signer's keys; returns the names of what was copied.

    Raises:
        ValueError: the target lies with the data, or the other way round.
    """
    for one, other in ((target, beside), (beside, target), (target, folder)):
        if one.resolve().is_relative_to(other.resolve()):
            raise ValueError(
                f"secrets must not lie with what they open: {target} and {other} are one place;"
                " name another with --secrets-to"
            )
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = sorted((folder / "secrets").iterdir())
    keys = _keys(sorted((folder / "signer").glob("*")))
    _copy(found, target / "secrets")
    _copy(keys, target / "signer")
    return [str(path.relative_to(folder)) for path in (*found, *keys)]


def restore_secrets(source: Path, folder: Path) -> None:
    """Put them back into an installation's folder; the signer's state stays unknown.

    Raises:
        ValueError: there are none in `source`.
    """
    if not (source / "secrets").is_dir():
        raise ValueError(f"no secrets in {source}: name what --secrets-to wrote")
    for name in ("secrets", "signer"):
        found = sorted((source / name).glob("*"))
        wanted = found if name == "secrets" else _keys(found)
        _copy(wanted, folder / name)
        _keep_owner(source / name, folder / name)


def _keys(files: list[Path]) -> list[Path]:
    """The signer's keys, without its state."""
    return [path for path in files if path.suffix in SIGNER_KEYS]


def _copy(files: list[Path], target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    target.chmod(0o700)
    for path in files:
        copy = target / path.name
        if path.is_dir():  # a folder for each process that has some
            _copy(sorted(path.iterdir()), copy)
            continue
        descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with path.open("rb") as source, os.fdopen(descriptor, "wb") as file:
            shutil.copyfileobj(source, file)
        _keep_owner(path, copy)
    if files:
        _keep_owner(files[0].parent, target)


def _keep_owner(source: Path, target: Path) -> None:
    if os.geteuid() == 0 and source.exists():
        owner = source.stat()
        os.chown(target, owner.st_uid, owner.st_gid)
