"""The git process as it runs in production, over a database and repositories of its own."""

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from sqlalchemy import URL

from sql.api_key import new_key
from sql.roles import conninfo
from tests.sandbox.git.people import Person, Work
from tests.waiting import until

CHECKOUT = Path(__file__).parents[3]


@dataclass
class GitHouse:
    """The git process, its database and its repositories."""

    port: int
    home: Path
    admin: URL
    settings: dict[str, str]
    process: subprocess.Popen | None = None
    loaded: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    host = "127.0.0.1"

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def root(self) -> Path:
        return self.home / "repositories"

    @property
    def pid(self) -> int:
        return self.process.pid

    def start(self) -> None:
        inherited = {key: text for key, text in os.environ.items() if "SIGNALBOX" not in key}
        with self.log.open("a") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sandbox.git"],
                cwd=CHECKOUT,
                env={**inherited, **self.settings},
                stdout=output,
                stderr=output,
            )
        until(self.answers, 30, self.log.read_text)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def kill(self) -> None:
        """As a machine's memory killer would: the git process alone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def answers(self) -> bool:
        try:
            return self.is_serving()
        except OSError:
            return False

    @property
    def log(self) -> Path:
        return self.home / "log"

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
        return list(self.worker_pids().values())

    def worker_pids(self) -> dict[int, str]:
        found = {}
        for process in Path("/proc").iterdir():
            if not process.name.isdecimal() or int(process.name) == self.pid:
                continue
            with contextlib.suppress(OSError):
                told = (process / "environ").read_bytes()
                if f"SIGNALBOX_REPOSITORIES={self.root}".encode() in told:
                    command = (process / "cmdline").read_text().replace("\0", " ")
                    found[int(process.name)] = command
        return found
