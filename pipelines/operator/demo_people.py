"""The demonstration's people: what they do, they do over HTTP and with git."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec

Say = Callable[[str], None]


class Person(msgspec.Struct, frozen=True):
    """An account of the demonstration, with an API key for reading and pushing."""

    handle: str
    email: str
    password: str
    key: str


class Client:
    """One person's view of the API; nobody's without a person.

    Each call has a connection of its own: there is nothing to close.
    """

    def __init__(self, url: str, person: Person | None = None) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {person.key}"} if person else {}

    @classmethod
    def register(cls, url: str, handle: str, password: str) -> Person:
        """Register an account and make an API key for it."""
        email = f"{handle}@example.org"
        client = cls(url)
        client._signed_in(
            client.post(
                "/v1/auth/register", {"email": email, "password": password, "handle": handle}
            )
        )
        key = client.post("/v1/api-keys", {"name": "demonstration", "scopes": ["read", "push"]})
        return Person(handle=handle, email=email, password=password, key=key["key"])

    @classmethod
    def logged_in(cls, url: str, person: Person) -> Self:
        """Signed in with the password: what a key may not do, such as subscribing."""
        client = cls(url)
        credentials = {"email": person.email, "password": person.password}
        client._signed_in(client.post("/v1/auth/login", credentials))
        return client

    def get(self, path: str) -> Any:
        """The decoded answer to a GET."""
        return self._checked(self._asked("GET", path))

    def status(self, path: str) -> int:
        """Only the status of a GET."""
        return self._asked("GET", path).status_code

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The decoded answer to a POST."""
        return self._checked(self._asked("POST", path, body))

    def publish(self, signal: str) -> None:
        """Make a signal public."""
        self.post(f"/v1/signals/{signal}/publish")

    def subscribe(self, signal: str) -> None:
        """Take a trial of a signal; done already is fine."""
        held = {item["signal"] for item in self.get("/v1/subscriptions")["items"]}
        if signal not in held:
            self.post("/v1/subscriptions", {"signal": signal})

    def _signed_in(self, session: dict[str, str]) -> None:
        self._headers = {"Authorization": f"Bearer {session['access_token']}"}

    def _asked(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        return httpx.request(method, self._url + path, json=body, headers=self._headers, timeout=30)

    def _checked(self, answer: httpx.Response) -> Any:
        if answer.is_error:
            raise RuntimeError(
                f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
            )
        return answer.json() if answer.content else None


def push_example(
    folder: Path,
    git_url: str,
    provider: Person,
    say: Say,
    *,
    tag: str = "v1.0.0",
    goes_on: bool = False,
) -> None:
    """Commit a copy of an example, tag it and push it, showing what git shows.

    Args:
        folder: of the example; its name is the signal's.
        git_url: where pushes go.
        provider: who pushes, by their key.
        say: is told what git prints.
        tag: the version.
        goes_on: on top of what was pushed before.

    Raises:
        RuntimeError: the push was refused.
    """
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch) / folder.name
        shutil.copytree(folder, work, ignore=shutil.ignore_patterns("__pycache__"))
        # The key goes to git by a program that prints it: never by its arguments.
        ask = Path(scratch) / "ask"
        ask.write_text('#!/bin/sh\ncase "$1" in User*) echo "$PUSHER";; *) echo "$KEY";; esac\n')
        ask.chmod(0o700)
        environment = {
            **os.environ,
            "GIT_ASKPASS": str(ask),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "PUSHER": provider.handle,
            "KEY": provider.key,
        }
        url = f"{git_url}/git/{provider.handle}/{folder.name}.git"
        identity = ["-c", f"user.name={provider.handle}", "-c", f"user.email={provider.email}"]
        before = [["fetch", "--quiet", url, "main"], ["reset", "--soft", "FETCH_HEAD"]]
        for arguments in (
            ["init", "--quiet", "--initial-branch=main"],
            *(before if goes_on else []),
            ["add", "--all"],
            [*identity, "commit", "--quiet", "--message", f"Publish {tag}"],
            ["tag", tag],
        ):
            subprocess.run(["git", *arguments], cwd=work, env=environment, check=True)
        _push(work, url, tag, environment, say)


def _push(work: Path, url: str, tag: str, environment: dict[str, str], say: Say) -> None:
    with subprocess.Popen(
        ["git", "push", url, "main", tag],
        cwd=work,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as push:
        assert push.stdout is not None  # noqa: S101 - opened as a pipe
        for line in push.stdout:
            say(f"  {line.rstrip()}")
    if push.returncode != 0:
        raise RuntimeError(f"git push of {work.name} was refused; the reason stands above")
