"""Dagster's Postgres storage over pooled connections.

The storage of dagster-postgres opens a connection for every statement, some six
to seven for each materialization, and a tick's cost is mostly that. This one
keeps a small pool per process, and writes events in batches (`event_batches.py`).
dagster.yaml names it as the `custom` storage. A URL without a password gets that of
the file DAGSTER_POSTGRES_PASSWORD_FILE; what Dagster hands on to run workers is the
configuration, in which the URL is still a variable's name.
"""

from typing import Any, Self

from dagster._serdes import ConfigurableClassData
from dagster_postgres.storage import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config

from pipelines.dagster_logs import speak
from pipelines.event_batches import BatchingEventLogStorage
from sql.configuration import database_url

PASSWORD_FILE = "DAGSTER_POSTGRES_PASSWORD_FILE"  # noqa: S105 - its name

POOL: dict[str, Any] = {
    "isolation_level": "AUTOCOMMIT",
    "pool_size": 2,
    "max_overflow": 20,
    "pool_recycle": 300,  # seconds
    "pool_pre_ping": True,  # a restarted Postgres costs one retry, not a run
}


class PooledPostgresStorage(DagsterPostgresStorage):
    """As DagsterPostgresStorage, with a pool per kind of storage."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        # The one place of ours that every process of Dagster's comes by.
        speak()
        super().__init__(postgres_url, inst_data=inst_data)
        self._event_log_storage = BatchingEventLogStorage(postgres_url)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine.dispose()  # noqa: SLF001 - no other way in; held to by a test
            storage._engine = create_pg_engine(postgres_url, None, **POOL)  # noqa: SLF001

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """Made by Dagster from dagster.yaml; the parent's hard-codes its own class."""
        url = database_url(pg_url_from_config(config_value), variable=PASSWORD_FILE)
        return cls(postgres_url=url, inst_data=inst_data)
