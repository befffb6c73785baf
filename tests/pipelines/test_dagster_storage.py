"""Dagster's storage: the instance of deploy/dagster.yaml, on real Postgres."""

import shutil
import time
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from sql.roles import DAGSTER, conninfo, role_url

CHECKOUT = Path(__file__).parents[2]
OUTPUTS = 50


@pytest.fixture
def instance(postgres, tmp_path, monkeypatch):
    admin, passwords = postgres
    url = role_url(admin, DAGSTER, passwords[DAGSTER])
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", url.render_as_string(hide_password=False))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    shutil.copyfile(CHECKOUT / "deploy" / "dagster.yaml", tmp_path / "dagster.yaml")
    with dg.DagsterInstance.get() as made:
        yield made


def sessions(admin):
    """How many connections were ever opened to Dagster's database."""
    with psycopg.connect(conninfo(admin), autocommit=True) as connection:
        (count,) = connection.execute(
            "select sessions from pg_stat_database where datname = 'dagster'"
        ).fetchone()
    return count


def test_a_shard_of_fifty_versions_opens_a_handful_of_connections(instance, postgres):
    @dg.multi_asset(specs=[dg.AssetSpec(f"v{number}") for number in range(OUTPUTS)])
    def shard(context):
        for spec in context.assets_def.specs:
            yield dg.MaterializeResult(asset_key=spec.key)

    before = sessions(postgres[0])
    result = dg.materialize([shard], instance=instance)
    assert result.success
    assert len(instance.get_asset_keys()) >= OUTPUTS
    assert sessions(postgres[0]) - before < OUTPUTS / 2


@pytest.fixture
def shard():
    """A shard of which v3 misses its slot, and whose checks nobody planned but in the UI."""
    keys = [dg.AssetKey(f"v{number}") for number in range(OUTPUTS)]

    @dg.multi_asset(
        name="a_shard",
        specs=[dg.AssetSpec(key, skippable=True) for key in keys],
        check_specs=[dg.AssetCheckSpec("made", asset=key) for key in keys],
        partitions_def=dg.StaticPartitionsDefinition(["one", "two"]),
        can_subset=True,
    )
    def a_shard():
        for number, key in enumerate(keys):
            if number != 3:
                yield dg.MaterializeResult(asset_key=key, metadata={"leaf_index": number})
            yield dg.AssetCheckEvaluation(key, "made", passed=number != 3, metadata={"why": "?"})

    return a_shard


@pytest.fixture
def run(instance, shard):
    job = dg.define_asset_job("job", dg.AssetSelection.assets(shard).without_checks())
    planned = dg.define_asset_job("planned", dg.AssetSelection.assets(shard))
    definitions = dg.Definitions(assets=[shard], jobs=[job, planned])

    def execute(partition, name="job"):
        return definitions.resolve_job_def(name).execute_in_process(
            instance=instance, partition_key=partition
        )

    return execute


def latest_check(instance, key):
    check = dg.AssetCheckKey(dg.AssetKey(key), "made")
    found = instance.event_log_storage.get_latest_asset_check_execution_by_key([check])
    return found[check].status.value, found[check].event.asset_check_evaluation.passed


def test_what_a_shard_yields_in_batches_is_what_the_ui_finds(instance, run):
    result = run("one")
    assert result.success
    record = instance.get_latest_materialization_event(dg.AssetKey("v7"))
    assert record.asset_materialization.partition == "one"
    assert record.asset_materialization.metadata["leaf_index"].value == 7
    assert instance.get_materialized_partitions(dg.AssetKey("v7")) == {"one"}
    assert instance.get_materialized_partitions(dg.AssetKey("v3")) == set()
    assert latest_check(instance, "v7") == ("SUCCEEDED", True)
    assert latest_check(instance, "v3") == ("FAILED", False)
    (asset,) = instance.get_asset_records([dg.AssetKey("v7")])
    assert asset.asset_entry.last_run_id == result.run_id
    assert (
        asset.asset_entry.last_materialization_record.storage_id
        == instance.fetch_materializations(dg.AssetKey("v7"), limit=1).records[0].storage_id
    )


