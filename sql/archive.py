"""The write-ahead log's archive: one folder of compressed segments, each whole or absent.

Theory of operation: Postgres calls a shell for each finished segment and recycles it only
when that succeeded. A segment is written beside its name, synced and renamed; one that is
there already with the same bytes counts as done, with others it is an error, because two
clusters would write into one folder. An hour with little traffic is mostly zeros, which
gzip makes small.
"""

import shlex
from pathlib import Path

SUFFIX = ".gz"
# A segment is closed after that even if it is not full: what a lost disk may cost.
ARCHIVE_TIMEOUT = "60s"
TIMELINE_DIGITS = 8
SEGMENT_DIGITS = 24


def archive_command(folder: Path) -> str:
    """Postgres' `archive_command` that keeps segments in `folder`.

    >>> archive_command(Path("/wal")).startswith("if [ -f /wal/%f.gz ]; then gzip -dc /wal/%f.gz")
    True
    """
    place = _quoted(folder)
    kept, new = f"{place}/%f{SUFFIX}", f"{place}/%f.new"
    return (
        f"if [ -f {kept} ]; then gzip -dc {kept} | cmp -s - %p;"
        f" else gzip -1c %p > {new} && sync {new} && mv {new} {kept} && sync {place}; fi"
    )


def restore_command(folder: Path) -> str:
    """Postgres' `restore_command` that reads them again.

    >>> restore_command(Path("/wal"))
    'test -f /wal/%f.gz && gzip -dc /wal/%f.gz > %p'
    """
    kept = f"{_quoted(folder)}/%f{SUFFIX}"
    return f"test -f {kept} && gzip -dc {kept} > %p"


def segments(folder: Path, first: str = "") -> list[Path]:
    """Archived files from segment `first` on, histories of timelines included, oldest first."""
    return [path for path in sorted(folder.glob(f"*{SUFFIX}")) if not is_before(path, first)]


def is_before(path: Path, first: str) -> bool:
    """Is this a segment that a recovery from `first` on does not read, on whatever timeline?

    >>> is_before(Path("000000010000000000000003.gz"), "000000010000000000000004")
    True
    >>> is_before(Path("00000002.history.gz"), "000000010000000000000004")
    False
    """
    name = path.name.partition(".")[0]
    if len(name) != SEGMENT_DIGITS:
        return False
    return name[TIMELINE_DIGITS:] < first[TIMELINE_DIGITS:]


def _quoted(folder: Path) -> str:
    return shlex.quote(str(folder)).replace("%", "%%")
