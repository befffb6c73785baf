"""The processes of an installation that are watched, and who watches them."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from benchmarks.processes import free_port
from tests.deploy.machine import program
from tests.waiting import until

CHECKOUT = Path(__file__).parents[2]
DEPLOY = CHECKOUT / "deploy"
TOKEN = "0123456789abcdef0123456789abcdef"


@dataclass
class Processes:
    """Started here, ended here; what each writes is kept."""

    folder: Path
    running: dict[str, subprocess.Popen] = field(default_factory=dict)

    def start(self, name: str, command: list[str], **environment: str) -> None:
        inherited = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=CHECKOUT, env={**inherited, **environment}, stdout=log, stderr=log
            )

    def module(self, name: str, module: str, **environment: str) -> None:
        self.start(name, [sys.executable, "-m", module], **environment)

    def end(self, name: str) -> None:
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def end_all(self) -> None:
        for name in list(self.running):
            self.end(name)

    def said(self, name: str) -> list[str]:
        return (self.folder / f"{name}.log").read_text().splitlines()


@dataclass
class Prometheus:
    """The real one, over a copy of our configuration that names this house's ports."""

    url: str

    def ask(self, query: str) -> list[dict]:
        """The samples of a query at this moment."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": query}).json()
        assert answer["status"] == "success", (query, answer)
        return answer["data"]["result"]

    def targets(self) -> dict[str, str]:
        """Health by job."""
        active = httpx.get(f"{self.url}/api/v1/targets").json()["data"]["activeTargets"]
        return {one["labels"]["job"]: one["health"] for one in active}

    def names(self) -> set[str]:
        """Of all figures that it has."""
        return set(httpx.get(f"{self.url}/api/v1/label/__name__/values").json()["data"])


def prometheus_files(folder: Path, ports: dict[str, int]) -> None:
    """Our configuration with this house's addresses, asked and judged every two seconds."""
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    config["global"] = dict.fromkeys(config["global"], "2s")
    token = folder / "token"
    token.write_text(TOKEN)
    for job in config["scrape_configs"]:
        if "authorization" in job:
            job["authorization"] = {"credentials_file": str(token)}
        name = job["job_name"].removeprefix("signalbox-")
        assert "dns_sd_configs" in job or job["static_configs"]
        job.pop("dns_sd_configs", None)
        job["static_configs"] = [{"targets": [f"127.0.0.1:{ports[name]}"]}]
    config["alerting"]["alertmanagers"] = [
        {"static_configs": [{"targets": [f"127.0.0.1:{ports['alertmanager']}"]}]}
    ]
    (folder / "rules").mkdir()
    for file in (DEPLOY / "prometheus" / "rules").glob("*.yml"):
        rules = yaml.safe_load(file.read_text())
        for group in rules["groups"]:
            for rule in group["rules"]:
                rule["for"] = "1s"
        (folder / "rules" / file.name).write_text(json.dumps(rules))
    (folder / "prometheus.yml").write_text(json.dumps(config))


def alertmanager_file(folder: Path, mail_port: int, hook_port: int) -> Path:
    """Our configuration with receivers of this house, and no patience."""
    config = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text())
    config["global"] = {
        "smtp_smarthost": f"127.0.0.1:{mail_port}",
        "smtp_from": config["global"]["smtp_from"],
        "smtp_require_tls": False,
    }
    config["route"] |= {"group_wait": "0s", "group_interval": "1s"}
    hook = folder / "hook-token"
    hook.write_text(TOKEN)
    for receiver in config["receivers"]:
        for one in receiver.get("webhook_configs", ()):
            one["url"] = f"http://127.0.0.1:{hook_port}/"
            one["http_config"]["authorization"]["credentials_file"] = str(hook)
    file = folder / "alertmanager.yml"
    file.write_text(json.dumps(config))
    return file


def start_watchers(processes: Processes, ports: dict[str, int], mail: int, hook: int) -> Prometheus:
    """Alertmanager and Prometheus; the latter has asked everybody when this returns."""
    folder = processes.folder
    processes.start(
        "alertmanager",
        [
            program("prometheus-alertmanager"),
            f"--config.file={alertmanager_file(folder, mail, hook)}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{ports['alertmanager']}",
            "--cluster.listen-address=",
        ],
    )
    prometheus_files(folder, ports)
    processes.start(
        "prometheus",
        [
            program("prometheus"),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
        ],
    )
    made = Prometheus(f"http://127.0.0.1:{ports['prometheus']}")

    def all_answer() -> bool:
        try:
            targets = made.targets()
        except (httpx.TransportError, KeyError, ValueError):
            return False
        return len(targets) == len(ports) and set(targets.values()) == {"up"}

    until(all_answer)
    return made


@contextmanager
def hook() -> Iterator[tuple[int, list[tuple[str, dict]]]]:
    """Somebody's endpoint: its port, and who sent what."""
    got: list[tuple[str, dict]] = []

    class Caller(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.headers.get("Authorization", ""), json.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Caller) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, got
        server.shutdown()


@contextmanager
def certificate_shown(folder: Path, left: timedelta) -> Iterator[int]:
    """A port at which a certificate of example.org is shown that ends in `left`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.org")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=90))
        .not_valid_after(now + left)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(key.private_bytes(*form) + made.public_bytes(Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=_shake_hands, args=(listening, context), daemon=True).start()
        yield listening.getsockname()[1]


def _shake_hands(listening: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listening.accept()
            context.wrap_socket(plain, server_side=True).close()
        except OSError:
            if listening.fileno() < 0:
                return


def ports_of(*names: str) -> dict[str, int]:
    return {name: free_port() for name in names}


def query_url(prometheus: str, query: str) -> str:
    """The page of Prometheus that draws it."""
    asked = urllib.parse.urlencode({"g0.expr": query, "g0.tab": 0, "g0.range_input": "1h"})
    return f"{prometheus}/graph?{asked}"
