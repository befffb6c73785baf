"""The git process as it runs in production, and people who push to it with git."""

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import docker
import docker.errors
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import URL

from sandbox.registry.errors import BuildError, LockError
from sandbox.registry.image import ImageStore
from sandbox.registry.lock import lock
from sandbox.runner.engine import available_engine
from sandbox.runner.errors import SandboxUnavailableError
from sql.api_key import new_key
from sql.roles import ALL_ROLES, DATABASE, GIT, OWNER, conninfo, role_url

CHECKOUT = Path(__file__).parents[3]
PUSH_SECONDS = 120
MANIFEST = """
[signal]
name = "{name}"
title = "A model of these tests"
[forecast]
symbols = ["EURUSD"]
horizons_hours = [1]
lookback_hours = 24
[runtime]
timeout_seconds = 30
memory_mb = 512
[offer]
price = "29.00"
currency = "EUR"
trial_days = 14
"""
APP = """
from signalbox import Forecast

def forecast(window):
    return [Forecast("EURUSD", horizon_hours=1, point=0.0)]
"""


@dataclass(frozen=True)
class Pushed:
    """What the pusher is left with."""

    status: int
    text: str

    @property
    def refused(self) -> bool:
        return self.status != 0


@dataclass(frozen=True)
class Person:
    id: uuid.UUID
    handle: str
    key: str


