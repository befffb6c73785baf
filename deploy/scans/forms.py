"""What no file of the deployment may say, whatever else is right with it."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
DEPLOYED = ("deploy",)
KINDS = {".yaml", ".yml", ".tpl", ".json"}
# An image that comes from elsewhere is named by digest; ours are built here, tagged by version.
# Of an image that a chart names by parts, what stands at `repository`; charts' own are addresses.
IMAGE = re.compile(
    r"\b(?:image:|repository:(?! *([a-z]+://|\"@)))[ \t]*[\"']?(?P<name>[^\s\"'#{][^\s\"'#,}]*)"
)
OURS = re.compile(r"^signalbox/|\$\{|\{\{")
FROM = re.compile(
    r"^FROM\s+(?:--\S+\s+)*(?P<name>\S+)(?:\s+AS\s+(?P<stage>\S+))?", re.MULTILINE | re.IGNORECASE
)
FORBIDDEN = {
    re.compile(r"^\s*privileged:\s*true", re.MULTILINE): "is privileged",
    re.compile(r"^\s*network_mode:\s*[\"']?host", re.MULTILINE): "shares the host's network",
    re.compile(r"^\s*hostNetwork:\s*true", re.MULTILINE): "shares the host's network",
    re.compile(r"^\s*hostPID:\s*true", re.MULTILINE): "shares the host's processes",
    re.compile(r"^\s*pid:\s*[\"']?host", re.MULTILINE): "shares the host's processes",
    re.compile(r"seccomp[=:]\s*[\"']?unconfined", re.MULTILINE): "has no seccomp filter",
}

NOT_OURS = {".git", ".venv", "node_modules", "dist", "test-results", "__pycache__"}


def faults() -> list[str]:
    """Every one, with its file."""
    return sorted([*_manifests(), *_bases(), *_scripts()])


def _files() -> list[Path]:
    """Ours: neither installed nor built. Not by git, which is not there where a copy is scanned."""
    found: list[Path] = []
    for folder, inner, names in os.walk(CHECKOUT):
        inner[:] = sorted(set(inner) - NOT_OURS)
        found += (Path(folder, name) for name in sorted(names))
    return found


def _manifests() -> Iterator[str]:
    for path in _files():
        if path.suffix not in KINDS or path.relative_to(CHECKOUT).parts[0] not in DEPLOYED:
            continue
        yield from (
            f"{path.relative_to(CHECKOUT)}: {one}" for one in manifest_faults(path.read_text())
        )


def manifest_faults(text: str) -> Iterator[str]:
    r"""Of one file of compose or of a chart.

    >>> list(manifest_faults("image: redis:7\nprivileged: true"))
    ['redis:7 is pinned by tag, not by digest', 'is privileged']
    """
    for found in IMAGE.finditer(text):
        name = found["name"]
        if not OURS.search(name) and "@sha256:" not in name:
            yield f"{name} is pinned by tag, not by digest"
    yield from (said for pattern, said in FORBIDDEN.items() if pattern.search(text))


def _bases() -> Iterator[str]:
    for path in _files():
        if "Dockerfile" in path.name:
            yield from (
                f"{path.relative_to(CHECKOUT)}: {one}" for one in base_faults(path.read_text())
            )


def base_faults(text: str) -> Iterator[str]:
    r"""Of one Dockerfile.

    >>> list(base_faults("FROM debian:12 AS one\nFROM one\nFROM ${BASE}"))
    ['debian:12 is pinned by tag, not by digest']
    """
    stages = {found["stage"] for found in FROM.finditer(text)}
    for found in FROM.finditer(text):
        name = found["name"]
        is_known = name in stages or name == "scratch" or OURS.search(name) or "$" in name
        if not is_known and "@sha256:" not in name:
            yield f"{name} is pinned by tag, not by digest"


def _scripts() -> Iterator[str]:
    for path in _files():
        with path.open("rb") as file:
            first = file.readline(80)
        shell = re.match(rb"#!\s*(?:/usr)?/bin/(?:env )?(sh|bash)\b", first)
        if path.suffix != ".sh" and not shell:
            continue
        done = subprocess.run(
            [shell[1].decode() if shell else "sh", "-n", str(path)],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            yield f"{path.relative_to(CHECKOUT)}: {done.stderr.strip()}"
