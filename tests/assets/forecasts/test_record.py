"""Many outcomes in one transaction, on the real database; the answers are made up here."""

import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psycopg
import pytest
from psycopg.types.json import Jsonb

from assets.forecasts.record import Recorder, find_records
from assets.forecasts.run import Outcome
from assets.forecasts.version import published_versions
from assets.market_data.window import SlotPin
from assets.transparency.fsck import audit_log
from sandbox.registry.lock import Lock
from sandbox.registry.publish import go_live
from sandbox.registry.reservation import Submission, reserve
from sandbox.runner.engine import Usage
from sandbox.runner.errors import Missed
from sandbox.runner.run import SlotResult
from signalbox import Forecast, parse_manifest
from sql.roles import GIT, WORKER
from tests.waiting import until

SLOT = datetime(2026, 11, 20, 8, tzinfo=UTC)
PUBLISHED_AT = SLOT - timedelta(hours=1)
IN_TIME = SLOT + timedelta(minutes=3)
DEADLINE = timedelta(minutes=10)
DIGEST = "sha256:" + "0" * 64
TOML = """
[signal]
name = "{name}"
title = "A model"
[forecast]
symbols = ["BTCUSDT"]
horizons_hours = [1, 4]
lookback_hours = 48
[offer]
price = "5.00"
"""


@pytest.fixture
def versions(database):
    """Ten live versions of one provider."""
    provider = "6f1d4f3e-0000-4000-8000-000000000001"
    with database.superuser() as connection:
        connection.execute(
            "insert into account.user_account values (%s, 'ada', 'a@example.org', 'x', 'member',"
            " %s)",
            [provider, PUBLISHED_AT],
        )
        connection.execute(
            "insert into market.instrument (symbol, calendar, is_sample)"
            " values ('BTCUSDT', '24x7', true)"
        )
    with database.connect(GIT) as connection:
        for number in range(10):
            name = f"model-{number}"
            submission = Submission(provider, "ada", name, "v1.0.0", "c" * 40, Path("/nowhere"))
            held = reserve(connection, submission, PUBLISHED_AT)
            connection.execute(
                "update registry.version set tree_digest = %(digest)s, manifest = %(manifest)s,"
                " lock = '', lock_digest = %(lock)s, sbom = '{}', base_digest = %(digest)s,"
                " dependencies_digest = %(digest)s, source_digest = %(digest)s,"
                " image_digest = %(digest)s where id = %(id)s",
                {
                    "digest": DIGEST,
                    "lock": Lock("").digest,
                    "manifest": Jsonb(msgspec.to_builtins(parse_manifest(TOML.format(name=name)))),
                    "id": held.version_id,
                },
            )
            go_live(connection, submission, held, PUBLISHED_AT)
    with database.connect(WORKER) as connection:
        return published_versions(connection)


def outcome(version, *, point=0.001, missed=None):
    rows = None
    if missed is None:
        rows = (
            Forecast("BTCUSDT", 1, point, quantiles={0.1: -1.5e-5, 0.9: 0.25}, probability_up=0.5),
            Forecast("BTCUSDT", 4, -point),
        )
    result = SlotResult(SLOT, rows, missed, "said \0 this", 12.5, Usage(7.25, 31.5))
    pin = SlotPin(slot=SLOT, cutoff=SLOT + timedelta(minutes=2), max_batch=3)
    return Outcome(version, pin, DIGEST, result, "embedded", "forked")


def recorder(connection, versions, *, due=None, run_id=None):
    return Recorder(
        connection,
        versions,
        due=[v.id for v in versions] if due is None else due,
        live_deadline=DEADLINE,
        dagster_run_id=run_id,
    )


def leaves(connection):
    count, faults = audit_log(connection)
    assert faults == []
    return count


def test_a_batch_of_answers_and_misses_is_stored_whole_in_order_and_gapless(database, versions):
    outcomes = [outcome(one, point=0.001 * one.id) for one in versions[:9]]
    outcomes.append(outcome(versions[9], missed=Missed("timeout", "no answer within 1 s")))
    with database.connect(WORKER) as connection:
        written = recorder(connection, versions, run_id="run-1").write(outcomes, IN_TIME)
        assert [one.provenance for one in written] == ["live"] * 9 + ["missed"]
        assert [one.leaf_index for one in written] == list(range(10, 20))
        assert (written[0].cpu_ms, written[0].peak_memory_mb) == (7.25, 31.5)
        assert written[9].reason == "timeout: no answer within 1 s"
        found = find_records(connection, [one.id for one in versions], SLOT, due_only=True)
        assert [found[one.id] for one in versions] == written
        assert leaves(connection) == 20
    with database.superuser() as connection:
        row = connection.execute(
            "select f.horizon_hours, f.point, f.quantiles, f.probability_up, r.log, r.recorded_at,"
            " r.max_batch from forecast.slot_record r join forecast.forecast f on"
            " f.slot_record_id = r.id where r.version_id = %s and horizon_hours = 1",
            [versions[2].id],
        ).fetchone()
        (openings,) = connection.execute("select count(*) from forecast.opening").fetchone()
    expected = (1, 0.001 * versions[2].id, [[0.1, -1.5e-5], [0.9, 0.25]], 0.5, "said \\0 this")
    assert row == (*expected, IN_TIME, 3)
    assert openings == 9


