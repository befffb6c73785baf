"""`python deploy/scans/check.py`: what scans can say without a network; then audits, if they can.

Exit code 1 when anything is found. An audit whose data cannot be reached from here is said not to
have run, and is no failure: `make audit` insists.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import audit
import forms
import licences

CHECKOUT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SOURCES = ("api", "assets", "pipelines", "sandbox", "sql", "benchmarks", "deploy")


def main() -> int:
    """Run each; all of them, also when one has found something."""
    scans: list[tuple[str, Callable[[], list[str]]]] = [
        ("bandit", bandit),
        ("secrets in the tree", lambda: gitleaks("dir")),
        ("secrets in history", history),
        ("Dockerfiles", dockerfiles),
        ("forms", forms.faults),
        ("licences", licences.faults),
    ]
    found = 0
    for name, scan in scans:
        began = time.monotonic()
        faults = scan()
        found += len(faults)
        print(f"{'FAIL' if faults else 'ok  '} {name} ({time.monotonic() - began:.1f} s)")
        print("".join(f"     {fault}\n" for fault in faults), end="")
    found += audit.run(strict=False)
    return int(found > 0)


def bandit() -> list[str]:
    """Known bad habits; `[tool.bandit]` of pyproject.toml says what is left to ruff."""
    return _said([BIN / "bandit", "-q", "-c", "pyproject.toml", "-r", *SOURCES])


def gitleaks(where: str) -> list[str]:
    """Values that look like secrets: in the files (`dir`) or in every commit (`git`)."""
    return _said([BIN / "gitleaks", where, "--no-banner", "--redact", "--verbose", "."])


def history() -> list[str]:
    """Secrets in every commit; a copy without its repository has none."""
    command = ["git", "rev-parse", "--git-dir"]
    if subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=False).returncode:
        print("     no repository of git that can be read here: its history was not looked at")
        return []
    return gitleaks("git")


def dockerfiles() -> list[str]:
    """Whatever is built from."""
    files = sorted((CHECKOUT / "deploy").rglob("*Dockerfile*"))
    return _said([BIN / "hadolint", "--config", ".hadolint.yaml", *files]) if files else []


def _said(command: list[object]) -> list[str]:
    done = subprocess.run(
        [str(word) for word in command], cwd=CHECKOUT, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.stdout.strip().splitlines() or ["it failed"] if done.returncode else []


if __name__ == "__main__":
    sys.exit(main())
