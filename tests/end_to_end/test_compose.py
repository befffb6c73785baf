"""The production files, run whole: images, networks, a container per run, TLS at the door."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import compose
import docker
import httpx
import pytest

from pipelines.operator.demo_people import Client, Person, push_example
from sql.archive import archive_command
from sql.clock import DemoClock, floor_hour, system_clock

CHECKOUT = Path(__file__).parents[2]
COMPOSE = CHECKOUT / "deploy" / "compose"
# Its wrapper in Python forgets how the program ended.
PROGRAM = Path(str(compose.__file__)).with_name("docker-compose")
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
EXAMPLE = "momentum-quantiles"
SIGNAL = f"ada/{EXAMPLE}"
LIVE_SECONDS = 420
STEP_SECONDS = 900
HISTORY = timedelta(days=60)

# Anybody on the internet who takes a connection; and from inside, nobody is.
CALLS_OUT = """
import socket
for host in {hosts}:
    try:
        socket.create_connection((host, 443), 3).close()
    except OSError:
        continue
    print("reached", host)
"""

# Building what is not built yet, and bringing all of it up.
pytestmark = pytest.mark.timeout(1200)


@dataclass
class Deployed:
    """A throwaway deployment that runs, and the containers that were seen beside it."""

    folder: Path
    project: str
    url: str
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    sandboxes: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def authority(self) -> Path:
        return self.folder / "caddy/pki/authorities/local/root.crt"

    def compose(self, *words: str) -> str:
        return said(str(PROGRAM), "--env-file", str(self.folder / ".env"), *words)

    def python(self, service: str, program: str) -> str:
        return self.compose("exec", "-T", service, "python", "-c", program)

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
    assert done.returncode == 0, f"{command[:6]}: {done.stderr[-3000:]}"
    return done.stdout


def a_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    # Short: a zygote's socket is below it. The daemon must know it by the same name.
    folder = Path(tempfile.mkdtemp(prefix="sbx-", dir="/var/tmp"))
    project, port = f"sbx{secrets.token_hex(3)}", a_port()
    said(sys.executable, str(CHECKOUT / "deploy/images/build.py"))
    said(
        sys.executable, str(COMPOSE / "prepare.py"), "--folder", str(folder), "--tls", "internal",
        "--site", "https://localhost", "--project", project, "--http-port", str(a_port()),
        "--https-port", str(port), "--subnet", f"172.30.{secrets.randbelow(250)}.0/24",
        "--authorities", str(AUTHORITIES), "--environment", "demo",
    )  # fmt: skip
    here = Deployed(folder, project, f"https://localhost:{port}")
    with pytest.MonkeyPatch.context() as patched, watched(here):
        patched.setenv("SSL_CERT_FILE", str(here.authority))
        patched.setenv("GIT_SSL_CAINFO", str(here.authority))
        try:
            here.compose("up", "--detach")
            yield here
        finally:
            _remove(here)


def _remove(here: Deployed) -> None:
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


@pytest.fixture(scope="module")
def people(deployed: Deployed) -> tuple[Person, Person]:
    """A provider with a signal that was pushed and published, and a subscriber to it."""
    first = f"{system_clock() - HISTORY:%Y-%m-%d}"
    deployed.compose("exec", "-T", "code-server", "signalbox", "ingest", "sample", "--from", first)
    ada = Client.register(deployed.url, "ada", secrets.token_urlsafe(12))
    sam = Client.register(deployed.url, "sam", secrets.token_urlsafe(12))
    told: list[str] = []
    try:
        push_example(CHECKOUT / "examples" / EXAMPLE, deployed.url, ada, told.append)
    except RuntimeError as refused:
        raise AssertionError("\n".join(told)) from refused
    Client(deployed.url, ada).publish(SIGNAL)
    Client.logged_in(deployed.url, sam).subscribe(SIGNAL)
    return ada, sam


@pytest.fixture(scope="module")
def forecasts(deployed: Deployed, people: tuple[Person, Person]) -> list[dict[str, Any]]:
    """What the subscriber reads of the next hour, which the schedule runs."""
    clock = DemoClock(deployed.folder / "clock" / "now")
    slot = floor_hour(clock()) + timedelta(hours=1)
    clock.advance_to(slot)
    deadline = time.monotonic() + LIVE_SECONDS
    subscriber = Client(deployed.url, people[1])
    while time.monotonic() < deadline:
        items = subscriber.get(f"/v1/signals/{SIGNAL}/forecasts/latest")["items"]
        if any(item["as_of"] == f"{slot:%Y-%m-%dT%H:%M:%SZ}" for item in items):
            return list(items)
        time.sleep(1)
    raise AssertionError(deployed.compose("logs", "--tail", "40", "dagster-daemon"))


def test_an_hour_is_run_in_a_container_of_its_own_and_read_over_tls(deployed, forecasts):
    assert {item["provenance"] for item in forecasts} == {"live"}
    ran = list(deployed.runs.values())
    assert ran
    for run in ran:
        host = run["HostConfig"]
        assert list(run["NetworkSettings"]["Networks"]) == [f"{deployed.project}-internal"]
        assert run["Config"]["User"] == "64982:64982"
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert host["Memory"] == 4096 << 20
        assert not any("docker.sock:" in bind for bind in host["Binds"])
        assert "password" not in json.dumps(run["Config"]["Env"]).lower().replace(
            "password_file", ""
        )


def test_sandboxes_of_a_run_have_no_network_at_all(deployed, forecasts):
    assert forecasts
    assert deployed.sandboxes
    for sandbox in deployed.sandboxes.values():
        assert sandbox["HostConfig"]["NetworkMode"] == "none"
        assert sandbox["Config"]["User"] == "65534:65534"
        assert not sandbox["NetworkSettings"]["Networks"].keys() - {"none"}


def test_every_service_is_nobodys_root(deployed, forecasts):
    assert forecasts
    for name, service in deployed.services().items():
        host, pid = service["HostConfig"], service["State"]["Pid"]
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert host["Memory"], name
        assert host["PidsLimit"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert bool(host["PortBindings"]) == (name == "caddy"), name
        holds_docker = any(bind.startswith("/var/run/docker.sock") for bind in host["Binds"])
        assert holds_docker == (name == "docker-proxy"), name
        if name != "migrate":
            assert service["State"]["Running"], name
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            uids = next(line for line in lines if line.startswith("Uid:")).split()[1:]
            assert len(set(uids)) == 1, name
            assert int(uids[0]) > 60_000, name


def test_the_internal_network_has_no_way_out_but_the_listed_hosts(deployed, people):
    assert people  # what a push needs was reached, through the proxy
    allowed = (deployed.folder / "egress" / "allowed").read_text().split()
    # By address: names are not even looked up for them.
    hosts = ["1.1.1.1", socket.gethostbyname(allowed[0].strip("^$").replace("\\", ""))]
    for service in ("code-server", "git"):
        assert "reached" not in deployed.python(service, CALLS_OUT.format(hosts=hosts)), service
    refused = deployed.python(
        "git",
        "import urllib.request as u\n"
        "try: u.urlopen('https://example.org', timeout=10)\n"
        "except OSError as error: print(error)",
    )
    assert "403" in refused


def test_dagsters_pages_are_for_operators_who_have_logged_in(deployed, people):
    assert people
    trusted = ssl.create_default_context(cafile=str(deployed.authority))
    with httpx.Client(base_url=deployed.url, verify=trusted) as visitor:
        for path in ("/dagster/", "/dagster", "/dagster/graphql", "/dagster/server_info"):
            assert visitor.get(path).status_code == 401, path
        token = {"Authorization": f"Bearer {people[1].key}"}
        assert visitor.get("/dagster/", headers=token).status_code in (401, 403)
        assert visitor.get("/metrics").status_code == 404
        assert visitor.get("/healthz").status_code == 200


def test_a_stranger_to_the_authority_does_not_believe_the_door(deployed):
    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        httpx.get(deployed.url, verify=ssl.create_default_context(cafile=str(AUTHORITIES)))


def test_secrets_are_read_by_their_process_alone(deployed):
    files = [path for path in (deployed.folder / "secrets").rglob("*") if path.is_file()]
    found = [path for path in files if path.suffix != ".pub"]
    assert len(found) > 15
    for path in found:
        assert path.stat().st_mode & 0o077 == 0, path
        assert path.stat().st_uid == path.parent.stat().st_uid, path
    # What is written for people and for Compose holds none of them.
    kept = {path.read_text().strip() for path in found} - {""}
    for name in (".env", "worker.env", "launch.json", "dagster/dagster.yaml"):
        text = (deployed.folder / name).read_text()
        assert not [secret for secret in kept if secret in text], name


def test_the_archive_is_written_as_backups_read_it():
    ours = archive_command(Path("/FOLDER/wal")).replace("/FOLDER", '"$SIGNALBOX_FOLDER"')
    assert f"archive_command = '{ours}'" in (COMPOSE / "postgresql.conf").read_text()
