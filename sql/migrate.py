"""Bring a database to the newest schema: migrations, then policies, functions and grants.

Migrations roll forward only. Policies, functions and grants are whole files, applied
anew each time, so that what a role may do can be read in one place.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, create_engine, text

HERE = Path(__file__).parent


def migrate(owner: URL) -> None:
    """Migrate as the owner. Safe to call twice, and from two processes at once."""
    engine = create_engine(owner)
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(1)"))
            command.upgrade(_config(connection), "head")
            for folder in ("policies", "functions", "grants"):
                for file in sorted((HERE / folder).glob("*.sql")):
                    # Without it a % in a message would be taken for a value's place.
                    as_it_is = {"no_parameters": True}
                    connection.exec_driver_sql(file.read_text(), execution_options=as_it_is)
    finally:
        engine.dispose()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE / "migrations"))
    config.attributes["connection"] = connection
    return config


def revise(owner: URL, message: str) -> None:
    """Write the next migration from the difference between models and database."""
    engine = create_engine(owner)
    with engine.begin() as connection:
        command.revision(_config(connection), message=message, autogenerate=True)
    engine.dispose()
