"""Replays on record: a chunk at a time, resumed where they stopped, and audited."""

from datetime import UTC, datetime, timedelta

import pytest

from assets.forecasts import replay as replaying
from assets.forecasts.audit import CARRIED, OtherBarsError, audit_replay
from assets.forecasts.replay import AlreadyReplayingError, replay_version

SLOT = datetime(2026, 11, 20, 8, tzinfo=UTC)
PUBLISHED_AT = datetime(2026, 11, 20, 7, 34, tzinfo=UTC)
SLOTS = [SLOT - timedelta(hours=hours) for hours in range(24, -1, -1)]

HONEST = """
from signalbox import Forecast

def forecast(window):
    close = window.numpy("BTCUSDT")
    print("at", window.as_of)
    up = 0.5 if window.as_of.hour % 2 else None
    point = float(close[-1] / close[0] - 1) + 1e-9 * window.random.normal()
    return [Forecast("BTCUSDT", 1, point, probability_up=up)]
"""
FLAKY = HONEST.replace("print(", "assert window.as_of.hour != 3, 'three';print(")
# The same answers in a replay and in itself, but not from a fresh process.
CARRYING = """
from signalbox import Forecast

seen = []

def forecast(window):
    seen.append(window.numpy("BTCUSDT")[-1])
    return [Forecast("BTCUSDT", 1, float(seen[-1] / seen[0] - 1))]
"""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(replaying, "CHUNK_SLOTS", 4)


def records(house, version):
    with house.connect() as connection:
        return connection.execute(
            "select r.slot, r.provenance, r.path, r.leaf_index, r.cutoff - r.slot, r.log, f.point,"
            " f.probability_up, f.target_time - r.slot from forecast.slot_record r"
            " join forecast.forecast f on f.slot_record_id = r.id"
            " where r.version_id = %s order by r.id",
            [version.id],
        ).fetchall()


def verdicts(house):
    with house.connect() as connection:
        return connection.execute(
            "select audited, differing, first_difference from forecast.replay_audit order by id"
        ).fetchall()


def test_a_replay_is_on_record_in_order_without_leaves_and_with_its_log(house):
    version = house.publish("honest", HONEST)
    house.now[0] = SLOT
    done = list(replay_version(house.installation, version, SLOTS, dagster_run_id="r1"))
    stored = records(house, version)
    assert [row[0] for row in stored] == [one.slot for one in done] == SLOTS
    assert [row[1] for row in stored] == ["backfilled"] * 24 + ["replayed"]
    assert {row[2:5] for row in stored} == {("replay", None, timedelta(minutes=2))}
    assert [row[5] for row in stored] == [f"at {slot}\n" for slot in SLOTS]
    assert [row[7] for row in stored] == [0.5 if slot.hour % 2 else None for slot in SLOTS]
    assert {row[8] for row in stored} == {timedelta(hours=1)}
    with house.connect() as connection:
        (openings,) = connection.execute("select count(*) from forecast.opening").fetchone()
        runs = connection.execute("select distinct dagster_run_id from forecast.slot_record")
        assert (openings, runs.fetchall()) == (0, [("r1",)])


def test_a_replay_that_is_interrupted_keeps_its_answers_and_goes_on_after_them(house):
    version = house.publish("honest", HONEST)
    house.now[0] = SLOT
    running = replay_version(house.installation, version, SLOTS)
    interrupted = [next(running) for _ in range(6)]
    running.close()
    assert [row[0] for row in records(house, version)] == SLOTS[:6]
    resumed = list(replay_version(house.installation, version, SLOTS))
    assert [one.is_new for one in interrupted + resumed] == [True] * 6 + [False] * 6 + [True] * 19
    assert [row[0] for row in records(house, version)] == SLOTS


def test_a_second_replay_of_a_version_at_once_is_told_to_wait(house):
    version = house.publish("honest", HONEST)
    first = replay_version(house.installation, version, SLOTS)
    next(first)
    with pytest.raises(AlreadyReplayingError, match="is being replayed by another run"):
        list(replay_version(house.installation, version, SLOTS))
    first.close()
    assert len(list(replay_version(house.installation, version, SLOTS))) == len(SLOTS)


def test_a_slot_without_an_answer_is_reported_and_not_stored(house):
    version = house.publish("flaky", FLAKY)
    house.now[0] = SLOT
    done = list(replay_version(house.installation, version, SLOTS))
    missed = [one for one in done if one.reason is not None]
    assert [(one.slot.hour, one.reason) for one in missed] == [(3, "error: AssertionError: three")]
    assert len(records(house, version)) == len(SLOTS) - 1
    assert audit_replay(house.installation, version, SLOTS, count=3, seed=1).differing == 0


def test_a_model_that_carries_state_from_hour_to_hour_is_found_and_named(house):
    version = house.publish("carrying", CARRYING)
    house.now[0] = SLOT
    list(replay_version(house.installation, version, SLOTS))
    audit = audit_replay(house.installation, version, SLOTS, count=4, seed=2)
    assert (audit.audited, audit.differing > 0) == (4, True)
    assert CARRIED in audit.verdict
    assert " UTC BTCUSDT 1 h: replayed " in audit.first_difference
    assert verdicts(house) == [(4, audit.differing, audit.first_difference)]
    assert len(records(house, version)) == len(SLOTS)


def test_an_honest_replay_passes_the_audit_of_all_its_slots_when_they_are_few(house):
    version = house.publish("honest", HONEST)
    house.now[0] = SLOT
    list(replay_version(house.installation, version, SLOTS[:3]))
    audit = audit_replay(house.installation, version, SLOTS)
    assert (audit.audited, audit.differing, audit.first_difference) == (3, 0, None)
    assert verdicts(house) == [(3, 0, None)]


def test_bars_that_cannot_be_made_again_are_our_fault_and_not_the_models(house, database):
    version = house.publish("honest", HONEST)
    house.now[0] = SLOT
    list(replay_version(house.installation, version, SLOTS[:1]))
    with database.superuser() as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("update market.bar set close = close * 1.000001, high = high * 1.1")
    with pytest.raises(OtherBarsError, match="run signalbox fsck"):
        audit_replay(house.installation, version, SLOTS)
    assert verdicts(house) == []


def test_a_replay_that_has_ended_lets_the_next_begin_before_its_connection_is_gone(house):
    version = house.publish("honest", HONEST)
    with house.connect() as ended, house.connect() as next_one:
        with (
            replaying._held(ended, version),
            pytest.raises(AlreadyReplayingError),
            replaying._held(next_one, version),
        ):
            pytest.fail("both hold it")
        with replaying._held(next_one, version):
            assert not ended.closed
