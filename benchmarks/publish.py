"""How long from `git push` to live, and where the time goes.

The git process as it runs in production, an embedded Postgres, and a provider who pushes version
after version of a numpy and polars signal with git. The first push builds base and lock; the
others find them and are what `seconds` is the median of. A step's time is that between the
`remote:` lines as the pusher sees them.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psycopg

from benchmarks.processes import free_port, wait
from pipelines.operator.home import CHECKOUT, Home, Ports
from sql import embedded
from sql.api_key import new_key
from sql.migrate import migrate
from sql.roles import DATABASE, GIT, conninfo, create_roles

MANIFEST = """
[signal]
name = "trend"
title = "Trend"
[forecast]
symbols = ["BTCUSDT", "ETHUSDT", "EURUSD"]
horizons_hours = [1, 4]
lookback_hours = 500
[offer]
price = "5.00"
"""
APP = """
import numpy as np
import polars as pl

from signalbox import Forecast

VERSION = {number}


def forecast(window):
    rows = []
    for symbol in window.symbols:
        mean = window.bars(symbol).select(pl.col("close").tail(24).mean()).item()
        last = window.numpy(symbol, "close")[-1]
        rows += [Forecast(symbol, hours, float(np.log(mean / last)) / 10) for hours in (1, 4)]
    return rows
"""


def main() -> None:
    """Print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pushes", type=int, default=5, help="warm ones")
    parser.add_argument("--engine", default="auto", choices=["auto", "docker", "embedded"])
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    options = parser.parse_args()
    with _git_process(options.engine) as (url, folder):
        work = _Work(folder / "work", url)
        cold, _ = work.publish(0)
        warm = [work.publish(number) for number in range(1, options.pushes + 1)]
    seconds = [total for total, _ in warm]
    steps = {
        name: round(statistics.median(one.get(name, 0.0) for _, one in warm), 3)
        for name in warm[0][1]
    }
    result = {
        "seconds": round(statistics.median(seconds), 3),
        "slowest_seconds": round(max(seconds), 3),
        "cold_seconds": round(cold, 3),
        "pushes": len(warm),
        "engine": options.engine,
        "steps": steps,
    }
    if not options.json:
        for name, value in {**result, **steps}.items():
            print(f"{name:20} {value}")
    print(msgspec.json.encode(result).decode())


@contextlib.contextmanager
def _git_process(engine: str) -> Iterator[tuple[str, Path]]:
    """The git process over a fresh installation; yields its address with a key, and a folder."""
    with contextlib.ExitStack() as undo:
        # As root the server and the sandbox run as other users, who must be able to walk there.
        folder = Path(undo.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        folder.chmod(0o755)
        settings = {"SIGNALBOX_ENVIRONMENT": "test", "SIGNALBOX_SANDBOX_ENGINE": engine}
        home = Home(folder / "home", Ports(free_port() - 1), settings)
        home.prepare()
        server = embedded.start(home.root)
        undo.callback(server.stop)
        create_roles(server.admin, home.passwords())
        migrate(home.owner_url(server.admin))
        key = new_key("test")
        admin = server.admin.set(database=DATABASE)
        with psycopg.connect(conninfo(admin), autocommit=True) as connection:
            person = uuid.uuid4()
            connection.execute(
                "insert into account.user_account values (%s, 'ada', 'a@example.org', 'x',"
                " 'member', now())",
                [person],
            )
            connection.execute(
                "insert into account.api_key (id, user_id, name, secret_sha256, scopes, created_at)"
                " values (%s, %s, 'bench', %s, '{push}', now())",
                [key.id, person, key.secret_sha256],
            )
            connection.execute(
                "insert into market.instrument (symbol, calendar, is_sample)"
                " select unnest(array['BTCUSDT', 'ETHUSDT', 'EURUSD']), '24x7', true"
            )
        log = undo.enter_context((folder / "log").open("w"))
        environment = home.environment(server.admin, GIT)
        command = [sys.executable, "-m", "sandbox.git"]
        process = undo.enter_context(
            subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=log, stderr=log)
        )
        undo.callback(process.terminate)
        wait(home.git_url, "/healthz")
        yield f"http://ada:{key.text}@127.0.0.1:{home.ports.git}/git/ada/trend.git", folder


class _Work:
    """A provider's working copy."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url
        folder.mkdir()
        self._git("init", "--quiet", "--initial-branch=main")
        (folder / "signal.toml").write_text(MANIFEST)
        (folder / "requirements.txt").write_text("numpy>=2\npolars>=1.30\n")

    def publish(self, number: int) -> tuple[float, dict[str, float]]:
        """Seconds of one push, and of each step up to its `remote:` line."""
        (self._folder / "app.py").write_text(APP.format(number=number))
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "Publish")
        self._git("tag", f"v1.0.{number}")
        began = last = time.perf_counter()
        steps: dict[str, float] = {}
        told = []
        with subprocess.Popen(
            ["git", "push", self._url, "main", f"v1.0.{number}"],
            cwd=self._folder, env=_environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as push:  # fmt: skip
            assert push.stdout is not None
            for line in push.stdout:
                told.append(line)
                if line.startswith("remote: "):
                    now = time.perf_counter()
                    name = line.removeprefix("remote: ").split(" ", 1)[0].strip()
                    steps[name] = steps.get(name, 0.0) + now - last
                    last = now
        ended = time.perf_counter()
        assert push.returncode == 0, "".join(told)
        return ended - began, steps | {"end": ended - last}

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self._folder, env=_environment(), check=True)


def _environment() -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
    }


if __name__ == "__main__":
    main()
