"""`python -m pipelines.code_server`: Dagster's code server, reloaded on publication.

The registry notifies when a version changes state; the server then loads the
definitions anew beside the old ones and switches over, so that runs in flight
are not disturbed. A notice that is lost with its connection is made up for: the
listener compares the registry when it has connected again.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from typing import Any

import psycopg
from dagster._grpc.client import DagsterGrpcClient

from pipelines.settings import WorkerSettings
from sql import logs
from sql.configuration import read_settings
from sql.roles import conninfo
from sql.schema import end_on_other_schema

logger = logging.getLogger("signalbox.code_server")

CHANNEL = "signalbox_version"
STATES = "select coalesce(string_agg(id || state, ',' order by id), '') from registry.version"
WAIT_SECONDS = 5.0
RELOAD_SECONDS = 120


def main() -> int:
    """Serve until told to stop; returns the server's exit code."""
    logs.begin("code-server")
    host = os.environ.get("SIGNALBOX_CODE_HOST", "127.0.0.1")
    port = int(os.environ.get("SIGNALBOX_CODE_PORT", "8703"))
    settings = read_settings(WorkerSettings)
    end_on_other_schema(settings.database_url)
    # Before the server loads it: what is published from here on is seen as a change.
    seen = _registry_states(settings)
    server = subprocess.Popen(
        [
            sys.executable, "-m", "dagster", "code-server", "start",
            "--module-name", "pipelines.definitions",
            "--host", host, "--port", str(port), "--location-name", "signalbox",
        ]
    )  # fmt: skip
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    signal.signal(signal.SIGINT, lambda *_: server.terminate())
    client = DagsterGrpcClient(host=host, port=port)
    while server.poll() is None:
        try:
            seen = _follow(settings, client, server, seen)
        except psycopg.OperationalError:
            logger.warning("lost the database; trying again")
            time.sleep(WAIT_SECONDS)
    return server.returncode


def _follow(settings: WorkerSettings, client: DagsterGrpcClient, server: Any, seen: str) -> str:
    """Reload on every change until the connection or the server ends; returns what is loaded."""
    with psycopg.connect(conninfo(settings.database_url), autocommit=True) as connection:
        connection.execute(f"listen {CHANNEL}")
        while server.poll() is None:
            states = _states(connection)
            if states != seen and _reload(client):
                seen = states
            for _ in connection.notifies(timeout=WAIT_SECONDS, stop_after=1):
                pass
    return seen


def _registry_states(settings: WorkerSettings) -> str:
    with psycopg.connect(conninfo(settings.database_url)) as connection:
        return _states(connection)


def _states(connection: psycopg.Connection[Any]) -> str:
    row = connection.execute(STATES).fetchone()
    return str(row[0]) if row else ""


def _reload(client: DagsterGrpcClient) -> bool:
    try:
        client.reload_code(timeout=RELOAD_SECONDS)
    except Exception:
        logger.exception("the code server did not reload; trying again")
        return False
    logger.info("reloaded: the registry changed")
    return True


if __name__ == "__main__":
    sys.exit(main())
