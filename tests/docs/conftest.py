"""The provider's pages, command by command: a real platform, and the kit alone."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from benchmarks.processes import free_port
from sandbox.registry.errors import BuildError, LockError
from sandbox.registry.lock import lock
from sandbox.registry.requirements import parse_requirements
from sql.roles import ALL_ROLES, API, DATABASE, GIT, OWNER, conninfo, role_url

CHECKOUT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"
EMAIL = "ada@example.org"
# As the documents write them.
API_URL, GIT_URL = "http://127.0.0.1:8700", "http://127.0.0.1:8701"
HOME = "/home/ada"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What is another each time: digests, commits, the present, how long it took.
VARYING = {
    re.compile(r"sha256:[0-9a-f]{64}"): "sha256:" + "5e" * 32,
    re.compile(r"sha256:[0-9a-f]{12}(?![0-9a-f])"): "sha256:" + "5e" * 6,
    re.compile(
        r"20(?!25-1|26-01-0)\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?"
    ): "2026-11-21 09:00",
    re.compile(r"\b[0-9a-f]{7}\.\.[0-9a-f]{7}\b"): "c0ffee1..c0ffee2",
    re.compile(r"\d+\.\d\ds\b"): "1.23s",
    re.compile(r"lock        \d+ wheels"): "lock        4 wheels",
    re.compile(r"leaf        \d+"): "leaf        17",
}


@dataclass(frozen=True)
class Platform:
    api_url: str
    git_url: str


@pytest.fixture(scope="session")
def platform(postgres, image_store) -> Iterator[Platform]:
    """The API and the git process over one database, and ada, who has an account."""
    try:
        image_store.base()
        locked = lock(
            parse_requirements("polars>=1.30"), now=datetime.now(UTC), cache=image_store.cache
        )
        image_store.dependencies(locked)
    except (BuildError, LockError) as error:
        reason = f"no Debian mirror or package index within reach: {error}"
        if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    admin, passwords = postgres
    name = f"docs_{uuid.uuid4().hex[:12]}"
    home = Path(tempfile.mkdtemp(prefix="signalbox-docs-", dir="/var/tmp"))
    home.chmod(0o755)
    ports = {role: free_port() for role in (API, GIT)}
    urls = {role: f"http://127.0.0.1:{port}" for role, port in ports.items()}
    (home / "secret").write_text("0123456789abcdef" * 4)
    common = {
        "SIGNALBOX_ENVIRONMENT": "test",
        "SIGNALBOX_SECRET_KEY_FILE": str(home / "secret"),
        "SIGNALBOX_API_PORT": str(ports[API]),
        "SIGNALBOX_GIT_PORT": str(ports[GIT]),
        "SIGNALBOX_API_URL": urls[API],
        "SIGNALBOX_GIT_URL": urls[GIT],
        "SIGNALBOX_REPOSITORIES": str(home / "repositories"),
        "SIGNALBOX_IMAGE_STORE": str(image_store.root),
        "SIGNALBOX_SANDBOX_ENGINE": "embedded",
    }
    with contextlib.ExitStack() as running:
        running.callback(shutil.rmtree, home, ignore_errors=True)
        with psycopg.connect(conninfo(admin), autocommit=True) as connection:
            connection.execute(f"create database {name} template {DATABASE} owner {OWNER}")
            for role in ALL_ROLES:
                connection.execute(f"grant connect on database {name} to {role}")
        running.callback(_drop, admin, name)
        with psycopg.connect(conninfo(admin.set(database=name)), autocommit=True) as connection:
            connection.execute(
                "insert into market.instrument (symbol, calendar, is_sample)"
                " values ('EURUSD', 'FX', true)"
            )
        for role, module in ((API, "api"), (GIT, "sandbox.git")):
            url = role_url(admin, role, passwords[role], name)
            own = {"SIGNALBOX_DATABASE_URL": url.render_as_string(hide_password=False)}
            running.enter_context(_process(module, common | own, home / f"{module}.log"))
            _wait(f"{urls[role]}/healthz", home / f"{module}.log")
        account = {"email": EMAIL, "password": PASSWORD, "handle": "ada"}
        httpx.post(f"{urls[API]}/v1/auth/register", json=account).raise_for_status()
        yield Platform(urls[API], urls[GIT])


class Terminal:
    """Runs the console blocks of a page as ada would, and compares what they print."""

    def __init__(self, platform: Platform, kit: Path, home: Path) -> None:
        self._platform, self._home, self._folder = platform, home, home
        self._environment = {
            "PATH": f"{kit}:{os.environ['PATH']}",
            "HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "ada",
            "GIT_AUTHOR_EMAIL": EMAIL,
            "GIT_COMMITTER_NAME": "ada",
            "GIT_COMMITTER_EMAIL": EMAIL,
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "100",
        }
        (home / "password").write_text(PASSWORD + "\n")

    def run(self, command: str) -> str:
        """What a command prints, with this run's addresses and numbers made the document's."""
        text = command.replace(API_URL, self._platform.api_url)
        done = subprocess.run(
            ["bash", "-c", f"{text}\nstatus=$?; pwd > {self._home}/.pwd; exit $status"],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        self._folder = Path((self._home / ".pwd").read_text().strip())
        said = done.stdout.replace("\x1b[K", "")
        for ours, theirs in (
            (self._platform.api_url, API_URL),
            (self._platform.git_url, GIT_URL),
            (str(self._home), HOME),
        ):
            said = said.replace(ours, theirs)
        lines = [line.rstrip() for line in said.splitlines()]
        if done.returncode != 0:
            lines.append(f"[exit {done.returncode}]")
        return "".join(f"{line}\n" for line in lines)

    def rewritten(self, page: str) -> str:
        """The page with the output of each of its commands as it is now."""
        return BLOCK.sub(lambda block: f"```console\n{self._block(block[1])}```", page)

    def _block(self, block: str) -> str:
        told = ""
        for command in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
            told += f"$ {command}\n{same(self.run(command))}"
        return told


def same(text: str) -> str:
    """Text without what is another each time."""
    for pattern, fixed in VARYING.items():
        text = pattern.sub(fixed, text)
    return text


@pytest.fixture
def terminal(platform, kit, tmp_path) -> Terminal:
    return Terminal(platform, kit, tmp_path)


@contextlib.contextmanager
def _process(module: str, settings: dict[str, str], log: Path) -> Iterator[None]:
    inherited = {key: text for key, text in os.environ.items() if "SIGNALBOX" not in key}
    with (
        log.open("w") as output,
        subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=CHECKOUT,
            env={**inherited, **settings},
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def _wait(url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def _drop(admin, name: str) -> None:
    with psycopg.connect(conninfo(admin), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")
