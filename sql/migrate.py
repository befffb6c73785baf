"""Bring a database to the newest schema: migrations, then policies, functions and grants.

Migrations roll forward only. Policies, functions and grants are whole files, applied
anew each time, so that what a role may do can be read in one place.

Theory of operation: everything happens in one transaction beside processes that go on. Whoever
waits for a table's lock makes all wait that come after; so a migration waits for
`LOCK_TIMEOUT_MS` only, then gives all of its locks back, and tries again a little later.
"""

import logging
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from psycopg.errors import LockNotAvailable
from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from sql.schema import MIGRATIONS, judge_schema, newest_migration

logger = logging.getLogger("signalbox.migrate")
HERE = Path(__file__).parent
LOCK_TIMEOUT_MS = 2000
ATTEMPTS = 20
PAUSE_SECONDS = 3.0


class BlockedMigrationError(RuntimeError):
    """A table was in use for too long; nothing was changed."""


def migrate(
    owner: URL,
    *,
    scripts: Path = MIGRATIONS,
    lock_timeout_ms: int = LOCK_TIMEOUT_MS,
    attempts: int = ATTEMPTS,
    pause: float = PAUSE_SECONDS,
) -> None:
    """Migrate as the owner. Safe to call twice, and from two processes at once.

    Args:
        owner: the URL of the role that owns everything.
        scripts: folder of the migrations.
        lock_timeout_ms: how long a table is waited for.
        attempts: how often a table that is in use is tried.
        pause: seconds between two of them.

    Raises:
        BlockedMigrationError: a table was in use each time.
        SchemaError: the database is newer than this code.
    """
    engine = create_engine(owner)
    try:
        for left in reversed(range(attempts)):
            try:
                with engine.begin() as connection:
                    _migrate(connection, scripts, lock_timeout_ms)
            except OperationalError as error:
                if not isinstance(error.orig, LockNotAvailable):
                    raise
                if not left:
                    raise BlockedMigrationError(
                        f"a table was in use by others {attempts} times, and nothing was changed:"
                        " look in pg_stat_activity for the oldest transaction, end it, and call"
                        f" signalbox migrate again ({error.orig})"
                    ) from error
                logger.warning("a table is in use; trying again in %s s", pause)
                time.sleep(pause)
            else:
                return
    finally:
        engine.dispose()


def _migrate(connection: Connection, scripts: Path, lock_timeout_ms: int) -> None:
    patience = text(f"set local lock_timeout = {lock_timeout_ms}")
    # Another migration is waited for as long as it takes; tables are not.
    connection.execute(text("select pg_advisory_xact_lock(1)"))
    connection.execute(patience)
    _refuse_newer(connection, newest_migration(scripts))
    command.upgrade(_config(connection, scripts), "head")
    # A migration may have set its own.
    connection.execute(patience)
    for folder in ("policies", "functions", "grants"):
        for file in sorted((HERE / folder).glob("*.sql")):
            # Without it a % in a message would be taken for a value's place.
            as_it_is = {"no_parameters": True}
            connection.exec_driver_sql(file.read_text(), execution_options=as_it_is)


def _refuse_newer(connection: Connection, ours: str) -> None:
    if connection.execute(text("select to_regclass('alembic_version')")).scalar() is None:
        return
    there = connection.execute(text("select max(version_num) from alembic_version")).scalar()
    if there is not None and there > ours:
        judge_schema(there, ours)


def _config(connection: Connection, scripts: Path = MIGRATIONS) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.attributes["connection"] = connection
    return config


def revise(owner: URL, message: str) -> None:
    """Write the next migration from the difference between models and database."""
    engine = create_engine(owner)
    with engine.begin() as connection:
        command.revision(_config(connection), message=message, autogenerate=True)
    engine.dispose()
