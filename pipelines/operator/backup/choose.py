"""Which backup leads to an instant, and which instants can be reached."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelines.operator.backup.manifest import Manifest
from sql.archive import segments


@dataclass(frozen=True)
class Choice:
    """What a restoration is made of.

    Attributes:
        base: the database's, from which the write-ahead log leads on.
        copies: repositories and images: of the first backup that ended after the instant, for
            they only grow, so that they hold everything that the database then names.
        wal: archived segments that are replayed on top, oldest first.
    """

    base: Manifest
    copies: Manifest
    wal: list[Path]


def choose(backups: list[Manifest], wal: Path | None, to: datetime | None) -> Choice:
    """Choose for an instant (UTC), or for the newest there is.

    Raises:
        ValueError: no backup is as old as that.
    """
    if not backups:
        raise ValueError("there is no complete backup: name the folder of backups with --from")
    fitting = [one for one in backups if to is None or one.consistent_at <= to]
    if not fitting:
        raise ValueError(
            f"the oldest backup can be restored to {backups[0].consistent_at:%Y-%m-%d %H:%M:%S} UTC"
            " and later: give a later --to"
        )
    later = [one for one in backups if to is not None and one.finished_at >= to]
    base = fitting[-1]
    archived = segments(wal, base.first_wal) if wal is not None and wal.is_dir() else []
    return Choice(base, later[0] if later else backups[-1], archived)


def reach(backups: list[Manifest], wal: Path | None) -> list[tuple[Manifest, float]]:
    """Each backup, and the last time (seconds since 1970) at which a segment was archived after it.

    Without an archive that is the end of the backup itself.
    """
    found = []
    for one in backups:
        archived = segments(wal, one.first_wal) if wal is not None and wal.is_dir() else []
        times = [path.stat().st_mtime for path in archived]
        found.append((one, max([one.consistent_at.timestamp(), *times])))
    return found
