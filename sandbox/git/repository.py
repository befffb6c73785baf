"""Bare repositories and the hooks that guard them."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

NAME = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")
HOOKS = ("pre-receive", "post-receive")

# Read by git from the environment, above anything a repository's own file says.
CONFIG = {
    "receive.denyDeletes": "true",
    "receive.denyNonFastForwards": "true",
    "receive.fsckObjects": "true",
    "receive.maxInputSize": "25m",
    "receive.autogc": "false",
    "http.receivepack": "true",
    "core.bigFileThreshold": "1m",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "gc.auto": "0",
}


def repository_path(root: Path, provider: str, name: str) -> Path:
    """Where a signal's repository lies; both names were matched against NAME."""
    return root / provider / f"{name}.git"


def ensure_repository(root: Path, provider: str, name: str) -> Path:
    """Make the bare repository of a signal where it is missing."""
    path = repository_path(root, provider, name)
    if not (path / "HEAD").exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["git", "init", "--quiet", "--bare", "--initial-branch=main", "--template=", str(path)],
            check=True,
            capture_output=True,
        )
    return path


class Quarantines:
    """Sweeps what ended pushes leave: objects that git set aside and never took.

    Git removes them itself unless it was killed. One git process serves a folder
    of repositories, so where it has no push running, no quarantine is in use.
    """

    def __init__(self) -> None:
        self._pushes: Counter[Path] = Counter()

    @contextlib.contextmanager
    def push(self, repository: Path) -> Iterator[None]:
        """Hold a repository's quarantines until its last push has ended."""
        self._pushes[repository] += 1
        try:
            yield
        finally:
            self._pushes[repository] -= 1
            if not self._pushes[repository]:
                del self._pushes[repository]
                for folder in (repository / "objects").glob("tmp_objdir-*"):
                    shutil.rmtree(folder, ignore_errors=True)


def write_hooks(root: Path) -> Path:
    """Write the hook programs; one folder for all repositories, none inside them."""
    folder = root / ".hooks"
    folder.mkdir(parents=True, exist_ok=True)
    for name in HOOKS:
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m sandbox.git.hook {name}\n')
        path.chmod(0o755)
    return folder


def git_environment(hooks: Path) -> dict[str, str]:
    """Git's configuration as environment variables; the machine's own files are not read."""
    settings = {**CONFIG, "core.hooksPath": str(hooks)}
    environment = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for index, (key, value) in enumerate(settings.items()):
        environment[f"GIT_CONFIG_KEY_{index}"] = key
        environment[f"GIT_CONFIG_VALUE_{index}"] = value
    return environment
