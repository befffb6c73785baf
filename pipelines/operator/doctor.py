"""What this machine has, and what follows for the guarantees."""

import os
import platform
import shutil
from pathlib import Path

import msgspec

from sandbox.runner.engine import EngineName, available_engine
from sandbox.runner.errors import SandboxError

FREE_GB_WANTED = 5


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at.

    Attributes:
        needed: the installation does not work without it.
    """

    subject: str
    ok: bool
    needed: bool
    said: str


def examine(disk: Path = Path("/var")) -> list[Finding]:
    """Look at host, tools, disk and both sandbox engines."""
    engines = [_engine("docker"), _engine("embedded")]
    any_engine = any(finding.ok for finding in engines)
    return [
        Finding("python", ok=True, needed=True, said=platform.python_version()),
        Finding("kernel", ok=True, needed=True, said=platform.release()),
        Finding(
            "user",
            ok=True,
            needed=True,
            said="root: sandboxes run as uid 64990" if os.geteuid() == 0 else "an ordinary user",
        ),
        _tool("git", "apt-get install git"),
        _disk(disk),
        *engines,
        Finding(
            "sandbox",
            ok=any_engine,
            needed=True,
            said="an engine answers" if any_engine else "install bubblewrap or start Docker",
        ),
    ]


def _tool(name: str, remedy: str) -> Finding:
    path = shutil.which(name)
    return Finding(name, ok=path is not None, needed=True, said=path or remedy)


def _disk(path: Path) -> Finding:
    free = shutil.disk_usage(path).free // 1024**3
    said = f"{free} GB free under {path}"
    return Finding("disk", ok=free >= FREE_GB_WANTED, needed=False, said=said)


def _engine(name: EngineName) -> Finding:
    try:
        guarantees = available_engine(name).guarantees()
    except SandboxError as error:
        return Finding(f"sandbox {name}", ok=False, needed=False, said=str(error))
    lacks = f"; lacks {', '.join(guarantees.lacks)}" if guarantees.lacks else ""
    said = f"holds {', '.join(guarantees.holds)}{lacks}"
    return Finding(f"sandbox {name}", ok=True, needed=False, said=said)
