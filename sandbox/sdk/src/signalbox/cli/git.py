"""A signal's git repository: its remote `platform`, whose password git asks of us."""

import subprocess
import sys
from pathlib import Path
from typing import Self

import click

from signalbox.cli.credentials import Login

REMOTE = "platform"
MARK = "# Written by signalbox"
# A plain `git push platform v0.1.0` sends the tag alone, and a version's commit must be on main.
PRE_PUSH = f"""#!/bin/sh
{MARK}: a version's commit must be on the platform's main, so main goes first.
[ "$1" = {REMOTE} ] || exit 0
tag= main=
while read -r _ _ ref _; do
    case "$ref" in
        refs/tags/v*) tag=1 ;;
        refs/heads/main) main=1 ;;
    esac
done
[ "$tag" ] && [ -z "$main" ] || exit 0
exec git push --quiet --no-verify {REMOTE} main
"""


class Repository:
    """A working copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def at(cls, folder: Path) -> Self | None:
        """That of a folder; None where it is none."""
        found = cls(folder)
        return found if found.git("rev-parse", "--git-dir", check=False) else None

    @classmethod
    def made(cls, folder: Path, login: Login | None) -> Self:
        """A new one; its author is git's own, else the one who is logged in."""
        made = cls(folder)
        made.git("init", "--quiet", "--initial-branch=main")
        who = login.handle if login else "signalbox"
        for name, value in (("user.name", who), ("user.email", f"{who}@localhost")):
            if not made.git("config", name, check=False):
                made.git("config", name, value)
        return made

    def commit_all(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def tag(self, version: str) -> None:
        self.git("tag", version)

    def has_tag(self, version: str) -> bool:
        name = f"refs/tags/{version}"
        return bool(self.git("rev-parse", "--quiet", "--verify", name, check=False))

    @property
    def is_clean(self) -> bool:
        return not self.git("status", "--porcelain")

    def set_up(self, login: Login, name: str) -> str:
        """Name the platform, have git ask us for its password, send main with a version."""
        url = f"{login.git_url}/git/{login.handle}/{name}.git"
        known = self.git("remote").split()
        self.git("remote", "set-url" if REMOTE in known else "add", REMOTE, url)
        helper = f"credential.{login.git_url}.helper"
        # The empty one first: no other helper is asked, and none stores the key.
        self.git("config", "--replace-all", helper, "")
        command = f'!"{sys.executable}" -P -m signalbox.cli credential'
        self.git("config", "--add", helper, command)
        self._write_hook()
        return url

    def push(self, *refs: str, quietly: bool) -> subprocess.CompletedProcess[str]:
        """To the platform; its answer goes to the terminal, unless `quietly`."""
        return subprocess.run(
            ["git", "push", "--no-verify", REMOTE, *refs],
            cwd=self.folder,
            capture_output=quietly,
            text=True,
            check=False,
        )

    def git(self, *arguments: str, check: bool = True) -> str:
        """What git prints.

        Raises:
            click.ClickException: it failed, in its own words.
        """
        try:
            done = subprocess.run(
                ["git", *arguments], cwd=self.folder, capture_output=True, text=True, check=False
            )
        except FileNotFoundError:
            raise click.ClickException("git is not here; install it first") from None
        if check and done.returncode != 0:
            raise click.ClickException(f"git {arguments[0]}: {done.stderr.strip()}")
        return done.stdout.strip() if done.returncode == 0 else ""

    def _write_hook(self) -> None:
        hook = self.folder / self.git("rev-parse", "--git-path", "hooks/pre-push")
        if hook.exists() and MARK not in hook.read_text(errors="replace"):
            click.echo(
                f"{hook} is yours and stays: push main yourself, together with each version",
                err=True,
            )
            return
        hook.parent.mkdir(parents=True, exist_ok=True)
        hook.write_text(PRE_PUSH)
        hook.chmod(0o755)
