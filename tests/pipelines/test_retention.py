"""What is forgotten each night, in Dagster's own storage and ours, and what never is."""

import os
from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg
import pytest
from psycopg.types.json import Jsonb

from pipelines.retention import Kept, forget
from sql.roles import API, DAGSTER, GIT, LOG, WORKER, conninfo, role_url

NOW = datetime(2026, 11, 20, 3, 48, tzinfo=UTC)
DAY = timedelta(days=1)
FACTS = (
    "forecast.slot_record", "forecast.forecast", "forecast.opening", "transparency.leaf",
    "transparency.checkpoint", "score.score", "audit.event", "ledger.entry", "ledger.line",
)  # fmt: skip


@pytest.fixture
def instance(postgres, tmp_path):
    """Dagster's storage as it is in production: Postgres, and logs in a folder."""
    admin, passwords = postgres
    url = role_url(admin, DAGSTER, passwords[DAGSTER]).render_as_string(hide_password=False)
    with dg.DagsterInstance.from_config(str(_configured(tmp_path, url))) as instance:
        yield instance


def _configured(folder, url):
    (folder / "dagster.yaml").write_text(
        "storage:\n  custom:\n    module: pipelines.dagster_storage\n"
        "    class: PooledPostgresStorage\n"
        f"    config: {{postgres_url: '{url}'}}\n"
        "telemetry: {enabled: false}\n"
    )
    return folder


@dg.job
def quick():
    @dg.op
    def say() -> None:
        os.write(1, b"said to the log\n")

    say()


def rows(instance, run_id) -> int:
    return len(instance.all_logs(run_id))


def test_old_runs_go_with_events_and_logs_and_young_and_running_ones_stay(
    database, instance, tmp_path
):
    old, young = (quick.execute_in_process(instance=instance).run_id for _ in range(2))
    running = instance.create_run_for_job(quick, status=dg.DagsterRunStatus.STARTED).run_id
    with psycopg.connect(conninfo(_storage(instance)), autocommit=True) as connection:
        connection.execute(
            "update runs set create_timestamp = now() - interval '100 days'"
            " where run_id = any(%s)", [[old, running]],
        )  # fmt: skip
    assert rows(instance, old) > 5
    with database.connect(WORKER) as connection:
        gone = forget(connection, instance, Kept(runs=90 * DAY), datetime.now(UTC))
    assert gone.runs == 1
    assert rows(instance, old) == 0
    assert not instance.has_run(old)
    assert instance.has_run(young)
    assert rows(instance, young) > 5
    assert instance.has_run(running)
    assert not list(tmp_path.glob(f"**/{old}"))
    for run_id in (young, running):
        instance.delete_run(run_id)


def test_raw_answers_go_when_no_young_batch_brought_them_and_sessions_when_they_are_over(
    database, instance
):
    with database.superuser() as connection:
        connection.execute(
            "insert into account.user_account values (gen_random_uuid(), 'ada', 'a@example.org',"
            " 'x', 'member', now())"
        )
        for digest, age in (("old", 400), ("young", 1), ("twice", 400), ("twice", 1)):
            _batch(connection, digest, NOW - age * DAY)
        for number in range(1200):  # more than are forgotten at once
            _token(connection, number, NOW - 40 * DAY)
        _token(connection, 2000, NOW - 10 * DAY)
        _token(connection, 2001, NOW + DAY)
    with database.connect(WORKER) as connection:
        gone = forget(connection, instance, Kept(), NOW)
        assert (gone.answers, gone.sessions) == (1, 1200)
        left = connection.execute("select digest from market.raw_answer order by 1").fetchall()
        assert left == [("twice",), ("young",)]
        again = forget(connection, instance, Kept(), NOW)
        assert (again.answers, again.sessions) == (0, 0)


@pytest.mark.parametrize("table", FACTS)
def test_no_role_that_runs_may_delete_what_proves_something(database, table):
    for role in (API, GIT, LOG, WORKER):
        with (
            database.connect(role) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(f"delete from {table}")


def _storage(instance) -> str:
    return instance.run_storage.postgres_url


def _batch(connection, digest, at):
    connection.execute(
        "insert into market.raw_answer values (%s, 1, 'x') on conflict do nothing", [digest]
    )
    connection.execute(
        "insert into market.ingest_batch (id, source, fetched_at, committed_at, is_history,"
        " raw_digest, counts, answers) select coalesce(max(id), 0) + 1, 'sample', %s, %s, false,"
        " 'd', '{}', %s from market.ingest_batch",
        [at, at, Jsonb([{"digest": digest, "end": at.isoformat()}])],
    )


def _token(connection, number, expires):
    connection.execute(
        "insert into account.refresh_token (token_sha256, family_id, user_id, issued_at,"
        " expires_at) select %s, gen_random_uuid(), id, %s, %s from account.user_account",
        [number.to_bytes(32), expires - 30 * DAY, expires],
    )
