"""The real thing for every test: Postgres with real migrations and roles, images, engines."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL
from uv import find_uv_bin

from assets.forecasts.version import PublishedVersion, published_versions
from assets.installation import Installation
from assets.market_data.sample import SampleSource
from assets.market_data.store import ingest
from assets.transparency.publisher.publish import Signed, publish
from assets.transparency.signer.folder import SignerFolder
from assets.transparency.signer.signer import Signer
from sandbox.registry.image import ImageStore
from sandbox.registry.publish import build, go_live
from sandbox.registry.reservation import Submission, reserve
from sandbox.runner.engine import Engine, available_engine
from sandbox.runner.errors import SandboxUnavailableError
from sql import embedded
from sql.migrate import migrate
from sql.roles import (
    ALL_ROLES,
    DATABASE,
    GIT,
    LOG,
    OWNER,
    WORKER,
    conninfo,
    create_roles,
    new_secrets,
    role_url,
)

Cover = Callable[[datetime], Signed | None]

MEMORY = Path("/dev/shm")  # noqa: S108 - folders of ours in it
ROOM_BYTES = 4 << 30
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
    home = Path(tempfile.mkdtemp(prefix="signalbox-test-", dir=_place()))
    home.chmod(0o755)
    server = embedded.start(home)
    _make_quick(server.admin)
    passwords = new_secrets()
    create_roles(server.admin, passwords)
    migrate(role_url(server.admin, OWNER, passwords[OWNER]))
    yield server.admin, passwords
    server.stop()
    shutil.rmtree(home)


def _make_quick(admin: URL) -> None:
    """Each test has a database and connections of its own; none need outlive the machine."""
    quick = {
        "fsync": "off",
        "full_page_writes": "off",
        "max_wal_size": "'256MB'",
        "scram_iterations": "1",  # the passwords are random: nobody guesses them more slowly
    }
    with psycopg.connect(conninfo(admin), autocommit=True) as connection:
        for name, value in quick.items():
            connection.execute(f"alter system set {name} = {value}")
        connection.execute("select pg_reload_conf()")
        # The administrator has a password by now.
        connection.execute("set scram_iterations = 1")
        connection.execute(f"alter role postgres password '{admin.password}'")


def _place() -> str:
    """Memory where there is room: ext4 is slow to make files where many have just gone."""
    is_roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    return str(MEMORY) if is_roomy else "/tmp"  # noqa: S108 - a folder of its own


@pytest.fixture
def database(
    postgres: tuple[URL, dict[str, str]], request: pytest.FixtureRequest
) -> Iterator[Database]:
    with copied(postgres, f"test_{abs(hash(request.node.nodeid)):x}", DATABASE) as copy:
        yield copy


@contextmanager
def copied(postgres: tuple[URL, dict[str, str]], name: str, template: str) -> Iterator[Database]:
    """A database of its own, made of another that nobody is connected to."""
    admin, passwords = postgres
    with psycopg.connect(conninfo(admin), autocommit=True) as connection:
        connection.execute(
            f"create database {name} template {template} owner {OWNER} strategy file_copy"
        )
        connection.execute(f"grant connect on database {name} to {', '.join(ALL_ROLES)}")
    yield Database(name=name, admin=admin, passwords=passwords)
    with psycopg.connect(conninfo(admin), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def cover(database, tmp_path) -> Cover:
    """Have a checkpoint signed over every leaf, as publisher and signer do, dated as given."""
    return covering(database, tmp_path / "signer")


def covering(database: Database, folder: Path) -> Cover:
    """As the fixture `cover`, with the signer's files in a new folder."""
    folder.mkdir()
    signer = SignerFolder(folder)
    signer.prepare("example.org/log")

    def at(now: datetime) -> Signed | None:
        with database.connect(LOG) as connection:
            return publish(connection, Signer(signer, lambda: now), None, now)

    return at


@pytest.fixture(scope="session")
def shared_bars() -> Path:
    if not SHARED_BARS.is_dir():
        pytest.skip(f"no real market data at {SHARED_BARS}")
    return SHARED_BARS


PUBLISHED_AT = datetime(2026, 11, 20, 7, 34, tzinfo=UTC)
SLOT = datetime(2026, 11, 20, 8, tzinfo=UTC)
DELAY = timedelta(minutes=2)

MANIFEST = """
[signal]
name = "{name}"
title = "A model of these tests"
[forecast]
symbols = ["BTCUSDT"]
horizons_hours = [1]
lookback_hours = 48
[runtime]
timeout_seconds = 1
[offer]
price = "5.00"
"""


