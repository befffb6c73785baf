"""One Postgres role per process, each with its own secret.

The owner migrates and is used by nothing that runs. What each of the others
may do stands in `grants/<role>.sql`. The model's role has no login: the worker
takes it on for each read of what a model is given.
"""

import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

# A connection knows the types that were registered before it was opened.
from sql import arrays  # noqa: F401 - registers them

if TYPE_CHECKING:
    # Slow to load, and a hook of git starts twice for each push.
    from sqlalchemy import URL

OWNER = "signalbox_owner"
API = "signalbox_api"
GIT = "signalbox_git"
WORKER = "signalbox_worker"
MODEL = "signalbox_model"
LOG = "signalbox_log"
METRICS = "signalbox_metrics"
# Copies the whole cluster by replication; of rows it reads the log's size and checkpoint alone.
BACKUP = "signalbox_backup"
DAGSTER = "signalbox_dagster"
PROCESS_ROLES = (API, GIT, WORKER, LOG, METRICS)
ALL_ROLES = (OWNER, *PROCESS_ROLES, BACKUP, DAGSTER)

DATABASE = "signalbox"
DAGSTER_DATABASE = "dagster"
WATCH_DAGSTER = Path(__file__).with_name("watch_dagster.sql")


def new_secrets() -> dict[str, str]:
    """A random password per role."""
    return {role: secrets.token_urlsafe(32) for role in ALL_ROLES}


def create_roles(admin: "URL", passwords: dict[str, str]) -> None:
    """Create roles and both databases where they are missing, and set the passwords.

    Args:
        admin: a role that may create roles and databases.
        passwords: by role name.
    """
    with psycopg.connect(conninfo(admin), autocommit=True) as connection:
        for role in ALL_ROLES:
            _create_role(connection, role, passwords[role])
        _create_model_role(connection)
        _create_database(connection, DATABASE, OWNER)
        _create_database(connection, DAGSTER_DATABASE, DAGSTER)
        connection.execute(
            sql.SQL("revoke connect on database {} from public").format(sql.Identifier(DATABASE))
        )
        for role in ALL_ROLES[:-1]:
            connection.execute(
                sql.SQL("grant connect on database {} to {}").format(
                    sql.Identifier(DATABASE), sql.Identifier(role)
                )
            )
    _watch_dagster(admin)


def _watch_dagster(admin: "URL") -> None:
    """Let the exporter count Dagster's runs, by functions of Dagster's own role."""
    url = admin.set(database=DAGSTER_DATABASE)
    with psycopg.connect(conninfo(url), autocommit=True) as connection, connection.transaction():
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(DAGSTER)))
        connection.execute(WATCH_DAGSTER.read_bytes())


def _create_role(connection: psycopg.Connection, role: str, password: str) -> None:
    known = connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone()
    verb = sql.SQL("alter" if known else "create")
    replicates = "replication" if role == BACKUP else "noreplication"
    rights = sql.SQL("login nosuperuser nocreatedb nocreaterole nobypassrls " + replicates)
    connection.execute(
        sql.SQL("{} role {} {} password {}").format(
            verb, sql.Identifier(role), rights, sql.Literal(password)
        )
    )


def _create_model_role(connection: psycopg.Connection) -> None:
    model, worker = sql.Identifier(MODEL), sql.Identifier(WORKER)
    if not connection.execute("select 1 from pg_roles where rolname = %s", [MODEL]).fetchone():
        connection.execute(sql.SQL("create role {} nologin").format(model))
    # Without inheriting: as itself the worker may not call what the model's role may.
    connection.execute(sql.SQL("alter role {} noinherit").format(worker))
    connection.execute(sql.SQL("grant {} to {}").format(model, worker))


def _create_database(connection: psycopg.Connection, name: str, owner: str) -> None:
    if connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
        return
    # An admin that is no superuser must be a member of the role it gives a database to.
    connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(owner)))
    connection.execute(
        sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(owner))
    )


def role_url(admin: "URL", role: str, password: str, database: str | None = None) -> "URL":
    """The URL by which a role connects; to its own database unless another is named."""
    database = database or (DAGSTER_DATABASE if role == DAGSTER else DATABASE)
    driver = "postgresql+psycopg2" if role == DAGSTER else "postgresql+psycopg"
    return admin.set(drivername=driver, username=role, password=password, database=database)


def conninfo(url: "URL | str") -> str:
    """A libpq connection string of an SQLAlchemy URL."""
    text = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    return re.sub(r"^postgresql\+\w+:", "postgresql:", text)
