"""`python -m pipelines.tick_workers`: a worker that takes shards of ticks until told to stop.

SIGTERM lets it finish what it is at; what it has not finished when it is killed is handed
out again.
"""

import os

from celery.signals import setup_logging

# Before the workers fork, so that each has it without loading it.
import pipelines.definitions  # noqa: F401
from pipelines.settings import WorkerSettings
from pipelines.tick_workers.worker import worker_app
from sql import logs
from sql.configuration import read_settings


def main() -> None:
    """Serve until told to stop."""
    logs.begin("tick-worker")
    # Somebody listens here: Celery leaves the handlers as they are.
    setup_logging.connect(lambda **_: None, weak=False)
    settings = read_settings(WorkerSettings)
    worker_app(settings).worker_main(
        [
            "--quiet",
            "worker",
            f"--concurrency={settings.worker_shards}",
            f"--hostname=tick-{os.getpid()}@%h",
            "--loglevel=INFO",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )


if __name__ == "__main__":
    main()
