"""What assets are handed, made from the process' settings."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg

from assets.forecasts.slot import SlotRuns
from assets.installation import Installation
from pipelines.settings import StoredKey, WorkerSettings
from sandbox.registry.image import ImageStore
from sandbox.registry.integrity import to_database
from sandbox.runner.engine import Engine, available_engine
from sql import traces
from sql.clock import clock_of, system_clock
from sql.configuration import ConfigurationError
from sql.data_source_keys import use_key
from sql.envelope import KeyRing
from sql.payments.stripe.account import open_client
from sql.roles import conninfo


def installation_of(settings: WorkerSettings) -> Installation:
    """This process' installation."""

    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(
            conninfo(settings.database_url), autocommit=True, application_name="signalbox worker"
        )

    clock = clock_of(settings.environment, settings.demo_clock)
    images = ImageStore(Path(settings.image_store), to_database(connect, clock))
    approved = settings.locks_approved
    return Installation(
        connect=connect,
        engine=lambda: _engine(settings, images, approved),
        images=images,
        clock=clock,
        feed_delay=settings.feed_delay,
        live_deadline=settings.live_deadline,
        api_url=settings.api_url,
        memory_budget_mb=settings.tick_memory_mb,
        stripe=open_client(settings.stripe_url, settings.stripe_key_file),
        grace=timedelta(days=settings.grace_days),
    )


def stored_key_of(installation: Installation, key_file: str | None) -> StoredKey:
    """Opens data-source keys of an installation, by the key pairs of a file."""

    def open_key(key_id: uuid.UUID, why: str) -> str:
        if key_file is None:
            raise ConfigurationError(
                "SIGNALBOX_DATA_KEY_FILE is not set: it holds what opens stored keys"
            )
        ring = KeyRing.read(Path(key_file))
        with installation.connect() as connection:
            return use_key(connection, ring, key_id, why, system_clock())

    return open_key


def slot_runs(installation: Installation) -> dg.ResourceDefinition:
    """One for each run, ended with it."""

    @dg.resource(description="The sandboxes of this run, shared by its shards.")
    def resource(_: dg.InitResourceContext) -> Iterator[SlotRuns]:
        runs = SlotRuns(installation)
        try:
            yield runs
        finally:
            runs.close()
            traces.flush()

    return resource


def tick_executor(settings: WorkerSettings) -> dg.ExecutorDefinition:
    """Who runs a tick's steps: its own process, or workers on several machines.

    Raises:
        ConfigurationError: the workers' queue is not set, or the extra is not installed.
    """
    if settings.tick_executor == "in_process":
        return dg.in_process_executor
    try:
        from pipelines.tick_workers.executor import spread_executor  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigurationError(
            "SIGNALBOX_TICK_EXECUTOR=celery needs an extra: install signalbox-platform[celery]"
        ) from error
    return spread_executor(settings)


def _engine(settings: WorkerSettings, images: ImageStore, approved: tuple[str, ...]) -> Engine:
    # A lock that no version uses yet has no folder: the next worker finds it.
    folders = [images.installed(lock) for lock in approved]
    return available_engine(
        settings.sandbox_engine,
        path=settings.sandbox_path,
        runtime=settings.sandbox_runtime,
        approved=[folder for folder in folders if folder is not None],
        zygotes_mb=settings.zygotes_mb,
    )
