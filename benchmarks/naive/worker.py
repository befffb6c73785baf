"""The Celery worker: a task is one `docker run` and what it printed, stored."""

import os
import shlex
import subprocess

import msgspec
import psycopg
from celery import Celery
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.json import Jsonb

SETTINGS = "NAIVE_REDIS"
RUN_SECONDS = 60
SOCKET = ".s.PGSQL.5432"
INSIDE = "/run/postgresql"
HARDENED = shlex.split(
    "--rm --network none --user 65534:65534 --read-only --cap-drop ALL --ipc none"
    " --security-opt no-new-privileges --pids-limit 64 --memory 512m --memory-swap 512m --cpus 1"
    " --ulimit nofile=256 --tmpfs /tmp:rw,nosuid,nodev,noexec,size=64m"
)
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS")

app = Celery("naive", broker=os.environ.get(SETTINGS), backend=os.environ.get(SETTINGS))


@app.task  # type: ignore[untyped-decorator]
def run_model(run: int, model: str, settings: dict[str, str]) -> int:
    """Run one model in a container and store its forecasts; returns how many."""
    where = conninfo_to_dict(settings["database"])
    answer = subprocess.run(
        [
            "docker", "run", *HARDENED,
            "--volume", f"{where['host']}/{SOCKET}:{INSIDE}/{SOCKET}",
            "--env", f"DATABASE={make_conninfo(settings['database'], host=INSIDE)}",
            "--env", f"SLOT={settings['slot']}",
            "--env", "PYTHONPATH=/opt/dependencies:/opt/signalbox",
            *(word for name in THREADS for word in ("--env", f"{name}=1")),
            settings["image"], "/usr/bin/python3.11", "/srv/signal/run.py", model,
        ],
        capture_output=True, check=False, timeout=RUN_SECONDS,
    )  # fmt: skip
    if answer.returncode != 0:
        raise RuntimeError(answer.stderr.decode(errors="replace")[-500:])
    rows = msgspec.json.decode(answer.stdout)
    with psycopg.connect(settings["database"], autocommit=True) as connection:
        connection.execute(
            "insert into naive_forecast values (%s, %s, %s)", [run, settings["slot"], Jsonb(rows)]
        )
    return len(rows)