def test_checks_that_a_run_planned_are_answered_not_doubled(instance, run, postgres):
    result = run("two", "planned")
    assert latest_check(instance, "v3") == ("FAILED", False)
    url = postgres[0].set(database="dagster")
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        found = connection.execute(
            "select count(*), count(distinct asset_key) from asset_check_executions"
            " where run_id = %s",
            [result.run_id],
        ).fetchone()
    assert found == (OUTPUTS, OUTPUTS)


def test_events_stand_in_the_log_in_the_order_in_which_they_happened(instance, run):
    events = instance.all_logs(run("one").run_id)
    stamps = [event.timestamp for event in events]
    kinds = [event.dagster_event_type for event in events]
    assert stamps == sorted(stamps)
    last_made = max(
        place
        for place, kind in enumerate(kinds)
        if kind == dg.DagsterEventType.ASSET_MATERIALIZATION
    )
    assert kinds.index(dg.DagsterEventType.STEP_SUCCESS) > last_made
    assert kinds.count(dg.DagsterEventType.ASSET_MATERIALIZATION) == OUTPUTS - 1


def test_a_slow_neighbour_does_not_keep_what_was_made_from_others_eyes(instance):
    """Read by a second process' storage: what this one keeps, it writes in a moment."""
    seen = []

    @dg.multi_asset(specs=[dg.AssetSpec("early"), dg.AssetSpec("late")])
    def slow():
        yield dg.MaterializeResult(asset_key="early")
        with dg.DagsterInstance.get() as other:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and not seen:
                if other.get_latest_materialization_event(dg.AssetKey("early")):
                    seen.append("early")
                time.sleep(0.05)
        yield dg.MaterializeResult(asset_key="late")

    assert dg.materialize([slow], instance=instance).success
    assert seen == ["early"]


def test_an_event_log_that_cannot_be_written_fails_the_run(instance, postgres):
    """The table is renamed in mid-step: an error of a batch is not swallowed."""
    url = postgres[0].set(database="dagster")

    @dg.multi_asset(specs=[dg.AssetSpec("kept"), dg.AssetSpec("after")])
    def broken():
        with psycopg.connect(conninfo(url), autocommit=True) as connection:
            connection.execute("alter table asset_keys rename to hidden")
        yield dg.MaterializeResult(asset_key="kept")
        yield dg.MaterializeResult(asset_key="after")

    try:
        with pytest.raises(Exception, match="asset_keys"):
            dg.materialize([broken], instance=instance, raise_on_error=True)
    finally:
        with psycopg.connect(conninfo(url), autocommit=True) as connection:
            connection.execute("alter table hidden rename to asset_keys")


def test_the_instance_survives_a_restarted_connection(instance, postgres):
    instance.get_runs_count()
    with psycopg.connect(conninfo(postgres[0]), autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'dagster'"
        )
    assert instance.get_runs_count() >= 0


def test_the_password_comes_from_a_file_and_is_handed_on_to_nobody(postgres, tmp_path, monkeypatch):
    admin, passwords = postgres
    secret = tmp_path / "signalbox_dagster"
    secret.write_text(passwords[DAGSTER] + "\n")
    secret.chmod(0o600)
    url = role_url(admin, DAGSTER, "")._replace(password=None)
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", url.render_as_string())
    monkeypatch.setenv("DAGSTER_POSTGRES_PASSWORD_FILE", str(secret))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    shutil.copyfile(CHECKOUT / "deploy" / "dagster.yaml", tmp_path / "dagster.yaml")
    with dg.DagsterInstance.get() as made:
        assert made.get_runs_count() >= 0
        assert made.get_ticks("nobody", "nothing") == []
        assert made.get_asset_keys() is not None
        # Run workers are given this in their command, which every user of the machine can read.
        assert passwords[DAGSTER] not in dg.serialize_value(made.get_ref())
