"""Those who push: their working copies, and what a push leaves them with."""

import os
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

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

    def pack(self, *revisions: str) -> bytes:
        """All objects of these revisions, as git would send them."""
        return subprocess.run(
            ["git", "pack-objects", "--stdout", "--revs", "-q"],
            cwd=self.folder,
            env=self.environment,
            input="\n".join(revisions).encode(),
            capture_output=True,
            check=True,
        ).stdout

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
