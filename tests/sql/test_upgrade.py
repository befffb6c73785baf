"""Upgrades beside processes that go on: nobody waits long, none works on a wrong schema."""

import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from api.settings import ApiSettings
from sql.migrate import BlockedMigrationError, migrate
from sql.roles import API, GIT, LOG, OWNER, WORKER, conninfo
from sql.schema import MIGRATIONS, SchemaError, newest_migration, schema_of
from tests.api.server import serving

REPORT_SECONDS = 4.0
NEXT = """
from alembic import op

revision = "9999"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table registry.signal add column next_years_field text")
"""
PROCESSES = {
    "api": ("api", API),
    "git": ("sandbox.git", GIT),
    "log": ("assets.transparency.publisher", LOG),
    "code server": ("pipelines.code_server", WORKER),
}


@pytest.fixture
def next_version(tmp_path) -> Path:
    """Migrations of a version that is newer by one."""
    scripts = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, scripts)
    (scripts / "versions" / "9999_next.py").write_text(NEXT.format(before=newest_migration()))
    return scripts


@contextmanager
def reading(database, seconds: float):
    """A report that holds a table for so long: whoever wants it alone has to wait."""
    started = threading.Event()

    def hold() -> None:
        with database.connect(API) as connection, connection.transaction():
            connection.execute("select count(*) from registry.signal")
            started.set()
            time.sleep(seconds)

    reader = threading.Thread(target=hold)
    reader.start()
    started.wait()
    yield
    reader.join()


def test_the_running_version_serves_on_while_the_next_one_migrates_behind_a_long_report(
    database, next_version, tmp_path
):
    key = tmp_path / "key"
    key.write_text("k" * 48)
    settings = ApiSettings(
        database_url=database.url(API).render_as_string(hide_password=False),
        secret_key_file=str(key),
    )
    answers: list[tuple[int, float]] = []
    stopped = threading.Event()

    def ask(url: str) -> None:
        with httpx.Client(timeout=30) as client:
            while not stopped.is_set():
                began = time.monotonic()
                status = client.get(f"{url}/v1/signals?q=w{len(answers)}").status_code
                answers.append((status, time.monotonic() - began))

    with serving(settings, SIGNALBOX_RATE_LIMITS="off") as url:
        people = [threading.Thread(target=ask, args=(url,)) for _ in range(2)]
        for one in people:
            one.start()
        with reading(database, REPORT_SECONDS):
            migrate(database.url(OWNER), scripts=next_version, lock_timeout_ms=500, pause=0.3)
        asked = len(answers)
        time.sleep(0.5)
        stopped.set()
        for one in people:
            one.join()
    assert {status for status, _ in answers} == {200}
    assert len(answers) > asked  # on the next version's schema too
    assert max(seconds for _, seconds in answers) < REPORT_SECONDS - 0.5  # nobody waited for it
    with database.superuser() as connection:
        assert schema_of(connection) == "9999"


def test_a_migration_that_finds_its_table_in_use_gives_up_in_words_and_changes_nothing(
    database, next_version
):
    before = newest_migration()
    with (
        reading(database, 1),
        pytest.raises(BlockedMigrationError, match="look in pg_stat_activity for the oldest"),
    ):
        migrate(database.url(OWNER), scripts=next_version, lock_timeout_ms=100, attempts=1)
    with database.superuser() as connection:
        assert schema_of(connection) == before


def test_no_process_starts_on_a_schema_that_it_was_not_written_for(database, tmp_path):
    with database.superuser() as connection:
        connection.execute("update alembic_version set version_num = '0001'")
    key = tmp_path / "key"
    key.write_text("k" * 48)
    started = {
        name: subprocess.Popen(
            [sys.executable, "-m", module], stderr=subprocess.PIPE, text=True,
            env={
                "SIGNALBOX_DATABASE_URL": database.url(role).render_as_string(hide_password=False),
                "SIGNALBOX_ENVIRONMENT": "test",
                "SIGNALBOX_SECRET_KEY_FILE": str(key),
                "SIGNALBOX_REPOSITORIES": str(tmp_path),
                "SIGNALBOX_IMAGE_STORE": str(tmp_path),
                "SIGNALBOX_SIGNER_SOCKET": str(tmp_path / "socket"),
            },
        )
        for name, (module, role) in PROCESSES.items()
    }  # fmt: skip
    for process in started.values():
        _, said = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "the database has schema 0001, and this version needs" in said.splitlines()[-1]
        assert "call signalbox migrate" in said.splitlines()[-1]


def test_migrating_a_newer_database_with_older_code_is_refused(database):
    with database.superuser() as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    with pytest.raises(SchemaError, match="migrations are not taken back"):
        migrate(database.url(OWNER))


def test_no_role_but_the_owner_moves_the_schemas_number(database):
    for role in (API, GIT, LOG, WORKER):
        with (
            psycopg.connect(conninfo(database.url(role)), autocommit=True) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("update alembic_version set version_num = '9999'")
