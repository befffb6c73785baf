"""What grows and proves nothing goes once a day: Dagster's runs, raw answers, ended sessions.

Forecasts, records, leaves, checkpoints, scores, acts on record and the ledger are never
deleted: no role that runs may, and nothing here tries.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

import dagster as dg
import psycopg

from assets.installation import Installation

RETENTION = "retention"
CRON = "48 3 * * *"
AT_ONCE = 500
RUNS_AT_MOST = 20_000  # of one night; a backlog is worked off over several
FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
FORGET: dict[str, LiteralString] = {
    "answers": "select market.forget_raw_answers(%s, %s)",
    "sessions": "select account.forget_sessions(%s, %s)",
}


@dataclass(frozen=True)
class Kept:
    """For how long, from when a thing ended."""

    runs: timedelta = timedelta(days=90)
    answers: timedelta = timedelta(days=365)
    sessions: timedelta = timedelta(days=30)


DEFAULT = Kept()


@dataclass(frozen=True)
class Forgotten:
    """How many are gone."""

    runs: int
    answers: int
    sessions: int


def retention_job(kept: Kept) -> Any:
    """Forgets, and says how much."""

    @dg.op(
        required_resource_keys={"installation"},
        description="Deletes old runs of Dagster's, raw answers of sources, and ended sessions.",
    )
    def forget_what_is_old(context: dg.OpExecutionContext) -> None:
        installation: Installation = context.resources.installation
        with installation.connect() as connection:
            gone = forget(connection, context.instance, kept, installation.clock())
        context.log.info("%s runs, %s answers, %s sessions", *asdict(gone).values())
        context.add_output_metadata(asdict(gone))

    @dg.job(
        name=RETENTION,
        executor_def=dg.in_process_executor,
        description="What grows and proves nothing, when it is old.",
    )
    def retention() -> None:
        forget_what_is_old()

    return retention


def retention_schedule(job: Any) -> dg.ScheduleDefinition:
    """Asks for it at 03:48 UTC."""
    return dg.ScheduleDefinition(
        name="daily_retention",
        job=job,
        cron_schedule=CRON,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Each night, between two ticks.",
    )


def forget(
    connection: psycopg.Connection[Any], instance: dg.DagsterInstance, kept: Kept, now: datetime
) -> Forgotten:
    """Forget what is older than it is kept.

    Args:
        connection: autocommit, as `signalbox_worker`.
        instance: Dagster's.
        kept: for how long.
        now: UTC.
    """
    return Forgotten(
        runs=sum(1 for _ in _forget_runs(instance, now - kept.runs)),
        answers=_forget_rows(connection, FORGET["answers"], now - kept.answers),
        sessions=_forget_rows(connection, FORGET["sessions"], now - kept.sessions),
    )


def _forget_runs(instance: dg.DagsterInstance, before: datetime) -> Iterator[str]:
    """Delete finished runs with their events and logs; a run that goes on is never old."""
    old = dg.RunsFilter(statuses=FINISHED, created_before=before)
    for _ in range(RUNS_AT_MOST // AT_ONCE):
        runs = instance.get_runs(old, limit=AT_ONCE)
        for run in runs:
            instance.compute_log_manager.delete_logs(prefix=[run.run_id])
            instance.delete_run(run.run_id)
            yield run.run_id
        if len(runs) < AT_ONCE:
            return


def _forget_rows(
    connection: psycopg.Connection[Any], statement: LiteralString, before: datetime
) -> int:
    gone = 0
    while row := connection.execute(statement, [before, AT_ONCE]).fetchone():
        gone += row[0]
        if row[0] < AT_ONCE:
            break
    return gone
