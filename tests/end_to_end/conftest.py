"""One demonstration for all of this folder, and people who look at it in a real browser."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from pipelines.operator.demo_people import Client, Person
from sandbox.runner.engine import Engine
from sql.embedded import write_secret

CHECKOUT = Path(__file__).parents[2]
READY_SECONDS = 480
END_SECONDS = 60
WAIT_MS = 20_000


@dataclass
class Demonstration:
    """`demo-check --hold`, running; `said` is its JSON line."""

    home: Path
    said: dict[str, object]
    environment: dict[str, str]

    @property
    def api(self) -> str:
        return str(self.said["api"])

    def person(self, handle: str) -> Person:
        kept = self.home / "secrets" / f"demo-{handle}.json"
        return msgspec.json.decode(kept.read_bytes(), type=Person)

    def command(self, *words: str) -> str:
        """What `signalbox ...` of this installation prints."""
        return subprocess.run(
            [sys.executable, "-c", "from signalbox.cli import main; main()", *words,
             "--home", str(self.home)],
            env=self.environment, capture_output=True, text=True, check=True, timeout=120,
        ).stdout  # fmt: skip


@dataclass
class Visitor:
    """Somebody's browser; every word on its console that should not be there is kept."""

    context: BrowserContext
    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def goes_to(self, path: str) -> None:
        self.page.goto(self.address + path)

    def logs_in(self, email: str, password: str, path: str = "/") -> None:
        self.goes_to(f"/login?next={path}")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label(re.compile("^Password")).fill(password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(self.address + path)


@pytest.fixture(scope="session")
def engine_choice() -> dict[str, str]:
    return {"choice": "docker", "path": "forked"}


@pytest.fixture(scope="session")
def demonstration(request: pytest.FixtureRequest) -> Iterator[Demonstration]:
    """One of its own; or the one of `make demo` whose folder SIGNALBOX_STORIES_HOME names."""
    there = os.environ.get("SIGNALBOX_STORIES_HOME")
    if there is None:
        yield from _own_demonstration(request.getfixturevalue("engine"))
    else:
        places = {"api": "http://127.0.0.1:8700", "git": "http://127.0.0.1:8701",
                  "dagster": "http://127.0.0.1:8702"}  # fmt: skip
        yield Demonstration(Path(there), places, dict(os.environ))


def _own_demonstration(engine: Engine) -> Iterator[Demonstration]:
    marker = f"signalbox-e2e-{os.getpid()}-{engine.name}-{engine.path}"
    home = Path("/var/tmp") / marker  # noqa: S108 - where the sandbox' user can walk to
    environment = {
        **os.environ,
        **_recorded_bars(),
        "SIGNALBOX_SANDBOX_ENGINE": engine.name,
        "SIGNALBOX_SANDBOX_PATH": engine.path,
    }
    with home.with_suffix(".log").open("w+") as told, subprocess.Popen(
        [sys.executable, "-c", "from signalbox.cli import main; main()",
         "demo-check", "--hold", "--home", str(home)],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=told, text=True,
    ) as running:  # fmt: skip
        try:
            assert running.stdout is not None
            line = running.stdout.readline()
            if not line:
                told.seek(0)
                pytest.fail(told.read()[-3000:])
            yield Demonstration(home, json.loads(line), environment)
        finally:
            assert running.stdin is not None
            running.stdin.close()
            running.wait(END_SECONDS)
            shutil.rmtree(home, ignore_errors=True)
    home.with_suffix(".log").unlink()
    assert running.returncode == 0
    assert processes_with(marker) == []


def processes_with(marker: str) -> list[str]:
    """Command lines of processes whose environment or arguments name `marker`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if marker.encode() in words and int(folder.name) != os.getpid():
            found.append(words.split(b"\0")[0].decode())
    return found


def _recorded_bars() -> dict[str, str]:
    """Real bars where they are to be had, made-up ones elsewhere."""
    folder = CHECKOUT.parent / "shared" / "data" / "market"
    return {"SIGNALBOX_DEMO_BARS": str(folder)} if folder.is_dir() else {}


@pytest.fixture(scope="session")
def operator(demonstration: Demonstration) -> Person:
    """Somebody of this role; made the first time."""
    kept = demonstration.home / "secrets" / "demo-olga.json"
    if not kept.exists():
        person = Client.register(demonstration.api, "olga", secrets.token_urlsafe(12))
        demonstration.command("user", "make-operator", person.email)
        write_secret(kept, msgspec.json.encode(person).decode())
    return demonstration.person("olga")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        reason = "chromium is not on PATH: apt-get install chromium"
        if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
            pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but {reason}")
        pytest.skip(reason)
    # The sandbox of Chromium's own refuses root; the page is ours.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, demonstration):
    """`with visit(width, theme) as visitor`: somebody new, with a browser of their own."""

    @contextmanager
    def visiting(width: int = 1280, theme: str = "light") -> Iterator[Visitor]:
        context = chromium.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=theme,
            reduced_motion="reduce",
            base_url=demonstration.api,
        )
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        visitor = Visitor(context, page, demonstration.api)
        page.on("console", lambda said: _heard(visitor, said.type, said.text))
        page.on("pageerror", lambda error: visitor.complaints.append(f"error: {error}"))
        yield visitor
        context.close()

    return visiting


def _heard(visitor: Visitor, kind: str, text: str) -> None:
    if kind in ("error", "warning"):
        visitor.complaints.append(f"{kind}: {text}")
