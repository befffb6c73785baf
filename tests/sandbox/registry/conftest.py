"""A real image store, repositories made with git's plumbing, and a provider in a database."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from sandbox.registry.errors import BuildError, LockError
from sandbox.registry.image import ImageStore
from sandbox.registry.lock import Lock, lock
from sandbox.registry.reservation import Submission
from sql.roles import GIT

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
GIT_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}
MANIFEST = """
[signal]
name = "tide"
title = "Tide"
[forecast]
symbols = ["EURUSD"]
horizons_hours = [1]
lookback_hours = 24
[offer]
price = "29.00"
trial_days = 14
"""


@dataclass(frozen=True)
class Registry:
    """An image store with a base, and the runtime's own needs locked and installed."""

    store: ImageStore
    base: str
    locked: Lock
    dependencies: str


def made_in(store: ImageStore) -> Registry:
    try:
        base = store.base()
        locked = lock([], now=datetime.now(UTC), cache=store.cache)
        return Registry(store, base, locked, store.dependencies(locked))
    except (BuildError, LockError) as error:
        reason = f"no Debian mirror or package index within reach: {error}"
        if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
            pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but {reason}")
        pytest.skip(reason)


@pytest.fixture(scope="session")
def registry(image_store) -> Registry:
    return made_in(image_store)


@pytest.fixture(scope="session")
def other_registry(registry) -> Iterator[Registry]:
    """The same, built from nothing elsewhere by somebody whose umask shuts others out."""
    root = Path(tempfile.mkdtemp(prefix="signalbox-other-images-", dir="/var/tmp"))
    before = os.umask(0o077)
    try:
        made = made_in(ImageStore(root / "a longer" / "path"))
    finally:
        os.umask(before)
    assert made.locked == registry.locked, "the index changed between two locks; run it again"
    yield made
    shutil.rmtree(root)


class Plumbing:
    """A bare repository, written object by object: porcelain refuses what attackers send."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._git("init", "--quiet", "--bare", "--initial-branch=main", ".")

    def blob(self, content: bytes | str) -> str:
        data = content.encode() if isinstance(content, str) else content
        return self._git("hash-object", "-w", "--stdin", given=data)

    def tree(self, entries: dict[str, str]) -> str:
        """A tree of `name -> "mode kind sha"`; a plain sha is a file's."""
        lines = b""
        for name, what in entries.items():
            facts = what if " " in what else f"100644 blob {what}"
            lines += f"{facts}\t{name}".encode("utf-8", "surrogateescape") + b"\0"
        return self._git("mktree", "-z", "--missing", given=lines)

    def commit(self, tree: str) -> str:
        return self._git("commit-tree", tree, "-m", "Publish")

    def signal(self, more: dict[str, str] | None = None) -> str:
        """A commit of a plain signal, with `more` entries in its tree."""
        plain = {"signal.toml": self.blob(MANIFEST), "app.py": self.blob("def forecast(w): ...\n")}
        return self.commit(self.tree(plain | (more or {})))

    def _git(self, *arguments: str, given: bytes = b"") -> str:
        self.path.mkdir(exist_ok=True)
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=given,
            capture_output=True,
            check=True,
            env=GIT_ENVIRONMENT,
        )
        return done.stdout.decode().strip()


@pytest.fixture
def plumbing(tmp_path) -> Plumbing:
    return Plumbing(tmp_path / "signal.git")


@pytest.fixture
def submission(database) -> Callable[..., Submission]:
    """`submission("v1.0.0", commit=...)`: a tag pushed by ada, who is in the database."""
    provider_id = uuid.uuid4()
    with database.superuser() as connection:
        connection.execute(
            "insert into account.user_account values (%s, 'ada', 'ada@example.org', 'x', 'member',"
            " now())",
            [provider_id],
        )
        connection.execute(
            "insert into market.instrument (symbol, calendar, is_sample) values"
            " ('EURUSD', 'FX', true), ('GBPUSD', 'FX', true)"
        )

    def made(version: str, commit: str = "c" * 40, repository: Path | None = None) -> Submission:
        return Submission(provider_id, "ada", "tide", version, commit, repository or Path("absent"))

    return made


@pytest.fixture
def as_git(database) -> Iterator[psycopg.Connection]:
    with database.connect(GIT) as connection:
        yield connection
