"""The real thing for every test: Postgres with real migrations and real roles."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL

from sql import embedded
from sql.migrate import migrate
from sql.roles import ALL_ROLES, DATABASE, OWNER, conninfo, create_roles, new_secrets, role_url

SHARED_BARS = Path(__file__).parents[2] / "shared" / "data" / "market"


@dataclass(frozen=True)
class Database:
    """A migrated database of one test, and the URL of each role to it."""

    name: str
    admin: URL
    passwords: dict[str, str]

    def url(self, role: str) -> URL:
        return role_url(self.admin, role, self.passwords[role], self.name)

    def connect(self, role: str) -> psycopg.Connection:
        return psycopg.connect(conninfo(self.url(role)), autocommit=True)

    def superuser(self) -> psycopg.Connection:
        return psycopg.connect(conninfo(self.admin.set(database=self.name)), autocommit=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[tuple[URL, dict[str, str]]]:
    # Not under pytest's tmp_path: as root the server runs as another user, who
    # must be able to walk there, and socket paths are short.
    home = Path(tempfile.mkdtemp(prefix="signalbox-test-", dir="/tmp"))
    home.chmod(0o755)
    server = embedded.start(home)
    passwords = new_secrets()
    create_roles(server.admin, passwords)
    migrate(role_url(server.admin, OWNER, passwords[OWNER]))
    yield server.admin, passwords
    server.stop()
    shutil.rmtree(home)


@pytest.fixture
def database(
    postgres: tuple[URL, dict[str, str]], request: pytest.FixtureRequest
) -> Iterator[Database]:
    admin, passwords = postgres
    name = f"test_{abs(hash(request.node.nodeid)):x}"
    with psycopg.connect(conninfo(admin), autocommit=True) as connection:
        connection.execute(f"create database {name} template {DATABASE} owner {OWNER}")
        for role in ALL_ROLES:
            connection.execute(f"grant connect on database {name} to {role}")
    yield Database(name=name, admin=admin, passwords=passwords)
    with psycopg.connect(conninfo(admin), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def shared_bars() -> Path:
    if not SHARED_BARS.is_dir():
        pytest.skip(f"no real market data at {SHARED_BARS}")
    return SHARED_BARS
