"""An installation at work, with the real Prometheus and Alertmanager watching it."""

import itertools
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from aiosmtpd.controller import Controller

from benchmarks.processes import free_port
from pipelines.operator.backup.manifest import LATEST, Latest, write_whole
from sql.clock import floor_hour
from sql.roles import API, DATABASE, GIT, LOG, METRICS
from tests.api.conftest import SECRET, Factory
from tests.conftest import Database, copied
from tests.deploy.house import (
    TOKEN,
    Processes,
    Prometheus,
    certificate_shown,
    hook,
    ports_of,
    start_watchers,
)
from tests.pipelines.exporter.conftest import dagster_at_work
from tests.sandbox.git.gate import GitHouse
from tests.waiting import until

HOUR = timedelta(hours=1)
SERVING = ("api", "git", "log", "exporter")


@dataclass
class Mailbox:
    """Letters as the mail server was given them."""

    letters: list[tuple[list[str], str]]

    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802 - aiosmtpd's
        self.letters.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 taken"


@dataclass
class Watched:
    """What is watched, and by whom.

    Attributes:
        hooked: who sent what to the endpoint.
    """

    processes: Processes
    ports: dict[str, int]
    prometheus: Prometheus
    mailbox: Mailbox
    hooked: list[tuple[str, dict]]


@pytest.fixture(scope="module")
def watched(postgres) -> Iterator[Watched]:
    folder = Path(tempfile.mkdtemp(prefix="signalbox-watched-", dir="/var/tmp"))
    ports = ports_of(*SERVING, "alertmanager", "prometheus")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        database = stack.enter_context(copied(postgres, "test_watched", DATABASE))
        dagster = stack.enter_context(dagster_at_work(*postgres))
        hook_port, hooked = stack.enter_context(hook())
        mailbox = Mailbox([])
        mail = Controller(mailbox, hostname="127.0.0.1", port=free_port())
        mail.start()
        stack.callback(mail.stop)
        tls_port = stack.enter_context(certificate_shown(folder, timedelta(days=60)))
        write_whole(folder / LATEST, Latest(datetime.now(UTC), "newest"))
        processes = Processes(folder)
        stack.callback(processes.end_all)
        _start(processes, database, ports, tls_port)
        _dagster_has_run(dagster)
        _hours_are_recorded(database)
        pushes = _nonsense(processes, database, ports["git"])
        next(pushes)
        prometheus = start_watchers(processes, ports, mail.port, hook_port)
        next(pushes)  # what grew is seen by two readings
        for _ in range(3):
            httpx.get(f"http://127.0.0.1:{ports['api']}/v1/signals")
        yield Watched(processes, ports, prometheus, mailbox, hooked)


def _start(processes: Processes, database: Database, ports: dict[str, int], tls_port: int) -> None:
    folder = processes.folder
    (folder / "metrics-token").write_text(TOKEN)
    (folder / "secret").write_bytes(SECRET)
    (folder / "signer").mkdir(mode=0o700)
    common = {
        "SIGNALBOX_ENVIRONMENT": "test",
        "SIGNALBOX_LOG_FORMAT": "json",
        "SIGNALBOX_METRICS_TOKEN_FILE": str(folder / "metrics-token"),
        "SIGNALBOX_SIGNER_SOCKET": str(folder / "signer" / "socket"),
    }

    def start(name: str, module: str, role: str | None = None, **own: str) -> None:
        url = database.url(role).render_as_string(hide_password=False) if role else ""
        processes.module(name, module, **common, SIGNALBOX_DATABASE_URL=url, **own)

    start(
        "signer", "assets.transparency.signer", SIGNALBOX_SIGNER_FOLDER=str(folder / "signer"),
        SIGNALBOX_LOG_ORIGIN="example.org/log",
    )  # fmt: skip
    start(
        "log", "assets.transparency.publisher", LOG,
        SIGNALBOX_LOG_METRICS_PORT=str(ports["log"]), SIGNALBOX_LOG_REFRESH_MINUTES="1",
    )  # fmt: skip
    start(
        "api", "api", API, SIGNALBOX_API_PORT=str(ports["api"]),
        SIGNALBOX_SECRET_KEY_FILE=str(folder / "secret"),
    )  # fmt: skip
    start(
        "git", "sandbox.git", GIT, SIGNALBOX_GIT_PORT=str(ports["git"]),
        SIGNALBOX_REPOSITORIES=str(folder / "repositories"),
        SIGNALBOX_IMAGE_STORE=str(folder / "images"),
    )  # fmt: skip
    start(
        "exporter", "pipelines.exporter", METRICS, SIGNALBOX_EXPORTER_PORT=str(ports["exporter"]),
        SIGNALBOX_EXPORTER_KEEP_SECONDS="0", SIGNALBOX_WATCHED_FOLDERS=str(folder),
        SIGNALBOX_BACKUPS=str(folder), SIGNALBOX_CODE_PORT=str(ports["api"]),
        SIGNALBOX_WATCHED_CERTIFICATES=f"example.org@127.0.0.1:{tls_port}",
    )  # fmt: skip
    for name in SERVING:
        until(lambda name=name: _answers(f"http://127.0.0.1:{ports[name]}/healthz"))


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def _hours_are_recorded(database: Database) -> None:
    """A signal whose hours are on record, covered by the publisher, with what they took."""
    with database.superuser() as connection:
        make = Factory(connection, lambda _: None)
        tide = make.signal(make.person("ada"))
        newest = floor_hour(datetime.now(UTC))
        make.bar(newest - HOUR, 1.2, batch=1, known=newest)
        for hours, provenance in ((2, "live"), (1, "missed"), (0, "live")):
            with connection.transaction():
                make.slot(tide, newest - hours * HOUR, provenance)
        with connection.transaction():
            connection.execute("set local session_replication_role = replica")
            connection.execute("update forecast.slot_record set cpu_ms = 5, peak_memory_mb = 64")
        until(
            lambda: connection.execute(
                "select leaves = quorum_size from transparency.coverage"
            ).fetchone()[0]
        )


def _dagster_has_run(dagster: psycopg.Connection) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    for daemon in ("SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR"):
        dagster.execute(
            "insert into daemon_heartbeats (daemon_type, daemon_id, timestamp, body)"
            " values (%s, 'x', %s, '{}')",
            [daemon, now],
        )
    for status, began, ended in (("STARTED", 100, None), ("SUCCESS", 100, 103.5)):
        dagster.execute(
            "insert into runs (run_id, pipeline_name, status, run_body, start_time, end_time)"
            " values (%s, 'tick', %s, '{}', %s, %s)",
            [str(uuid.uuid4()), status, began, ended],
        )


def _nonsense(processes: Processes, database: Database, port: int) -> Iterator[None]:
    """Tags whose manifest is nonsense: declined, after their build had its turn."""
    house = GitHouse(port, processes.folder, database.admin.set(database=database.name), {})
    work = house.work(house.person("bob"), "nonsense")
    for number in itertools.count():
        work.commit({"signal.toml": f"nonsense {number}"}, tag=f"v1.0.{number}")
        pushed = work.push("main", f"v1.0.{number}")
        assert pushed.refused
        assert "signal.toml" in pushed.text
        yield
