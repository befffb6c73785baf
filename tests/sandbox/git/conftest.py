"""Gates of these tests, and who pushes to them."""

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import docker
import docker.errors
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import URL

from benchmarks.processes import free_port
from sandbox.registry.errors import BuildError, LockError
from sandbox.registry.image import ImageStore
from sandbox.registry.lock import lock
from sandbox.runner.engine import available_engine
from sandbox.runner.errors import SandboxUnavailableError
from sql.roles import ALL_ROLES, DATABASE, GIT, OWNER, conninfo, role_url
from tests.sandbox.git.gate import GitHouse
from tests.sandbox.git.people import Person, Work


@pytest.fixture(scope="session")
def built_store(image_store) -> ImageStore:
    """The shared store with base and runtime in it, so that every push takes seconds."""
    try:
        image_store.base()
        image_store.dependencies(lock([], now=datetime.now(UTC), cache=image_store.cache))
    except (BuildError, LockError) as error:
        _missing(f"no Debian mirror or package index within reach: {error}")
    return image_store


@pytest.fixture(scope="session")
def serve(postgres, built_store) -> Callable[..., contextlib.AbstractContextManager[GitHouse]]:
    """`with serve(engine="docker", push_builds=1) as house`: a git process, its own database."""
    admin, passwords = postgres

    @contextlib.contextmanager
    def served(*, engine: str = "embedded", **settings: int) -> Iterator[GitHouse]:
        try:
            available_engine(engine)
        except SandboxUnavailableError as error:
            _missing(str(error))
        name = f"git_{uuid.uuid4().hex[:12]}"
        home = Path(tempfile.mkdtemp(prefix="signalbox-git-", dir="/var/tmp"))
        home.chmod(0o755)
        with _removed_afterwards(home), _database(admin, name):
            port = free_port()
            url = role_url(admin, GIT, passwords[GIT], name)
            own = {
                "SIGNALBOX_DATABASE_URL": url.render_as_string(hide_password=False),
                "SIGNALBOX_REPOSITORIES": str(home / "repositories"),
                "SIGNALBOX_IMAGE_STORE": str(built_store.root),
                "SIGNALBOX_ENVIRONMENT": "test",
                "SIGNALBOX_SANDBOX_ENGINE": engine,
                "SIGNALBOX_GIT_PORT": str(port),
                "SIGNALBOX_PROVENANCE_KEY_FILE": str(_signing_key(home / "provenance.key")),
                "SIGNALBOX_PUSH_BUILDS": "2",
            }
            own |= {f"SIGNALBOX_{key.upper()}": str(text) for key, text in settings.items()}
            house = GitHouse(port, home, admin.set(database=name), own)
            house.ask(
                "insert into market.instrument (symbol, calendar, is_sample) values"
                " ('EURUSD', 'FX', true), ('GBPUSD', 'FX', true) returning id"
            )
            house.start()
            try:
                yield house
            finally:
                house.stop()
                if engine == "docker":
                    _forget_images(house)

    return served


@pytest.fixture(scope="session")
def house(serve) -> Iterator[GitHouse]:
    """One git process for all tests that look at their own signal only."""
    with serve() as served:
        yield served


@pytest.fixture(scope="session")
def tight(serve) -> Iterator[GitHouse]:
    """A git process that builds one push at a time, and waits for nobody."""
    with serve(
        push_builds=1, push_idle_seconds=2, push_body_seconds=8, push_nonce_seconds=3
    ) as served:  # fmt: skip
        yield served


@pytest.fixture(scope="session")
def ada(house) -> Person:
    return house.person("ada")


@pytest.fixture(scope="session")
def bob(house) -> Person:
    return house.person("bob")


@pytest.fixture
def work(house, ada, request) -> Work:
    """A working copy of a signal that no other test knows."""
    return house.work(ada, f"s-{abs(hash(request.node.nodeid)) % 10**12}")


@contextlib.contextmanager
def _database(admin: URL, name: str) -> Iterator[None]:
    with psycopg.connect(conninfo(admin), autocommit=True) as connection:
        connection.execute(f"create database {name} template {DATABASE} owner {OWNER}")
        for role in ALL_ROLES:
            connection.execute(f"grant connect on database {name} to {role}")
    try:
        yield
    finally:
        with psycopg.connect(conninfo(admin), autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")


@contextlib.contextmanager
def _removed_afterwards(folder: Path) -> Iterator[None]:
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _signing_key(path: Path) -> Path:
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.touch(mode=0o600)
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(*form))
    return path


def _forget_images(house: GitHouse) -> None:
    client = docker.APIClient(version="auto", timeout=60)
    query = "select distinct image_digest from registry.version where image_digest is not null"
    for digest in {*house.loaded, *(digest for (digest,) in house.ask(query))}:
        with contextlib.suppress(docker.errors.ImageNotFound):
            client.remove_image(digest, force=True)
    client.close()


def _missing(reason: str) -> None:
    if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
        pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but {reason}")
    pytest.skip(reason)
