"""Rights are tested by refusal."""

from collections.abc import Iterator

import psycopg
import pytest

from sql.roles import API, GIT, OWNER, WORKER

INSERT_ONLY = [
    "audit.event",
    "registry.version_event",
    "market.instrument_alias",
    "market.ingest_batch",
    "market.bar",
    "market.reject",
    "forecast.slot_record",
    "forecast.forecast",
    "forecast.opening",
    "forecast.replay_audit",
    "transparency.leaf",
    "score.score",
    "billing.price",
    "billing.payment_event",
]


@pytest.mark.parametrize("table", INSERT_ONLY)
@pytest.mark.parametrize("role", [API, GIT, WORKER, OWNER])
def test_truncating_an_insert_only_table_is_refused_to_every_role(database, role, table):
    with database.connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"truncate {table} cascade")


@pytest.mark.parametrize("table", INSERT_ONLY)
def test_truncating_an_insert_only_table_is_refused_to_the_superuser(database, table):
    with database.superuser() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"truncate {table} cascade")


@pytest.fixture
def version(database) -> Iterator[psycopg.Connection]:
    with database.superuser() as connection:
        connection.execute(
            "insert into account.user_account values (gen_random_uuid(), 'ada', 'ada@example.org',"
            " 'x', 'member', now())"
        )
        connection.execute(
            "insert into registry.signal (provider_id, name, title, description, visibility,"
            " created_at) select id, 'tide', 'Tide', '', 'public', now() from account.user_account"
        )
        connection.execute(
            "insert into registry.version (signal_id, version, state, reserved_at, published_at,"
            " pushed_by, commit_sha, tree_digest, lock_digest, image_digest)"
            " select s.id, 'v1.0.0', 'live', now(), now(), s.provider_id, 'c', 't', 'l', 'i'"
            " from registry.signal s"
        )
        yield connection


@pytest.mark.parametrize(
    "change",
    ["image_digest = 'other'", "commit_sha = 'other'", "version = 'v2.0.0'", "lock_digest = 'x'"],
)
def test_changing_the_code_under_a_published_version_is_refused_to_the_superuser(version, change):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        version.execute(f"update registry.version set {change}")


def test_a_retired_version_stays_retired(version):
    version.execute("update registry.version set state = 'retired'")
    with pytest.raises(psycopg.errors.CheckViolation, match="cannot go from retired to live"):
        version.execute("update registry.version set state = 'live'")


def test_deleting_a_version_is_refused_to_the_superuser(version):
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="keeps every version"):
        version.execute("delete from registry.version")


def test_a_second_forecast_for_a_due_slot_is_refused(version):
    insert = (
        "insert into forecast.slot_record (version_id, slot, provenance, reason, cutoff, max_batch,"
        " image_digest, engine, path, recorded_at, wall_ms, log)"
        " select id, '2026-01-01 10:00Z', %s, %s, now(), 1, 'i', 'docker', 'cold', now(), 1, ''"
        " from registry.version"
    )
    version.execute(insert, ["missed", "timeout"])
    with pytest.raises(psycopg.errors.UniqueViolation):
        version.execute(insert, ["live", None])
    version.execute(insert, ["replayed", None])


def test_the_api_cannot_write_a_forecast_nor_make_an_operator(database):
    with database.connect(API) as connection:
        for attack in (
            "insert into forecast.forecast values (1, 1, 1, now(), 0, null, null)",
            "update account.user_account set role = 'operator'",
            "insert into score.score values (1, 1, 1, 1, now(), 0, 0, 0, 0, true)",
            "insert into transparency.leaf values (0, 'x', 1, 0, '', '', now())",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attack)


def test_the_git_process_reads_no_password_and_no_forecast(database):
    with database.connect(GIT) as connection:
        for attack in (
            "select password_hash from account.user_account",
            "select * from forecast.forecast",
            "select * from billing.subscription",
            "select * from account.api_key",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attack)


def test_every_table_and_column_has_a_comment(database):
    with database.superuser() as connection:
        bare = connection.execute(
            "select c.table_schema, c.table_name, c.column_name from information_schema.columns c"
            " where c.table_schema in ('account', 'audit', 'registry', 'market', 'forecast',"
            " 'transparency', 'score', 'billing') and col_description("
            " (c.table_schema || '.' || c.table_name)::regclass, c.ordinal_position) is null"
        ).fetchall()
    assert bare == []
