"""The embedded paths as an ordinary user: the same attacks, from the same tests."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
# Nobody's number, and none that sandboxes run as: an account need not exist for it.
PASSERBY = 64_992
SECONDS = 600
# In a mount namespace of its own the virtual environment stands where this user can walk to.
AS_PASSERBY = 'mount --bind "$1" "$2" && shift 2 && exec setpriv --reuid="$1" --regid="$1" "${@:2}"'


@pytest.fixture
def copy() -> Iterator[Path]:
    """The checkout's files, and a place for its virtual environment, owned by that user."""
    home = Path(tempfile.mkdtemp(prefix="signalbox-user-", dir="/var/tmp"))
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, listed):
        if (CHECKOUT / name).is_file():
            (home / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, home / "checkout" / name)
    (home / "venv").mkdir()
    (home / "tmp").mkdir()
    subprocess.run(["chown", "-R", f"{PASSERBY}:{PASSERBY}", str(home)], check=True)
    yield home
    shutil.rmtree(home)


@pytest.mark.timeout(SECONDS)
@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become somebody else; run it as you are instead"
)
def test_attacking_an_ordinary_users_platform_ends_as_it_does_for_root(
    copy: Path, attack_table
) -> None:
    """All of this folder's tests, again; the table's columns for that user are its own."""
    done = subprocess.run(
        [
            *("unshare", "--mount", "bash", "-c", AS_PASSERBY, "bash"),
            *(sys.prefix, str(copy / "venv"), str(PASSERBY), "--clear-groups"),
            *(str(copy / "venv/bin/python"), "-m", "pytest", "tests/sandbox/runner"),
            # Of thousands of lines the last are shown: let them say what failed, and how.
            *("-q", "-p", "no:cacheprovider", "-W", "ignore:no Docker", "-rfE"),
        ],
        cwd=copy / "checkout",
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(copy / "tmp"),
            "TMPDIR": str(copy / "tmp"),
            "PYTHONPATH": f"{copy / 'checkout'}:{copy / 'checkout/sandbox/sdk/src'}",
            "PYTHONDONTWRITEBYTECODE": "1",
            # Docker is root's: without the daemon's address its tests say that they skip.
            "DOCKER_HOST": "unix:///nonexistent/docker.sock",
            attack_table.WRITE: os.environ.get(attack_table.WRITE, ""),
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-12000:] + done.stderr[-2000:]
    attack_table.take_over(copy / "checkout/docs/operations/sandbox.md")
    assert _processes_of(PASSERBY) == []


def _processes_of(user: int) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid == user:
                found.append((folder / "cmdline").read_text())
        except OSError:
            continue
    return found
