"""The installation that assets are handed, made from the process' settings."""

from pathlib import Path
from typing import Any

import psycopg

from assets.installation import Installation
from pipelines.settings import WorkerSettings
from sandbox.registry.image import ImageStore
from sandbox.runner.engine import available_engine
from sql.clock import clock_of
from sql.roles import conninfo


def installation_of(settings: WorkerSettings) -> Installation:
    """This process' installation."""

    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(
            conninfo(settings.database_url), autocommit=True, application_name="signalbox worker"
        )

    return Installation(
        connect=connect,
        engine=lambda: available_engine(settings.sandbox_engine),
        images=ImageStore(Path(settings.image_store)),
        clock=clock_of(settings.environment, settings.demo_clock),
        feed_delay=settings.feed_delay,
        live_deadline=settings.live_deadline,
        api_url=settings.api_url,
    )
