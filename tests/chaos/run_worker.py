"""A run worker for `test_kills.py`: a process that runs the tick's job for one slot."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import psycopg

from assets.installation import Installation
from assets.market_data.sample import SampleSource
from pipelines.definitions import definitions_of
from pipelines.schedules import partition_key
from sandbox.registry.image import ImageStore
from sandbox.runner.engine import available_engine


@dataclass(frozen=True)
class Work:
    """What a worker is told; small enough to cross to its process."""

    conninfo: str
    images: Path
    engine: dict[str, str]
    slot: datetime
    clock_off: timedelta = timedelta(0)


def tick(work: Work, environment: dict[str, str]) -> None:
    """Run the job; exit status 0 when the run succeeded."""
    os.environ.update(environment)
    installation = Installation(
        connect=lambda: psycopg.connect(work.conninfo, autocommit=True),
        engine=lambda: available_engine(**work.engine),
        images=ImageStore(work.images),
        clock=lambda: work.slot + timedelta(minutes=1) + work.clock_off,
        feed_delay=timedelta(0),
        live_deadline=timedelta(minutes=10),
        api_url="http://127.0.0.1:8700",
    )
    grid = dg.HourlyPartitionsDefinition(start_date="2026-11-01-00:00", end_offset=1)
    definitions = definitions_of(installation, SampleSource(("BTCUSDT",)), grid, "1 * * * *")
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("tick").execute_in_process(
            instance=instance, partition_key=partition_key(work.slot), raise_on_error=False
        )
    os._exit(0 if result.success else 1)
