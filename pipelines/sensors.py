"""What follows a run, and what is looked after between runs."""

from typing import Any

import dagster as dg

from assets.installation import Installation
from assets.usage.settlement import settle_all
from pipelines.schedules import PARTITION_TAG
from sandbox.runner.reaper import reap_everywhere
from sql.clock import system_clock

REAP_SECONDS = 300
SETTLE_SECONDS = 300


def score_after_tick(tick: Any, score: Any) -> dg.SensorDefinition:
    """Scores when a tick has succeeded: its bars decide forecasts of earlier slots."""

    @dg.run_status_sensor(
        name="score_after_tick",
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[tick],
        request_job=score,
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=5,
        description="Each tick that succeeded is followed by scores and the audit of the log.",
    )
    def after_tick(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        partition = context.dagster_run.tags.get(PARTITION_TAG)
        if partition is None:
            return dg.SkipReason("a run over a range is scored with the next tick")
        return dg.RunRequest(run_key=context.dagster_run.run_id, partition_key=partition)

    return after_tick


def reap_sandboxes() -> dg.SensorDefinition:
    """Ends sandboxes past their deadline; its ticks tell which."""

    @dg.sensor(
        name="reap_sandboxes",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=REAP_SECONDS,
        description="Ends containers and cgroups of sandboxes that outlived their deadline.",
    )
    def reap(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        # Deadlines are the machine's time, also where the installation's clock is another.
        ended = reap_everywhere(system_clock())
        if not ended:
            return dg.SkipReason("no sandbox is past its deadline")
        context.log.warning("a worker died or was killed before it removed these: %s", ended)
        return dg.SkipReason(f"ended {len(ended)} past their deadline: {'; '.join(ended)}")

    return reap


def settle_subscriptions() -> dg.SensorDefinition:
    """Says of subscriptions that ended that they did; its ticks tell how many."""

    @dg.sensor(
        name="settle_subscriptions",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=SETTLE_SECONDS,
        required_resource_keys={"installation"},
        description="Ends subscriptions whose period is over, and has subscribers reminded.",
    )
    def settle(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        installation: Installation = context.resources.installation
        with installation.connect() as connection:
            changed = settle_all(connection, installation.clock())
        return dg.SkipReason(f"{changed} subscriptions changed their state")

    return settle
