"""Dagster's storage: the instance of deploy/dagster.yaml, on real Postgres."""

import shutil
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


def test_the_instance_survives_a_restarted_connection(instance, postgres):
    instance.get_runs_count()
    with psycopg.connect(conninfo(postgres[0]), autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'dagster'"
        )
    assert instance.get_runs_count() >= 0
