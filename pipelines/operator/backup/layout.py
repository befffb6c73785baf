"""Lay a restored installation out in an empty folder, ready for Postgres to recover."""

import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelines.operator.backup.choose import Choice
from pipelines.operator.backup.copies import Copy
from pipelines.operator.backup.secrets import restore_secrets
from pipelines.operator.backup.take import SINGLE_FILES
from sql.archive import restore_command

# Segments to replay: copies, so that the archive itself is only ever read.
REPLAYED = "restored-wal"
RECOVERY = """
# Written by signalbox restore.
restore_command = '{command}'
recovery_target_timeline = '{timeline}'
recovery_target_action = 'promote'
"""


@dataclass(frozen=True)
class Order:
    """What is asked for.

    Attributes:
        backups: folder of the backups.
        secrets: what `--secrets-to` wrote.
        home: folder of the installation to be; empty or absent.
        to: recover up to that instant (UTC); None: to the end of what was archived.
        timeline: which history of the write-ahead log to follow: `latest`, or its number.
    """

    backups: Path
    secrets: Path
    home: Path
    to: datetime | None = None
    timeline: str = "latest"


def lay_out(order: Order, choice: Choice, owner: tuple[int, int] | None) -> None:
    """Put everything in its place.

    Args:
        order: what is asked for.
        choice: what it is made of.
        owner: user and group of the Postgres that will recover; None: whoever calls.

    Raises:
        ValueError: the folder is not empty, or there are no secrets.
        RuntimeError: it could not be written; what was put there is removed again.
    """
    refuse_full(order.home)
    try:
        _laid_out(order, choice, owner)
    except OSError as error:
        shutil.rmtree(order.home, ignore_errors=True)
        raise RuntimeError(
            f"{order.home} could not be written: {error}. Nothing is left there; make room, and"
            " call it again"
        ) from error


def refuse_full(home: Path) -> None:
    """Nothing that is there is ever written over.

    Raises:
        ValueError: something is there.
    """
    if home.exists() and any(home.iterdir()):
        raise ValueError(
            f"{home} is not empty: move it aside, it may hold the newest leaves and the signer's"
            " state; or name another folder with --home"
        )


def _laid_out(order: Order, choice: Choice, owner: tuple[int, int] | None) -> None:
    home, base = order.home, order.backups / choice.base.name
    copies = order.backups / choice.copies.name
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o755)
    restore_secrets(order.secrets, home)
    for name in ("git", "images"):
        if (copies / name).is_dir():
            Copy(copies / name, home / name).run()
    for name in SINGLE_FILES:
        if (base / name).exists():
            shutil.copy2(base / name, home / name)
    data, replayed = home / "postgres", home / REPLAYED
    Copy(base / "postgres", data).run()
    replayed.mkdir()
    for segment in choice.wal:
        shutil.copyfile(segment, replayed / segment.name)
    _ask_to_recover(data, replayed, order)
    for folder in (data, replayed):
        _give(folder, owner)
        folder.chmod(0o700)


def _ask_to_recover(data: Path, replayed: Path, order: Order) -> None:
    text = RECOVERY.format(
        command=restore_command(replayed).replace("'", "''"), timeline=order.timeline
    )
    if order.to is not None:
        text += f"recovery_target_time = '{order.to.isoformat()}'\n"
    with (data / "postgresql.auto.conf").open("a") as file:
        file.write(text)
    (data / "recovery.signal").touch()
    # Of the server that was copied: these name its processes.
    for name in ("postmaster.opts", ".handle_pids.json"):
        (data / name).unlink(missing_ok=True)


def _give(folder: Path, owner: tuple[int, int] | None) -> None:
    if owner is None or os.geteuid() != 0:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, *owner, follow_symlinks=False)
