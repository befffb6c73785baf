"""From requirements to a lock: every wheel by its hash, nothing built, nothing run.

The runtime's own needs (polars, numpy, msgspec) are locked together with the
provider's, so that one resolution holds and a provider may ask for another
polars than the platform's.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from packaging.requirements import Requirement
from uv import find_uv_bin

from sandbox.registry.errors import BuildError, LockError

RUNTIME = ("polars>=1.30", "numpy>=2.0", "msgspec>=0.20")
TARGET = ("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_36")
LOCK_SECONDS = 120
INSTALL_SECONDS = 600
# What of the operator's environment decides where wheels come from, and nothing else.
PASSED_ON = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "SSL_CERT_FILE", "HTTPS_PROXY", "NO_PROXY", "PATH")


@dataclass(frozen=True)
class Lock:
    """Requirements with hashes. `digest` is the sha256 of the text."""

    text: str

    @property
    def digest(self) -> str:
        return "sha256:" + hashlib.sha256(self.text.encode()).hexdigest()


def lock(requirements: Sequence[Requirement], *, now: datetime, cache: Path) -> Lock:
    """Resolve to pinned wheels that existed at `now`.

    Raises:
        LockError: no solution, or a package has no wheel.
        BuildError: the locker did not finish in time.
    """
    wanted = "\n".join([*(str(requirement) for requirement in requirements), *RUNTIME])
    result = _uv(
        [
            "pip", "compile", "-", *TARGET,
            "--only-binary", ":all:", "--generate-hashes", "--no-sources",
            "--no-header", "--no-annotate", "--exclude-newer", now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        ],
        cache=cache, seconds=LOCK_SECONDS, given=wanted,
    )  # fmt: skip
    if result.returncode != 0:
        reason = " ".join(result.stderr.split())
        raise LockError(f"requirements.txt: cannot be locked from wheels: {reason[:600]}")
    return Lock(result.stdout)


def install(locked: Lock, target: Path, *, cache: Path) -> None:
    """Unpack the locked wheels into `target`, each checked against its hash.

    Raises:
        LockError: a wheel is gone or has another hash.
    """
    result = _uv(
        [
            "pip", "install", "--target", str(target), *TARGET, "--python", sys.executable,
            "--require-hashes", "--only-binary", ":all:", "--no-deps", "--no-sources",
            "--link-mode", "copy", "--no-compile-bytecode", "-r", "-",
        ],
        cache=cache, seconds=INSTALL_SECONDS, given=locked.text,
    )  # fmt: skip
    if result.returncode != 0:
        raise LockError(f"the lock cannot be installed: {' '.join(result.stderr.split())[:600]}")


def _uv(
    arguments: list[str], *, cache: Path, seconds: int, given: str
) -> subprocess.CompletedProcess[str]:
    cache.mkdir(parents=True, exist_ok=True)
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    command = [find_uv_bin(), "--no-config", "--no-progress", "--quiet", *arguments]
    command += ["--cache-dir", str(cache)]
    try:
        # An empty folder: uv reads the files of the one it stands in.
        with tempfile.TemporaryDirectory() as empty:
            return subprocess.run(
                command,
                input=given,
                text=True,
                capture_output=True,
                timeout=seconds,
                cwd=empty,
                env={**passed, "HOME": empty, "UV_SYSTEM_CERTS": "1"},
                check=False,
            )
    except subprocess.TimeoutExpired:
        raise BuildError(f"uv {arguments[1]} took over {seconds} s; push again") from None
