"""When a slot is run: once an hour, and afterwards for what was missed."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from assets.forecasts.version import due_slots
from assets.installation import Installation
from assets.market_data.asset import KEY as BARS
from sql.clock import floor_hour

TICK = "tick"
SCORE = "score"
# A longer outage is worked off over several evaluations, newest slot first.
SLOTS_AT_ONCE = 6
# Then a run is ended, and what it owes is asked for again.
RUN_SECONDS = 50 * 60
FINISHED = (
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
)
PARTITION_TAG = "dagster/partition"


def partition_key(slot: datetime) -> str:
    """The partition of a slot."""
    return slot.strftime("%Y-%m-%d-%H:%M")


def tick_job(
    forecasts: Sequence[dg.AssetKey],
    executor: dg.ExecutorDefinition = dg.in_process_executor,
) -> Any:
    """Bars, then every version, for one slot; in one process unless the executor spreads it."""
    return dg.define_asset_job(
        TICK,
        # Checks of forecasts are not planned: a shard yields those that say something new.
        selection=dg.AssetSelection.assets(BARS)
        | dg.AssetSelection.assets(*forecasts).without_checks(),
        executor_def=executor,
        description="One slot: its bars, then the forecasts of every live version.",
        tags={"dagster/priority": "10", "dagster/max_runtime": str(RUN_SECONDS)},
    )


def score_job() -> Any:
    """What the bars of a slot decided, what that adds up to, and the audit of the log."""
    return dg.define_asset_job(
        SCORE,
        selection=dg.AssetSelection.assets("scores", "performance", "transparency/log"),
        executor_def=dg.in_process_executor,
        description="After each tick: scores of what was decided, performance, the log's audit.",
    )


def hourly_schedule(job: Any, cron: str) -> dg.ScheduleDefinition:
    """Asks for a run of every slot that is owed: the newest, and those missed before."""

    @dg.schedule(
        name="hourly",
        job=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        required_resource_keys={"installation"},
        description="Each hour, shortly after it began; missed slots are caught up as late.",
    )
    def hourly(
        context: dg.ScheduleEvaluationContext,
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        installation: Installation = context.resources.installation
        now = installation.clock()
        with installation.connect() as connection:
            owed = due_slots(connection, now)
            current = floor_hour(now)
            has_bars = connection.execute(
                "select 1 from market.ingest_batch where committed_at >= %s limit 1", [current]
            ).fetchone()
        wanted = {*owed, *([] if has_bars else [current])}
        under_way = _under_way(context.instance)
        newest_first = sorted(wanted, reverse=True)
        slots = [s for s in newest_first if partition_key(s) not in under_way][:SLOTS_AT_ONCE]
        if not slots:
            yield dg.SkipReason(f"every slot up to {current:%Y-%m-%d %H:%M} UTC is done or running")
            return
        # Failed slots are asked for again at the next evaluation: the key holds the hour asked in.
        for slot in reversed(slots):
            yield dg.RunRequest(
                run_key=f"{partition_key(slot)}@{context.scheduled_execution_time:%Y-%m-%d-%H:%M}",
                partition_key=partition_key(slot),
            )

    return hourly


def _under_way(instance: dg.DagsterInstance) -> set[str | None]:
    """Partitions whose tick is queued or running."""
    unfinished = [status for status in dg.DagsterRunStatus if status not in FINISHED]
    runs = instance.get_runs(dg.RunsFilter(job_name=TICK, statuses=unfinished))
    return {run.tags.get(PARTITION_TAG) for run in runs}
