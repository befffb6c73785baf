"""A deployment by the production files, and the containers that are seen beside it."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import compose
import docker

CHECKOUT = Path(__file__).parents[2]
COMPOSE = CHECKOUT / "deploy" / "compose"
# Its wrapper in Python forgets how the program ended.
PROGRAM = Path(str(compose.__file__)).with_name("docker-compose")
STEP_SECONDS = 900
PSQL = 'PGPASSWORD="$(cat "$POSTGRES_PASSWORD_FILE")" psql -h /tmp -U postgres -d signalbox'


@dataclass
class Deployed:
    """A throwaway deployment that runs, and the containers that were seen beside it."""

    folder: Path
    project: str
    url: str
    arguments: tuple[str, ...] = ()
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    sandboxes: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def authority(self) -> Path:
        return self.folder / "caddy/pki/authorities/local/root.crt"

    def prepare(self) -> None:
        said(
            sys.executable, str(COMPOSE / "prepare.py"), "--folder", str(self.folder),
            "--site", "https://localhost", "--project", self.project, "--tls", "internal",
            "--environment", "demo", *self.arguments,
        )  # fmt: skip

    def compose(self, *words: str) -> str:
        return said(str(PROGRAM), "--env-file", str(self.folder / ".env"), *words)

    def python(self, service: str, program: str) -> str:
        return self.compose("exec", "-T", service, "python", "-c", program)

    @contextlib.contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Nobody else touches a table meanwhile."""
        command = [str(PROGRAM), "--env-file", str(self.folder / ".env"), "exec", "-T", "postgres",
                   "sh", "-c", PSQL]  # fmt: skip
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as holding:
            assert holding.stdin is not None
            assert holding.stdout is not None
            print(f"begin; lock table {table};", file=holding.stdin, flush=True)
            assert "LOCK TABLE" in (line.strip() for line in holding.stdout)
            yield
            holding.stdin.close()

    def services(self) -> dict[str, dict[str, Any]]:
        """What Docker says of each service's container."""
        told = json.loads(said("docker", "inspect", *self.compose("ps", "-aq").split()))
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in told}

    def notice(self, container: dict[str, Any]) -> None:
        """Keep it where it is one of ours: by its network, or by what it is shown."""
        host, name = container["HostConfig"], container["Id"]
        if "dagster/run_id" in (container["Config"]["Labels"] or {}):
            if host["NetworkMode"] == f"{self.project}-internal":
                self.runs[name] = container
        elif any(bind.startswith(f"{self.folder}/zygotes/") for bind in host["Binds"] or ()):
            self.sandboxes[name] = container


def said(*command: str) -> str:
    """What a command prints; fails with what it complained of."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=STEP_SECONDS,
        env={**os.environ, "SIGNALBOX_CHECK_INTERVAL": "5s"},
    )  # fmt: skip
    assert done.returncode == 0, f"{command[:6]}: {done.stdout[-1000:]}{done.stderr[-3000:]}"
    return done.stdout


@contextlib.contextmanager
def watched(deployed: Deployed) -> Iterator[None]:
    """Look at every container in the moment it starts: runs and sandboxes are soon gone."""
    client = docker.from_env()
    events = client.api.events(decode=True, filters={"type": "container", "event": ["start"]})

    def look() -> None:
        for event in events:
            with contextlib.suppress(docker.errors.NotFound):
                deployed.notice(client.api.inspect_container(event["id"]))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        events.close()
        looking.join()
        client.close()


def remove(here: Deployed) -> None:
    """Nothing is left of it."""
    # Nobody starts another run, and those that are under way hold the network.
    here.compose("kill", "dagster-daemon")
    network = ["--filter", f"network={here.project}-internal", "--filter", "label=dagster/run_id"]
    running = said("docker", "ps", "-aq", *network).split()
    for container in (*running, *here.sandboxes):
        subprocess.run(["docker", "rm", "-f", "-v", container], capture_output=True, check=False)
    here.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")
    shutil.rmtree(here.folder)
    left = said("docker", "ps", "-aq", "--filter", f"name={here.project}").split()
    left += said("docker", "network", "ls", "-q", "--filter", f"name={here.project}").split()
    assert not left