@pytest.fixture(scope="session")
def image_store() -> Iterator[ImageStore]:
    # Where the sandbox' user can walk to: pytest's own folders are closed to others.
    root = Path(tempfile.mkdtemp(prefix="signalbox-images-", dir="/var/tmp"))
    root.chmod(0o755)
    yield ImageStore(root)
    shutil.rmtree(root)


# One engine, unless all are asked for; the sandbox' own tests take every combination.
ENGINES = (
    ["docker-forked", "embedded"] if os.environ.get("SIGNALBOX_EVERY_ENGINE") else ["embedded"]
)


@pytest.fixture(scope="session", params=ENGINES)
def engine_choice(request: pytest.FixtureRequest) -> dict[str, str]:
    """Arguments of `available_engine`."""
    choice, _, path = request.param.partition("-")
    return {"choice": choice, "path": path or "cold"}


@pytest.fixture(scope="session")
def engine(engine_choice: dict[str, str]) -> Iterator[Engine]:
    try:
        made = available_engine(**engine_choice)
        yield made
        made.close()
    except SandboxUnavailableError as error:
        if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
            pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but: {error}")
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def kit() -> Iterator[Path]:
    """The `bin` of a fresh virtual environment that holds the sdk, pytest, and nothing of ours."""
    root = Path(tempfile.mkdtemp(prefix="signalbox-kit-", dir="/var/tmp"))
    uv, sdk = find_uv_bin(), Path(__file__).parents[1] / "sandbox" / "sdk"
    for command in (
        [uv, "venv", "--quiet", "--python", "/usr/bin/python3.11", str(root / "venv")],
        [uv, "pip", "install", "--quiet", "--python", str(root / "venv"), str(sdk), "pytest"],
    ):
        done = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "UV_SYSTEM_CERTS": "1"},
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    yield root / "venv" / "bin"
    shutil.rmtree(root)


@dataclass
class House:
    """An installation whose clock the test sets."""

    installation: Installation
    publish: Callable[..., PublishedVersion]
    now: list[datetime] = field(default_factory=list)

    def connect(self) -> psycopg.Connection:
        return self.installation.connect()


@pytest.fixture
def house(database, image_store, engine, engine_choice, tmp_path) -> Iterator[House]:
    with opened(database, image_store, engine, engine_choice, tmp_path) as house:
        yield house


@contextmanager
def opened(
    database: Database,
    image_store: ImageStore,
    engine: Engine,
    engine_choice: dict[str, str],
    folder: Path,
) -> Iterator[House]:
    """An installation with two providers and ten days of bars."""
    now = [PUBLISHED_AT]
    providers = {"ada": uuid.uuid4(), "bob": uuid.uuid4()}
    with database.superuser() as connection:
        for handle, id_ in providers.items():
            connection.execute(
                "insert into account.user_account values (%s, %s, %s, 'x', 'member', %s)",
                [id_, handle, f"{handle}@example.org", PUBLISHED_AT],
            )
    made: list[Engine] = []

    def an_engine() -> Engine:
        made.append(available_engine(**engine_choice))
        return made[-1]

    installation = Installation(
        connect=lambda: psycopg.connect(conninfo(database.url(WORKER)), autocommit=True),
        engine=an_engine,
        images=image_store,
        clock=lambda: now[0],
        feed_delay=DELAY,
        live_deadline=timedelta(minutes=10),
        api_url="http://127.0.0.1:8700",
    )
    with installation.connect() as connection:
        ingest(
            connection, SampleSource(("BTCUSDT",)), ["BTCUSDT"], SLOT - timedelta(days=10),
            SLOT, SLOT, is_history=True,
        )  # fmt: skip

    def publish(name: str, app: str, provider: str = "ada") -> PublishedVersion:
        repository = commit(folder / name, name, app)
        submission = Submission(
            provider_id=providers[provider], provider=provider, name=name, version="v1.0.0",
            commit=head(repository), repository=repository,
        )  # fmt: skip
        with psycopg.connect(conninfo(database.url(GIT)), autocommit=True) as connection:
            held = reserve(connection, submission, now[0])
            build(connection, image_store, engine, submission, held, now[0], lambda _: None)
            go_live(connection, submission, held, now[0])
        with installation.connect() as connection:
            return next(v for v in published_versions(connection) if v.name == name)

    yield House(installation, publish, now)
    for one in made:
        one.close()


def commit(folder: Path, name: str, app: str) -> Path:
    """A git repository with one commit that holds a model."""
    folder.mkdir()
    (folder / "signal.toml").write_text(MANIFEST.format(name=name))
    (folder / "app.py").write_text(app)
    for arguments in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "x"],
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return folder


def head(repository: Path) -> str:
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository, check=True, capture_output=True, text=True
    ).stdout.strip()