def test_a_batch_that_crosses_the_deadline_is_judged_by_when_it_is_written(database, versions):
    with database.connect(WORKER) as connection:
        writer = recorder(connection, versions)
        (first,) = writer.write([outcome(versions[0])], SLOT + DEADLINE)
        (second,) = writer.write(
            [outcome(versions[1])], SLOT + DEADLINE + timedelta(microseconds=1)
        )
    assert (first.provenance, second.provenance) == ("live", "late")


def test_two_runs_of_one_slot_at_once_leave_one_record_and_one_leaf_each(database, versions):
    """One of a batch was recorded by another run a moment before: the others are not lost."""
    with database.connect(WORKER) as faster, database.connect(WORKER) as slower:
        mine = recorder(slower, versions, run_id="slower")
        with faster.transaction():
            theirs = recorder(faster, versions, run_id="faster").write(
                [outcome(versions[4], point=0.5)], IN_TIME
            )
            written = []
            thread = threading.Thread(
                target=lambda: written.extend(mine.write([outcome(v) for v in versions], IN_TIME))
            )
            thread.start()
            wait_until_blocked(database)
        thread.join()
        assert written[4] == theirs[0]
        assert [one.dagster_run_id for one in written].count("slower") == 9
        assert leaves(slower) == 20


def test_a_replay_stored_meanwhile_by_another_run_does_not_cost_the_batch(database, versions):
    with database.connect(WORKER) as faster, database.connect(WORKER) as slower:
        mine = recorder(slower, versions, due=[])
        with faster.transaction():
            recorder(faster, versions, due=[]).write([outcome(versions[4])], IN_TIME)
            written = []
            thread = threading.Thread(
                target=lambda: written.extend(mine.write([outcome(v) for v in versions], IN_TIME))
            )
            thread.start()
            wait_until_blocked(database)
        thread.join()
        assert [one.provenance for one in written] == ["replayed"] * 10
        assert leaves(slower) == 10


def test_a_missed_slot_that_is_run_again_stays_missed_beside_its_later_answer(database, versions):
    version = versions[0]
    with database.connect(WORKER) as connection:
        miss = outcome(version, missed=Missed("timeout", "no answer within 1 s"))
        (missed,) = recorder(connection, [version]).write([miss], IN_TIME)
        later = IN_TIME + timedelta(hours=1)
        (again,) = recorder(connection, [version], due=[]).write([outcome(version)], later)
        assert (again.provenance, again.forecasts, again.leaf_index) == ("replayed", 2, None)
        assert find_records(connection, [version.id], SLOT, due_only=True) == {version.id: missed}
        assert leaves(connection) == 11


def test_a_version_without_a_leaf_is_reported_and_its_batch_is_stored(database, versions):
    with database.connect(WORKER) as connection:
        writer = recorder(connection, versions)
        del writer._version_leaves[versions[3].id]
        with pytest.raises(LookupError, match=r"ada/model-3@v1\.0\.0 .* signalbox fsck"):
            writer.write([outcome(version) for version in versions], IN_TIME)
        assert leaves(connection) == 19


def test_a_batch_that_the_database_refuses_leaves_the_earlier_ones_stored(database, versions):
    with database.connect(WORKER) as connection:
        writer = recorder(connection, versions)
        writer.write([outcome(version) for version in versions[:5]], IN_TIME)
        writer._instruments["BTCUSDT"] = 999_999
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            writer.write([outcome(version) for version in versions[5:]], IN_TIME)
        assert leaves(connection) == 15
        assert len(find_records(connection, [v.id for v in versions], SLOT, due_only=True)) == 5


def test_a_writer_killed_within_a_batch_leaves_whole_batches_and_no_hole(database, versions):
    url = database.url(WORKER).render_as_string(hide_password=False)
    child = subprocess.Popen([sys.executable, "-c", KILLED, url, __file__], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"between\n"
    with database.connect(WORKER) as connection:
        wait_until_idle_in_transaction(database)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        written = recorder(connection, versions).write([outcome(v) for v in versions], IN_TIME)
        assert [one.dagster_run_id for one in written] == ["killed"] * 5 + [None] * 5
        assert leaves(connection) == 20


KILLED = """
import importlib.util, sys, time
import psycopg
from sqlalchemy import make_url
from assets.forecasts.version import published_versions
from sql.roles import conninfo
spec = importlib.util.spec_from_file_location("these", sys.argv[2])
these = importlib.util.module_from_spec(spec)
spec.loader.exec_module(these)
connection = psycopg.connect(conninfo(make_url(sys.argv[1])), autocommit=True)
versions = published_versions(connection)
writer = these.recorder(connection, versions, run_id="killed")
writer.write([these.outcome(version) for version in versions[:5]], these.IN_TIME)
with connection.transaction():
    writer.write([these.outcome(version) for version in versions[5:]], these.IN_TIME)
    print("between", flush=True)
    time.sleep(60)
"""


def wait_until_blocked(database):
    wait_until(database, "wait_event_type = 'Lock'")


def wait_until_idle_in_transaction(database):
    wait_until(database, "state = 'idle in transaction'")


def wait_until(database, condition):
    asked = f"select 1 from pg_stat_activity where datname = %s and {condition}"
    with database.superuser() as connection:
        until(lambda: connection.execute(asked, [database.name]).fetchone(), 20, lambda: condition)
