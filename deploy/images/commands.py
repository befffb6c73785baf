"""Commands of the image builder: each failure ends it with what was said."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def docker_build(
    tag: str,
    context: Path,
    recipe: Path,
    origin: str = "",
    network: str = "none",
    **arguments: str,
) -> None:
    """Build an image; `origin_of` finds its `origin` again."""
    say(tag)
    given = [word for name in arguments for word in ("--build-arg", f"{name}={arguments[name]}")]
    run(
        ["docker", "build", "--quiet", "--network", network, "--tag", tag, "--file", str(recipe),
         "--label", f"signalbox.made-from={origin}", *given, str(context)],
        DOCKER_BUILDKIT="0",  # BuildKit looks for every base in a registry
    )  # fmt: skip


def is_there(tag: str) -> bool:
    """Whether there is an image of this tag."""
    return _inspected(tag) is not None


def origin_of(tag: str) -> str | None:
    """What an image says it was made from; None where it does not, or is not here."""
    found = _inspected(tag)
    return (found or {}).get("signalbox.made-from")


def _inspected(tag: str) -> dict[str, str] | None:
    """The labels of an image; None where it is not here."""
    command = ["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", tag]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return (json.loads(answer.stdout) or {}) if answer.returncode == 0 else None


def digest(texts: Iterable[str]) -> str:
    """Of texts in their order, short enough for a tag."""
    return hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()[:16]


def uv() -> str:
    """Where uv is."""
    ours = CHECKOUT / ".venv" / "bin" / "uv"
    found = str(ours) if ours.exists() else shutil.which("uv")
    if found is None:
        sys.exit("uv is not here: make setup installs it into .venv")
    return found


def run(command: list[str], given: str | None = None, **environment: str) -> None:
    """Run a command in the checkout; what it says is kept for when it fails."""
    done = subprocess.run(
        command, cwd=CHECKOUT, input=given, text=True, env={**os.environ, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(f"{' '.join(command[:3])} failed:\n{done.stdout[-3000:]}")


def output(command: list[str]) -> str:
    """What a command prints."""
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout


def say(what: str) -> None:
    """Say what is under way."""
    print(f"images: {what}", file=sys.stderr)
