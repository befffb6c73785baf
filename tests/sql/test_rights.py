"""Rights are tested by refusal."""

from collections.abc import Iterator

import psycopg
import pytest

from assets.market_data.window import as_model
from sql.roles import API, DATABASE, GIT, LOG, METRICS, MODEL, OWNER, WORKER
from tests.conftest import copied

INSERT_ONLY = [
    "audit.event",
    "account.terms_acceptance",
    "registry.version_event",
    "registry.signal_event",
    "registry.package_rule",
    "registry.advisory_import",
    "registry.advisory_acceptance",
    "registry.image_finding",
    "registry.signing_key",
    "market.instrument_alias",
    "market.ingest_batch",
    "market.bar",
    "market.reject",
    "forecast.slot_pin",
    "forecast.slot_record",
    "forecast.forecast",
    "forecast.opening",
    "forecast.replay_audit",
    "transparency.leaf",
    "transparency.tile",
    "transparency.checkpoint",
    "transparency.cosignature",
    "transparency.quorum",
    "transparency.anchor",
    "transparency.reproduction",
    "score.score",
    "billing.price",
    "billing.payment_event",
    "billing.subscription_event",
    "billing.outbox",
    "billing.trial_mark",
    "billing.payment",
    "billing.applied_event",
    "billing.reconciliation",
    "billing.proposal",
    "billing.consent",
]


@pytest.fixture(scope="module")
def untouched(postgres):
    """One database for tests in which everything is refused."""
    with copied(postgres, "test_rights", DATABASE) as database:
        yield database


@pytest.mark.parametrize("table", INSERT_ONLY)
@pytest.mark.parametrize("role", [API, GIT, WORKER, LOG, METRICS, OWNER])
def test_truncating_an_insert_only_table_is_refused_to_every_role(untouched, role, table):
    with untouched.connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"truncate {table} cascade")


@pytest.mark.parametrize("table", INSERT_ONLY)
def test_truncating_an_insert_only_table_is_refused_to_the_superuser(untouched, table):
    with untouched.superuser() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
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


def test_the_models_role_executes_one_function_and_reads_no_table(database):
    rooms = (
        "('account', 'audit', 'registry', 'market', 'forecast', 'transparency', 'score', 'billing',"
        " 'ledger')"
    )
    with database.superuser() as connection:
        readable = connection.execute(
            "select c.oid::regclass::text from pg_class c join pg_namespace n"
            f" on n.oid = c.relnamespace where n.nspname in {rooms} and c.relkind in ('r', 'v')"
            " and (has_any_column_privilege(%(role)s, c.oid, 'select, insert, update')"
            " or has_table_privilege(%(role)s, c.oid, 'delete, truncate'))",
            {"role": MODEL},
        ).fetchall()
        executable = connection.execute(
            "select p.oid::regproc::text from pg_proc p join pg_namespace n"
            f" on n.oid = p.pronamespace where n.nspname in {rooms} and p.prosecdef"
            " and p.prorettype <> 'trigger'::regtype"
            " and has_function_privilege(%s, p.oid, 'execute')",
            [MODEL],
        ).fetchall()
        login = connection.execute(
            "select rolcanlogin from pg_roles where rolname = %s", [MODEL]
        ).fetchone()
    assert readable == []
    assert executable == [("market.bars_as_of",)]
    assert login == (False,)


def test_reading_a_models_bars_as_the_worker_itself_is_refused(database):
    with database.connect(WORKER) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select market.bars_as_of('{1}', now(), now(), now(), 1)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), as_model(connection):
            connection.execute("select close from market.bar")
        assert connection.execute("select current_user").fetchone() == (WORKER,)
        with connection.transaction():
            with as_model(connection):
                assert connection.execute("select current_user").fetchone() == (MODEL,)
            assert connection.execute("select current_user").fetchone() == (WORKER,)


def test_every_table_and_column_has_a_comment(database):
    with database.superuser() as connection:
        bare = connection.execute(
            "select c.table_schema, c.table_name, c.column_name from information_schema.columns c"
            " where c.table_schema in ('account', 'audit', 'registry', 'market', 'forecast',"
            " 'transparency', 'score', 'billing', 'ledger') and col_description("
            " (c.table_schema || '.' || c.table_name)::regclass, c.ordinal_position) is null"
        ).fetchall()
    assert bare == []


def test_no_function_that_sees_more_than_its_caller_is_open_to_everybody(untouched):
    with untouched.superuser() as connection:
        rows = connection.execute(
            "select p.oid::regprocedure::text from pg_proc p"
            " where p.prosecdef and p.prorettype <> 'trigger'::regtype"
            " and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
            " where a.grantee = 0 and a.privilege_type = 'EXECUTE') order by 1"
        )
        assert [name for (name,) in rows] == []
