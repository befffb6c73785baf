"""`make sandbox-five`: the suite five times in a row, and what the host has more of afterwards.

Run it on a machine where nothing else makes sandboxes: it compares the whole host.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import docker
from docker.errors import DockerException

from sandbox.runner import cgroup
from sandbox.runner.bubblewrap import HOST_ID
from sandbox.runner.docker_configuration import LABEL

TIMES = 5
PASSERBY = 64_992
TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - what is looked at, not written
Traces = dict[str, set[str]]


def main() -> int:
    """Print a line per run; status 1 where a test failed or something is left."""
    before, status = traces(), 0
    for number in range(1, TIMES + 1):
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "tests/sandbox/runner"],
            capture_output=True,
            text=True,
            check=False,
        )
        left = [f"{kind} {name}" for kind, name in more(before, traces())]
        said = ran.stdout.splitlines()[-1] if ran.returncode == 0 else ran.stdout[-5000:]
        click.echo(f"{number}: {said}; left over: {', '.join(left) or 'nothing'}")
        status |= bool(ran.returncode or left)
    return status


def traces() -> Traces:
    """What a sandbox may leave on a host, by kind."""
    return {
        "process": set(_processes()),
        "mount": set(Path("/proc/self/mountinfo").read_text().splitlines()),
        "cgroup": {group.name for group in cgroup.existing(cgroup.families())},
        "file": {
            str(path)
            for top in TEMPORARY
            for path in Path(top).iterdir()
            if not path.name.startswith("pytest-of-")
        },
        **_docker(),
    }


def more(before: Traces, after: Traces) -> Iterator[tuple[str, str]]:
    """What there is now and was not."""
    for kind, found in after.items():
        yield from ((kind, name) for name in sorted(found - before[kind]))


def _processes() -> Iterator[str]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_text().replace("\0", " ")
            user = folder.stat().st_uid
        except OSError:
            continue
        if user in (HOST_ID, PASSERBY) or "bwrap" in words or "-m harness" in words:
            yield f"{folder.name} {words}"


def _docker() -> Traces:
    try:
        client = docker.APIClient(version="auto")
    except DockerException:
        return {}
    try:
        found = client.containers(all=True, filters={"label": LABEL})
        images = client.images(all=True)
        return {
            "container": {str(each["Id"]) for each in found},
            "image": {str(each["Id"]) for each in images},
        }
    finally:
        client.close()


if __name__ == "__main__":
    raise SystemExit(main())