class Work:
    """One provider's working copy of one signal."""

    def __init__(self, folder: Path, url: str, person: Person, name: str) -> None:
        self.folder, self.url, self.person, self.name = folder, url, person, name
        folder.mkdir(parents=True)
        ask = folder.with_suffix(".ask")
        ask.write_text('#!/bin/sh\ncase "$1" in User*) echo "$PUSHER";; *) echo "$KEY";; esac\n')
        ask.chmod(0o700)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder.parent),
            "GIT_ASKPASS": str(ask),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": person.handle,
            "GIT_AUTHOR_EMAIL": f"{person.handle}@example.org",
            "GIT_COMMITTER_NAME": person.handle,
            "GIT_COMMITTER_EMAIL": f"{person.handle}@example.org",
            "LC_ALL": "C.UTF-8",
            "PUSHER": person.handle,
            "KEY": person.key,
        }
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, given: bytes | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=self.environment,
            input=given,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout.decode().strip()

    def commit(self, files: dict[str, str | bytes] | None = None, *, tag: str | None = None) -> str:
        """Commit a plain signal, with `files` instead of or besides its own."""
        plain = {"signal.toml": MANIFEST.format(name=self.name), "app.py": APP}
        for name, content in (plain | (files or {})).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Publish")
        if tag is not None:
            self.git("tag", "--force", tag)
        return self.git("rev-parse", "HEAD")

    def start_push(self, *refs: str) -> subprocess.Popen:
        return subprocess.Popen(
            ["git", "push", self.url, *refs],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def push(self, *refs: str) -> Pushed:
        with self.start_push(*refs) as running:
            text, _ = running.communicate(timeout=PUSH_SECONDS)
            return Pushed(running.returncode, text)

    def remote_refs(self) -> dict[str, str]:
        listed = self.git("ls-remote", self.url).splitlines()
        return {ref: sha for sha, ref in (line.split("\t") for line in listed) if ref != "HEAD"}


@dataclass
class GitHouse:
    """The git process, its database and its repositories."""

    url: str
    host: str
    port: int
    root: Path
    home: Path
    pid: int
    admin: URL
    loaded: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def superuser(self) -> psycopg.Connection:
        return psycopg.connect(conninfo(self.admin), autocommit=True)

    def ask(self, query: str, *values: object) -> list[tuple]:
        with self.superuser() as connection:
            return connection.execute(query, values).fetchall()

    def person(self, handle: str, *scopes: str) -> Person:
        person_id = uuid.uuid4()
        self.ask(
            "insert into account.user_account values (%s, %s, %s, 'x', 'member', now())"
            " returning id",
            person_id, handle, f"{handle}@example.org",
        )  # fmt: skip
        return self.with_key(Person(person_id, handle, ""), *(scopes or ("read", "push")))

    def with_key(self, person: Person, *scopes: str, ended: str | None = None) -> Person:
        """The same person with a new key; `ended` is `revoked_at` or `expires_at`, if it has."""
        key = new_key("test")
        self.ask(
            "insert into account.api_key (id, user_id, name, secret_sha256, scopes, created_at)"
            " values (%s, %s, 'test', %s, %s, now()) returning id",
            key.id, person.id, key.secret_sha256, list(scopes),
        )  # fmt: skip
        if ended is not None:
            self.ask(
                f"update account.api_key set {ended} = now() - interval '1 second'"
                " where id = %s returning id",
                key.id,
            )
        return Person(person.id, person.handle, key.text)

    def work(self, person: Person, name: str) -> Work:
        """A new working copy; two of one signal are two people's computers."""
        folder = self.home / "work" / f"{name}-{next(self.numbers)}"
        url = f"{self.url}/git/{person.handle}/{name}.git"
        return Work(folder, url, person, name)

    def versions(self, name: str) -> dict[str, str]:
        return dict(
            self.ask(
                "select v.version, v.state from registry.version v"
                " join registry.signal s on s.id = v.signal_id where s.name = %s",
                name,
            )
        )

    def repository(self, person: Person, name: str) -> Path:
        return self.root / person.handle / f"{name}.git"

    def is_serving(self) -> bool:
        with contextlib.closing(socket.create_connection((self.host, self.port), 5)) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return b" 200 " in connection.recv(1024)

    def workers(self) -> list[str]:
        """Command lines of what the git process started and what still runs of it."""
        found = []
        for process in Path("/proc").iterdir():
            if not process.name.isdecimal() or int(process.name) == self.pid:
                continue
            with contextlib.suppress(OSError):
                told = (process / "environ").read_bytes()
                if f"SIGNALBOX_REPOSITORIES={self.root}".encode() in told:
                    found.append((process / "cmdline").read_text().replace("\0", " "))
        return found


def eventually(is_so: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.1)
    return is_so()


@pytest.fixture(scope="session")
def until() -> Callable[..., bool]:
    return eventually


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
    """`with serve(engine="docker") as house`: a git process over a database of its own."""
    admin, passwords = postgres

    @contextlib.contextmanager
    def served(*, engine: str = "embedded") -> Iterator[GitHouse]:
        try:
            available_engine(engine)
        except SandboxUnavailableError as error:
            _missing(str(error))
        name = f"git_{uuid.uuid4().hex[:12]}"
        home = Path(tempfile.mkdtemp(prefix="signalbox-git-", dir="/var/tmp"))
        home.chmod(0o755)
        with _removed_afterwards(home), _database(admin, name):
            port = _free_port()
            url = role_url(admin, GIT, passwords[GIT], name)
            settings = {
                "SIGNALBOX_DATABASE_URL": url.render_as_string(hide_password=False),
                "SIGNALBOX_REPOSITORIES": str(home / "repositories"),
                "SIGNALBOX_IMAGE_STORE": str(built_store.root),
                "SIGNALBOX_ENVIRONMENT": "test",
                "SIGNALBOX_SANDBOX_ENGINE": engine,
                "SIGNALBOX_GIT_PORT": str(port),
                "SIGNALBOX_PROVENANCE_KEY_FILE": str(_signing_key(home / "provenance.key")),
            }
            with _process(settings, home / "log") as process:
                house = GitHouse(
                    url=f"http://127.0.0.1:{port}", host="127.0.0.1", port=port,
                    root=home / "repositories", home=home, pid=process.pid,
                    admin=admin.set(database=name),
                )  # fmt: skip
                assert eventually(lambda: _answers(house)), (home / "log").read_text()
                house.ask(
                    "insert into market.instrument (symbol, calendar, is_sample) values"
                    " ('EURUSD', 'FX', true), ('GBPUSD', 'FX', true) returning id"
                )
                try:
                    yield house
                finally:
                    if engine == "docker":
                        _forget_images(house)

    return served


@pytest.fixture(scope="session")
def house(serve) -> Iterator[GitHouse]:
    """One git process for all tests that look at their own signal only."""
    with serve() as served:
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


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def _process(settings: dict[str, str], log: Path) -> Iterator[subprocess.Popen]:
    inherited = {key: text for key, text in os.environ.items() if "SIGNALBOX" not in key}
    with (
        log.open("w") as output,
        subprocess.Popen(
            [sys.executable, "-m", "sandbox.git"],
            cwd=CHECKOUT,
            env={**inherited, **settings},
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def _forget_images(house: GitHouse) -> None:
    client = docker.APIClient(version="auto", timeout=60)
    query = "select distinct image_digest from registry.version where image_digest is not null"
    for digest in {*house.loaded, *(digest for (digest,) in house.ask(query))}:
        with contextlib.suppress(docker.errors.ImageNotFound):
            client.remove_image(digest, force=True)
    client.close()


def _answers(house: GitHouse) -> bool:
    try:
        return house.is_serving()
    except OSError:
        return False


def _missing(reason: str) -> None:
    if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
        pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but {reason}")
    pytest.skip(reason)
