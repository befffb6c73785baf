"""Which schema a database has, and whether this code may work on it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from sql.roles import conninfo

if TYPE_CHECKING:
    from sqlalchemy import URL

MIGRATIONS = Path(__file__).parent / "migrations"


class SchemaError(RuntimeError):
    """The database's schema is not this code's; says which of them to change."""


def newest_migration(scripts: Path = MIGRATIONS) -> str:
    """The migration that this code was written for, such as `0018`."""
    return max(path.name for path in (scripts / "versions").glob("[0-9]*.py")).partition("_")[0]


def end_on_other_schema(database: "URL | str") -> None:
    """At a process' start: end it, in words, on a schema that is not this code's.

    A database that does not answer yet is no reason to end: processes outlive that.
    """
    try:
        with psycopg.connect(conninfo(database)) as connection:
            judge_schema(schema_of(connection), newest_migration())
    except psycopg.OperationalError:
        return
    except SchemaError as error:
        sys.exit(str(error))


def schema_of(connection: psycopg.Connection) -> str | None:
    """The newest migration of a database; None where there was none."""
    row = connection.execute("select to_regclass('alembic_version')").fetchone()
    if row is None or row[0] is None:
        return None
    found = connection.execute("select version_num from alembic_version").fetchone()
    return str(found[0]) if found else None


def judge_schema(there: str | None, ours: str) -> None:
    """Compare the database's migration with the code's.

    Raises:
        SchemaError: they differ.
    """
    if there is None or there < ours:
        raise SchemaError(
            f"the database has schema {there or 'none'}, and this version needs {ours}:"
            " call signalbox migrate, then start it again"
        )
    if there > ours:
        raise SchemaError(
            f"the database has schema {there}, and this version knows {ours}: it was migrated for"
            " a newer version. Start that one; migrations are not taken back"
        )
