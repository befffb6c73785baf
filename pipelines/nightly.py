"""What runs once a day, between two ticks: samples computed again, credits, comparisons."""

from datetime import timedelta
from typing import Any

import dagster as dg

from assets.installation import Installation

REPRODUCE = "reproduce"
USAGE = "usage"
RECONCILE = "reconcile"
# Between two ticks.
NIGHTLY = "24 0 * * *"
RECONCILED = "44 0 * * *"
AFTER_MIDNIGHT = "34 1 * * *"


def days_of(hours: dg.HourlyPartitionsDefinition) -> dg.DailyPartitionsDefinition:
    """The days of the grid; today's exists as soon as it begins."""
    return dg.DailyPartitionsDefinition(
        start_date=hours.start, timezone="UTC", end_offset=hours.end_offset
    )


def reproduce_job() -> Any:
    """The day's sample of logged forecasts, computed again."""
    return dg.define_asset_job(
        REPRODUCE,
        selection=dg.AssetSelection.assets("transparency/reproduced"),
        executor_def=dg.in_process_executor,
        description="Each night: logged forecasts drawn by the log itself, computed again.",
    )


def nightly_schedule(job: Any) -> dg.ScheduleDefinition:
    """Asks for the day's sample."""
    return _daily("nightly", job, NIGHTLY, "Each night, between two ticks.", timedelta(0))


def usage_job() -> Any:
    """What a day came to, when it is over."""
    return dg.define_asset_job(
        USAGE,
        selection=dg.AssetSelection.assets("usage/credits", "usage/business"),
        executor_def=dg.in_process_executor,
        description="Each day when it is over: credit for missed hours, the business' figures.",
    )


def usage_schedule(job: Any) -> dg.ScheduleDefinition:
    """Asks for the day that has ended."""
    return _daily(
        "daily_usage", job, AFTER_MIDNIGHT, "Each night, when the day before is over for good.",
        timedelta(days=1),
    )  # fmt: skip


def reconcile_job() -> Any:
    """The payment provider's objects, against ours."""
    return dg.define_asset_job(
        RECONCILE,
        selection=dg.AssetSelection.assets("usage/reconciliation"),
        executor_def=dg.in_process_executor,
        description="Each night: what the payment provider has, against what we have.",
    )


def reconcile_schedule(job: Any) -> dg.ScheduleDefinition:
    """Asks for the comparison."""
    return dg.ScheduleDefinition(
        name="reconcile_nightly",
        job=job,
        cron_schedule=RECONCILED,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Each night, between two ticks.",
    )


def _daily(
    name: str, job: Any, cron: str, description: str, ago: timedelta
) -> dg.ScheduleDefinition:
    """Asks for the day in which it was, so long ago, by the installation's clock."""

    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        required_resource_keys={"installation"},
        description=description,
    )
    def daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        installation: Installation = context.resources.installation
        day = f"{installation.clock() - ago:%Y-%m-%d}"
        return dg.RunRequest(run_key=day, partition_key=day)

    return daily
