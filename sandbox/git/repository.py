"""Bare repositories and the hooks that guard them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from sandbox.git.limits import MAX_PACK_BYTES, MAX_REPOSITORIES
from sandbox.git.refusals import RefusedRequestError

NAME = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")
HOOKS = ("pre-receive", "post-receive")

# Read by git from the environment, above anything a repository's own file says.
CONFIG = {
    "receive.denyDeletes": "true",
    "receive.denyNonFastForwards": "true",
    "receive.shallowUpdate": "false",
    "receive.fsckObjects": "true",
    "receive.maxInputSize": str(MAX_PACK_BYTES),
    "receive.autogc": "false",
    "http.receivepack": "true",
    "http.maxRequestBuffer": "1m",
    "core.bigFileThreshold": "1m",
    "core.packedGitLimit": "128m",
    "core.packedGitWindowSize": "16m",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "pack.threads": "1",
    "gc.auto": "0",
    # SSH signatures only; whose key it is, `certificate.py` asks the database.
    "gpg.program": "/bin/false",
    "gpg.x509.program": "/bin/false",
    "gpg.ssh.allowedSignersFile": os.devnull,
}


def repository_path(root: Path, provider: str, name: str) -> Path:
    """Where a signal's repository lies; both names were matched against NAME."""
    return root / provider / f"{name}.git"


def ensure_repository(root: Path, provider: str, name: str) -> Path:
    """Make the bare repository of a signal where it is missing.

    Raises:
        RefusedRequestError: the provider has too many.
    """
    path = repository_path(root, provider, name)
    if not (path / "HEAD").exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        if sum(1 for _ in path.parent.iterdir()) >= MAX_REPOSITORIES:
            raise RefusedRequestError(
                403, f"you have {MAX_REPOSITORIES} repositories: ask the operator for more"
            )
        subprocess.run(
            ["git", "init", "--quiet", "--bare", "--initial-branch=main", "--template=", str(path)],
            check=True,
            capture_output=True,
        )
    return path


def repositories(root: Path) -> Iterator[Path]:
    """Every repository there is."""
    for provider in root.iterdir():
        if NAME.fullmatch(provider.name):
            yield from provider.glob("*.git")


def write_hooks(root: Path) -> Path:
    """Write the hook programs; one folder for all repositories, none inside them."""
    folder = root / ".hooks"
    folder.mkdir(parents=True, exist_ok=True)
    for name in HOOKS:
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m sandbox.git.hook {name}\n')
        path.chmod(0o755)
    return folder


def git_environment(hooks: Path, *, nonce_seed: str, nonce_seconds: int) -> dict[str, str]:
    """Git's configuration as environment variables; the machine's own files are not read.

    Args:
        hooks: folder of the hook programs.
        nonce_seed: secret from which git makes the nonces of signed pushes.
        nonce_seconds: how old a nonce may be.
    """
    settings = {
        **CONFIG,
        "core.hooksPath": str(hooks),
        "receive.certNonceSeed": nonce_seed,
        "receive.certNonceSlop": str(nonce_seconds),
    }
    environment = {
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for index, (key, value) in enumerate(settings.items()):
        environment[f"GIT_CONFIG_KEY_{index}"] = key
        environment[f"GIT_CONFIG_VALUE_{index}"] = value
    return environment
