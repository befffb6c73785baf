"""The production files, run whole: images, networks, a container per run, TLS at the door."""

import json
import secrets
import shutil
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from benchmarks.processes import free_port
from pipelines.operator.demo_people import Client, Person, push_example
from sql.archive import archive_command
from sql.clock import DemoClock, floor_hour, system_clock
from tests.end_to_end.deployment import CHECKOUT, COMPOSE, Deployed, remove, said, watched
from tests.waiting import until

AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
EXAMPLE = "momentum-quantiles"
SIGNAL = f"ada/{EXAMPLE}"
LIVE_SECONDS = 420
HISTORY = timedelta(days=60)

# Anybody on the internet who takes a connection; and from inside, nobody is.
CALLS_OUT = """
import shutil
import socket
for host in {hosts}:
    try:
        socket.create_connection((host, 443), 3).close()
    except OSError:
        continue
    print("reached", host)
"""

WATCHED = {
    "signalbox-api", "signalbox-git", "signalbox-log", "signalbox-exporter",
    "prometheus", "alertmanager",
}  # fmt: skip

# Building what is not built yet, and bringing all of it up.
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    # Short: a zygote's socket is below it. The daemon must know it by the same name.
    folder = Path(tempfile.mkdtemp(prefix="sbx-", dir="/var/tmp"))
    project, port = f"sbx{secrets.token_hex(3)}", free_port()
    said(sys.executable, str(CHECKOUT / "deploy/images/build.py"))
    here = Deployed(
        folder, project, f"https://localhost:{port}",
        ("--http-port", str(free_port()), "--https-port", str(port), "--authorities",
         str(AUTHORITIES), "--subnet", f"10.213.{secrets.randbelow(250)}.0/24"),
    )  # fmt: skip
    here.prepare()
    with pytest.MonkeyPatch.context() as patched, watched(here):
        patched.setenv("SSL_CERT_FILE", str(here.authority))
        patched.setenv("GIT_SSL_CAINFO", str(here.authority))
        try:
            here.compose("up", "--detach")
            yield here
        finally:
            remove(here)


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


def test_an_operator_who_has_logged_in_sees_them(deployed):
    olga = Client.register(deployed.url, "olga", secrets.token_urlsafe(12))
    deployed.compose(
        "run", "--rm", "-T", "migrate", "signalbox", "user", "make-operator", olga.email
    )
    trusted = ssl.create_default_context(cafile=str(deployed.authority))
    with httpx.Client(base_url=deployed.url, verify=trusted) as browser:
        login = {"email": olga.email, "password": olga.password}
        token = browser.post("/v1/auth/login", json=login).json()["access_token"]
        shown = {"Authorization": f"Bearer {token}"}
        assert browser.post("/v1/admin/dagster/session", headers=shown).status_code == 204
        assert '"assetPrefix":"/dagster"' in browser.get("/dagster/").text
        asked = browser.post("/dagster/graphql", json={"query": "{version}"})
        assert asked.json()["data"]["version"]


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
    # Nor does the machine's anybody see what providers have pushed.
    assert [(deployed.folder / name).stat().st_mode & 0o007 for name in ("git", "images")] == [0, 0]
    # What is written for people and for Compose holds none of them.
    kept = {path.read_text().strip() for path in found} - {""}
    for name in (".env", "worker.env", "launch.json", "dagster/dagster.yaml"):
        text = (deployed.folder / name).read_text()
        assert not [secret for secret in kept if secret in text], name


def test_a_run_is_ended_from_dagsters_page_and_its_container_is_gone(deployed, forecasts):
    assert forecasts
    program = Path(__file__).with_name("ended_by_hand.py").read_text()
    with deployed.locked("market.raw_answer"):
        status, run = json.loads(deployed.python("code-server", program))
    assert status in ("CANCELING", "CANCELED")
    of_it = ["--filter", f"label=dagster/run_id={run}"]
    until(lambda: not said("docker", "ps", "-q", *of_it), 60)


def test_backups_are_made_beside_it_and_each_is_whole(deployed):
    until((deployed.folder / "backups" / "latest.json").exists, 120)
    assert "whole" in deployed.compose("exec", "-T", "backup", "signalbox", "backup", "verify")


def test_every_process_is_watched(deployed):
    query = f"http://prometheus:9090/api/v1/query?query={quote('up == 1')}"
    asked = f"import urllib.request as u; print(u.urlopen({query!r}, timeout=10).read().decode())"

    def watched_ones():
        found = json.loads(deployed.python("code-server", asked))["data"]["result"]
        return {one["metric"]["job"] for one in found}

    until(lambda: watched_ones() >= WATCHED, 60, watched_ones)


def test_a_lost_machine_is_restored_as_the_guide_says_and_serves_what_it_served(
    deployed, people, forecasts
):
    assert forecasts

    def served():
        return Client(deployed.url, people[1]).get(f"/v1/signals/{SIGNAL}/forecasts/latest")

    before = served()
    # Rows come from the archived log up to the end, images and repositories from a backup.
    deployed.compose("exec", "-T", "backup", "signalbox", "backup")
    deployed.compose("down", "--timeout", "60")
    lost = deployed.folder.with_name(f"{deployed.folder.name}-lost")
    deployed.folder.rename(lost)
    try:
        kept = lost / "kept-apart"
        kept.mkdir()
        said("cp", "-a", str(lost / "secrets"), str(kept))
        said(
            sys.executable, "-c", "from signalbox.cli import main; main()", "restore",
            "--from", str(lost / "backups"), "--secrets-from", str(kept), "--prepare-only",
            "--home", str(deployed.folder), "--postgres-uid", "64970",
        )  # fmt: skip
        deployed.prepare()
        for name in ("signer", "clock"):
            shutil.rmtree(deployed.folder / name)
            said("cp", "-a", str(lost / name), str(deployed.folder))
        deployed.compose("up", "--detach", "--wait")
        assert served() == before
        assert "whole" in deployed.compose("exec", "-T", "code-server", "signalbox", "fsck")
    finally:
        shutil.rmtree(lost)


def test_the_archive_is_written_as_backups_read_it():
    ours = archive_command(Path("/FOLDER/wal")).replace("/FOLDER", '"$SIGNALBOX_FOLDER"')
    assert f"archive_command = '{ours}'" in (COMPOSE / "postgresql.conf").read_text()
