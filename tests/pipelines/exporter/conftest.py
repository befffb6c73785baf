"""An exporter over a real database, and rows as the platform writes them."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipelines.exporter.reader import Reader
from pipelines.exporter.settings import ExporterSettings
from sql.roles import DAGSTER, METRICS, conninfo, role_url
from tests.api.conftest import Factory

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]

PAGE = Path(__file__).parents[3] / "docs" / "operations" / "metrics.md"


def figures(text: bytes) -> Figures:
    """By name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def documented() -> set[str]:
    """Names on the page, of ours."""
    return set(re.findall(r"`(signalbox_\w+)`", PAGE.read_text()))


@pytest.fixture
def make(database, cover) -> Iterator[Factory]:
    with database.superuser() as connection:
        yield Factory(connection, cover)


@pytest.fixture
def settings(database, tmp_path) -> ExporterSettings:
    return ExporterSettings(
        database_url=database.url(METRICS).render_as_string(hide_password=False),
        environment="test",
        exporter_keep_seconds=0,
        watched_folders=str(tmp_path),
        backups=str(tmp_path),
        code_port=1,
    )


@pytest.fixture
def read(settings) -> Callable[[], Figures]:
    reader = Reader(settings)
    return lambda: figures(reader.written())


@pytest.fixture
def dagster_tables(postgres) -> Iterator[psycopg.Connection]:
    """Dagster's database, as Dagster's role, with its own tables; emptied afterwards."""
    with dagster_at_work(*postgres) as connection:
        yield connection


@contextmanager
def dagster_at_work(admin, passwords) -> Iterator[psycopg.Connection]:
    from dagster_postgres.storage import DagsterPostgresStorage  # noqa: PLC0415 - slow

    url = role_url(admin, DAGSTER, passwords[DAGSTER])
    DagsterPostgresStorage(url.render_as_string(hide_password=False))
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        yield connection
        connection.execute("delete from daemon_heartbeats; delete from runs")
