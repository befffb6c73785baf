"""The code location: one asset per published version, from the registry as it is now.

Loaded by the code server, loaded again when a version is published, and loaded
by every run worker for itself; runs in flight keep what they loaded.
"""

import dagster as dg

from assets.forecasts.asset import SHARD_SIZE, shards
from assets.forecasts.version import published_versions
from assets.installation import Installation
from assets.market_data.asset import KEY as BARS
from assets.market_data.asset import bars_asset
from assets.market_data.source import Source
from assets.scores.asset import KEY as SCORES
from assets.scores.asset import scores_asset
from assets.scores.performance.asset import performance_asset
from assets.transparency.asset import log_asset
from assets.transparency.covered import log_is_covered
from assets.transparency.reproduce_asset import reproduced_asset
from assets.usage.asset import business_asset
from assets.usage.credits import credits_asset
from assets.usage.reconciliation_asset import reconciliation_asset
from pipelines.image_check import daily_schedule, image_check_job
from pipelines.nightly import (
    days_of,
    nightly_schedule,
    reconcile_job,
    reconcile_schedule,
    reproduce_job,
    usage_job,
    usage_schedule,
)
from pipelines.resources import installation_of, slot_runs, stored_key_of, tick_executor
from pipelines.retention import DEFAULT, Kept, retention_job, retention_schedule
from pipelines.schedules import hourly_schedule, score_job, tick_job
from pipelines.sensors import reap_sandboxes, score_after_tick, settle_subscriptions
from pipelines.settings import WorkerSettings, source_of
from sql import traces
from sql.configuration import read_settings


def definitions_of(
    installation: Installation,
    source: Source,
    partitions: dg.HourlyPartitionsDefinition,
    cron: str,
    *,
    executor: dg.ExecutorDefinition = dg.in_process_executor,
    shard_size: int = SHARD_SIZE,
    kept: Kept = DEFAULT,
) -> dg.Definitions:
    """Everything Dagster knows of an installation, from its registry as it is now.

    Args:
        installation: what the assets are handed.
        source: of bars.
        partitions: the installation's hours.
        cron: when the schedule looks for owed slots.
        executor: of the tick.
        shard_size: versions that are one step of the tick, at most.
        kept: for how long what grows is kept.
    """
    with installation.connect() as connection:
        versions = published_versions(connection)
    forecasts = [dg.AssetKey(version.asset_key) for version in versions]
    tick, score = tick_job(forecasts, executor), score_job()
    reproduce, images, usage = reproduce_job(), image_check_job(), usage_job()
    reconciliation, retention = reconcile_job(), retention_job(kept)
    return dg.Definitions(
        assets=[
            bars_asset(partitions),
            *shards(versions, partitions, shard_size),
            log_asset(partitions, forecasts),
            reproduced_asset(days_of(partitions)),
            scores_asset(partitions, [BARS, *forecasts]),
            performance_asset(partitions, [SCORES]),
            credits_asset(days_of(partitions)),
            business_asset(days_of(partitions)),
            reconciliation_asset(),
        ],
        asset_checks=[log_is_covered()],
        jobs=[tick, score, reproduce, images, usage, reconciliation, retention],
        schedules=[
            hourly_schedule(tick, cron),
            nightly_schedule(reproduce),
            daily_schedule(images),
            usage_schedule(usage),
            reconcile_schedule(reconciliation),
            retention_schedule(retention),
        ],
        sensors=[score_after_tick(tick, score), reap_sandboxes(), settle_subscriptions()],
        resources={
            "installation": dg.ResourceDefinition.hardcoded_resource(installation),
            "slot_runs": slot_runs(installation),
            "market_source": dg.ResourceDefinition.hardcoded_resource(source),
        },
    )


def grid(settings: WorkerSettings) -> dg.HourlyPartitionsDefinition:
    """The installation's hours. Partition H is slot H: it exists as soon as the hour begins."""
    return dg.HourlyPartitionsDefinition(
        start_date=settings.first_partition,
        timezone="UTC",
        # Dagster's clock is the world's. A demo clock that was moved once runs up to an hour
        # ahead of it, and up to two when it was moved again.
        end_offset=3 if settings.demo_clock else 1,
    )


@dg.definitions
def definitions() -> dg.Definitions:
    """This process' definitions."""
    traces.begin("worker")
    settings = read_settings(WorkerSettings)
    installation = installation_of(settings)
    stored_key = stored_key_of(installation, settings.data_key_file)
    source = source_of(settings.market_source, stored_key)
    return definitions_of(
        installation, source, grid(settings), settings.schedule_cron,
        executor=tick_executor(settings), shard_size=settings.shard_size, kept=settings.kept,
    )  # fmt: skip
