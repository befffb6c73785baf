"""What follows a run."""

from typing import Any

import dagster as dg

from pipelines.schedules import PARTITION_TAG


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
