"""From requirements to a lock: one wheel per package, by its hash; nothing built, nothing run.

The locker lists every wheel that fits the sandbox; we keep the most specific one and its hash
alone. So a lock admits exactly what gets installed, and stays the same when a project adds
wheels for other machines. The runtime's own needs (polars, numpy, msgspec) are locked together
with the provider's, so that one resolution holds and a provider may ask for another polars than
the platform's.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging import tags
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from uv import find_uv_bin

from sandbox.registry.errors import BuildError, LockError

RUNTIME = ("polars>=1.30", "numpy>=2.0", "msgspec>=0.20")
# Those and what they need themselves: in every lock, whatever a provider asks for.
RUNTIME_PACKAGES = ("msgspec", "numpy", "polars", "polars-runtime-32")
TARGET = ("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_36")
PYTHON_VERSION = (3, 11)
NEWEST_GLIBC_MINOR = 36
LEGACY_PLATFORMS = {17: "manylinux2014_x86_64", 12: "manylinux2010_x86_64", 5: "manylinux1_x86_64"}
LOCK_SECONDS = 120
INSTALL_SECONDS = 600
# What of the operator's environment decides where wheels come from, and nothing else.
PASSED_ON = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "SSL_CERT_FILE", "HTTPS_PROXY", "NO_PROXY", "PATH")


PINNED = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+) --hash=sha256:(?P<sha256>[0-9a-f]{64})$"
)


@dataclass(frozen=True)
class Pinned:
    """One package of a lock: the one version, and the sha256 (hex) of the one wheel."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Lock:
    """Requirements with one hash each. `digest` is the sha256 of the text."""

    text: str

    @property
    def digest(self) -> str:
        return "sha256:" + hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def packages(self) -> tuple[Pinned, ...]:
        """Every line of the lock.

        >>> Lock("six==1.17.0 --hash=sha256:" + "0" * 64).packages[0].name
        'six'
        """
        matches = [PINNED.match(line) for line in self.text.splitlines()]
        return tuple(Pinned(**match.groupdict()) for match in matches if match is not None)


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
            "--only-binary", ":all:", "--format", "pylock.toml", "--no-sources",
            "--no-header", "--no-annotate", "--exclude-newer", now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        ],
        cache=cache, seconds=LOCK_SECONDS, given=wanted,
    )  # fmt: skip
    if result.returncode != 0:
        reason = " ".join(result.stderr.split())
        raise LockError(f"requirements.txt: cannot be locked from wheels: {reason[:600]}")
    packages = tomllib.loads(result.stdout)["packages"]
    return Lock("".join(sorted(_line(package) for package in packages)))


def _line(package: dict[str, Any]) -> str:
    name, version = canonicalize_name(package["name"]), package["version"]
    wheels = {_file_name(wheel): wheel for wheel in package.get("wheels", ())}
    fitting = {rank: file for file in wheels if (rank := _rank(file)) is not None}
    if not fitting:
        raise LockError(f"requirements.txt: {name} {version} has no wheel for the sandbox")
    sha256 = wheels[fitting[min(fitting)]].get("hashes", {}).get("sha256")
    if sha256 is None:
        raise LockError(f"requirements.txt: the index gives no sha256 for {name} {version}")
    return f"{name}=={version} --hash=sha256:{sha256}\n"


def _file_name(wheel: dict[str, Any]) -> str:
    """Of a wheel in a pylock document, which names its file by `name`, `url` or `path`."""
    place = wheel.get("name") or wheel.get("path") or urlsplit(wheel["url"]).path
    return unquote(place.rpartition("/")[2])


def _rank(file: str) -> tuple[int, tuple[int, str], str] | None:
    """Smallest is most specific; None where the wheel does not fit. Later builds come first."""
    _, _, build, fits = parse_wheel_filename(file)
    ranks = [SUPPORTED[tag] for tag in fits if tag in SUPPORTED]
    number, rest = build or (0, "")
    return (min(ranks), (-number, rest), file) if ranks else None


def _supported() -> dict[tags.Tag, int]:
    """The sandbox' tags, each with its rank."""
    platforms = []
    for minor in range(NEWEST_GLIBC_MINOR, 4, -1):
        platforms.append(f"manylinux_2_{minor}_x86_64")
        if minor in LEGACY_PLATFORMS:
            platforms.append(LEGACY_PLATFORMS[minor])
    platforms.append("linux_x86_64")
    listed = [
        *tags.cpython_tags(PYTHON_VERSION, platforms=platforms),
        *tags.compatible_tags(PYTHON_VERSION, interpreter="cp311", platforms=platforms),
    ]
    return {tag: rank for rank, tag in reversed(list(enumerate(listed)))}


SUPPORTED = _supported()


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
