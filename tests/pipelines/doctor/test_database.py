"""The doctor before databases that are really wrong."""

from datetime import timedelta

import psycopg
import pytest

from pipelines.operator.doctor.database import examine_database
from sql.clock import system_clock
from sql.roles import API, OWNER, WORKER, conninfo


def look(database, role=OWNER):
    return {one.subject: one for one in examine_database(conninfo(database.url(role)))}


def test_a_database_that_is_right_is_called_so(database):
    found = look(database)
    assert {name for name, one in found.items() if one.state == "miss"} == {"durability"}
    assert found["schema"].said.startswith("at its head")
    assert found["rights"].state == "ok"


def test_one_without_fsync_is_told_what_a_power_cut_does(database):
    # The tests' own cluster is made so, to be quick.
    found = look(database)["durability"]
    assert (found.state, found.mend) == ("miss", "alter system set fsync = on, and reload")


def test_a_schema_that_is_behind_names_both_revisions(database):
    with database.superuser() as connection:
        connection.execute("update public.alembic_version set version_num = '0001'")
    found = look(database)["schema"]
    assert found.state == "miss"
    assert found.said.startswith("at 0001, the code wants ")
    assert "signalbox migrate" in found.mend


def test_a_role_that_may_change_facts_is_named_with_what_it_may(database):
    with database.superuser() as connection:
        connection.execute(f"grant update, delete on forecast.slot_record to {WORKER}")
    found = look(database)["rights"]
    assert found.state == "miss"
    assert f"{WORKER} may update forecast.slot_record" in found.said
    assert f"{WORKER} may delete forecast.slot_record" in found.said


def test_a_role_that_passes_by_row_security_is_named(database):
    with database.superuser() as connection:
        connection.execute(f"alter role {API} bypassrls")
        try:
            found = look(database)["rights"]
        finally:
            connection.execute(f"alter role {API} nobypassrls")
    assert (found.state, found.said) == ("miss", f"{API} has bypassrls")


def test_a_process_may_not_be_a_member_of_the_owner(database):
    with database.superuser() as connection:
        connection.execute(f"grant {OWNER} to {API}")
        try:
            found = look(database)["rights"]
        finally:
            connection.execute(f"revoke {OWNER} from {API}")
    assert found.said == f"{API} is a member of {OWNER}"


def test_without_archive_it_is_said_how_far_back_a_restore_goes(database):
    found = look(database)["archive"]
    assert found.state == "warn"
    assert "archive_mode is off" in found.said


def test_a_server_that_does_not_answer_is_the_only_finding(tmp_path):
    (found,) = examine_database(f"host={tmp_path} dbname=signalbox user=nobody")
    assert (found.subject, found.state) == ("database", "miss")


def test_the_clocks_are_held_against_each_other(database):
    assert look(database)["database clock"].state == "ok"
    early = examine_database(
        conninfo(database.url(OWNER)), lambda: system_clock() - timedelta(hours=1)
    )
    found = next(one for one in early if one.subject == "database clock")
    assert found.state == "miss"
    assert found.said.startswith("3600.")
    assert "chrony" in found.mend


@pytest.mark.parametrize("role", [OWNER, WORKER])
def test_whoever_looks_changes_nothing(database, role):
    with database.superuser() as connection:
        before = changes(connection)
        look(database, role)
        assert changes(connection) == before


def changes(connection: psycopg.Connection) -> object:
    return connection.execute(
        "select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_all_tables"
        " where schemaname not in ('pg_catalog', 'pg_toast', 'information_schema')"
    ).fetchone()
