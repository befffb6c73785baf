"""One slot of several versions, in the real sandbox, recorded in the real database."""

from datetime import UTC, datetime, timedelta

import msgspec
import psycopg
import pytest

from assets.forecasts.record import Recorder, find_record, provenance_of
from assets.forecasts.replay import replay_version
from assets.forecasts.tick import tick
from assets.forecasts.version import due_slots
from assets.market_data.window import pin
from assets.transparency.fsck import audit_log
from signalbox.commitment import commit

SLOT = datetime(2026, 11, 20, 8, tzinfo=UTC)
PUBLISHED_AT = datetime(2026, 11, 20, 7, 34, tzinfo=UTC)
DELAY = timedelta(minutes=2)
IN_TIME = SLOT + timedelta(minutes=3)
TOO_LATE = SLOT + timedelta(minutes=11)

HONEST = """
from signalbox import Forecast

def forecast(window):
    close = window.numpy("BTCUSDT")
    return [Forecast("BTCUSDT", 1, float(close[-1] / close[0] - 1) + 1e-9 * window.random.normal())]
"""

# Well-behaved when it is published, hostile once it is live.
HOSTILE = """
from signalbox import Forecast

def attack():
{attack}

def forecast(window):
    if window.as_of.year == 2026 and window.as_of.month == 11:
        attack()
    return [Forecast("BTCUSDT", 1, 0.0)]
"""
ATTACKS = {
    "opens-a-socket": (
        "    import socket\n    socket.create_connection(('127.0.0.1', 5432), timeout=1)",
        "error",
    ),
    "reads-a-host-file": ("    raise SystemExit(open('/etc/shadow').read())", "error"),
    "runs-for-ever": ("    while True: pass", "timeout"),
}


def run_slot(house, versions, slot=SLOT, *, is_due=True):
    installation = house.installation
    with house.connect() as connection, house.connect() as reading:
        pinned = pin(connection, slot, DELAY)
        recorder = Recorder(
            connection,
            versions,
            due=[version.id for version in versions] if is_due else [],
            live_deadline=installation.live_deadline,
        )
        written = {}
        for batch in tick(reading, installation.engine(), installation.images, versions, pinned):
            for outcome, one in zip(batch, recorder.write(batch, house.now[0]), strict=True):
                written[outcome.version.name] = one
        return written


def test_models_that_open_sockets_read_host_files_or_never_end_are_missed_and_neighbours_are_live(
    house,
):
    versions = [house.publish("honest", HONEST)]
    versions += [
        house.publish(name, HOSTILE.format(attack=attack)) for name, (attack, _) in ATTACKS.items()
    ]
    house.now[0] = IN_TIME

    written = run_slot(house, versions)

    assert written["honest"].provenance == "live"
    assert written["honest"].forecasts == 1
    for name, (_, kind) in ATTACKS.items():
        assert written[name].provenance == "missed"
        assert written[name].reason.startswith(f"{kind}:")
        assert written[name].leaf_index is not None
        assert "root:" not in written[name].reason
    with house.connect() as connection:
        leaves, faults = audit_log(connection)
        assert (leaves, faults) == (8, [])
        assert due_slots(connection, IN_TIME) == {}


def test_a_forecast_can_be_followed_from_bar_to_leaf(house):
    version = house.publish("honest", HONEST)
    house.now[0] = IN_TIME
    written = run_slot(house, [version])["honest"]
    with house.connect() as connection:
        slot_record = connection.execute(
            "select slot, image_digest, input_digest, leaf_index, max_batch from"
            " forecast.slot_record where id = %s",
            [written.id],
        ).fetchone()
        (body,) = connection.execute(
            "select body from transparency.leaf where index = %s", [written.leaf_index]
        ).fetchone()
        salt, payload = connection.execute(
            "select salt, payload from forecast.opening where slot_record_id = %s", [written.id]
        ).fetchone()
    leaf = msgspec.json.decode(body)
    assert slot_record == (SLOT, version.image_digest, leaf["inp"], written.leaf_index, 1)
    assert leaf["img"] == version.image_digest
    assert leaf["slot"] == int(SLOT.timestamp())
    assert leaf["c"] == commit("ada/honest", SLOT, salt, payload).hex()


def test_a_forecast_recorded_after_its_deadline_is_late(house):
    version = house.publish("honest", HONEST)
    house.now[0] = TOO_LATE
    assert run_slot(house, [version])["honest"].provenance == "late"


def test_a_second_forecast_for_a_live_slot_is_refused(house):
    version = house.publish("honest", HONEST)
    house.now[0] = IN_TIME
    first = run_slot(house, [version])
    assert run_slot(house, [version]) == first
    with house.connect() as connection:
        leaves, faults = audit_log(connection)
        assert (leaves, faults) == (2, [])
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(
                "insert into forecast.slot_record (version_id, slot, provenance, cutoff, max_batch,"
                " image_digest, engine, path, recorded_at, wall_ms, log) select version_id, slot,"
                " 'late', cutoff, max_batch, image_digest, engine, path, recorded_at, wall_ms, log"
                " from forecast.slot_record"
            )


def test_a_missed_slot_stays_missed_and_is_not_owed_again(house):
    version = house.publish("flaky", HOSTILE.format(attack="    raise ValueError('once')"))
    house.now[0] = IN_TIME
    assert run_slot(house, [version])["flaky"].provenance == "missed"
    with house.connect() as connection:
        assert find_record(connection, version.id, SLOT, due_only=True).provenance == "missed"
        assert due_slots(connection, IN_TIME) == {}


def test_a_replay_gives_the_same_forecast_as_the_live_slot(house):
    version = house.publish("honest", HONEST)
    house.now[0] = IN_TIME
    run_slot(house, [version])
    run_slot(house, [version], is_due=False)
    with house.connect() as connection:
        rows = connection.execute(
            "select r.provenance, r.input_digest, f.point from forecast.slot_record r"
            " join forecast.forecast f on f.slot_record_id = r.id order by r.provenance"
        ).fetchall()
    assert [row[0] for row in rows] == ["live", "replayed"]
    assert rows[0][1:] == rows[1][1:]


def test_lockstep_replay_of_the_past_equals_cold_runs_and_is_backfilled(house):
    version = house.publish("honest", HONEST)
    house.now[0] = IN_TIME
    slots = [SLOT - timedelta(hours=h) for h in (5, 4, 3)]
    done = list(replay_version(house.installation, version, slots))
    assert [one.provenance for one in done] == ["backfilled"] * 3
    with house.connect() as connection, house.connect() as reading:
        stored = dict(
            connection.execute(
                "select r.slot, (r.input_digest, f.point)::text from forecast.slot_record r"
                " join forecast.forecast f on f.slot_record_id = r.id"
            ).fetchall()
        )
        for slot in slots:
            ((outcome,),) = tick(
                reading,
                house.installation.engine(),
                house.installation.images,
                [version],
                pin(connection, slot, DELAY),
            )
            point = outcome.result.rows[0].point
            assert stored[slot] == f"({outcome.input_digest},{point})"


def test_replaying_twice_keeps_the_first_answers(house):
    version = house.publish("honest", HONEST)
    house.now[0] = IN_TIME
    slots = [SLOT - timedelta(hours=2)]
    first = list(replay_version(house.installation, version, slots))
    second = list(replay_version(house.installation, version, slots))
    assert [one.is_new for one in first + second] == [True, False]


def test_a_slot_before_publication_is_never_due(house):
    version = house.publish("honest", HONEST)
    with house.connect() as connection:
        assert due_slots(connection, PUBLISHED_AT) == {}
        assert due_slots(connection, SLOT) == {SLOT: [version.id]}
    assert (
        provenance_of(
            version,
            SLOT - timedelta(hours=1),
            is_due=False,
            has_answer=True,
            now=IN_TIME,
            live_deadline=timedelta(minutes=10),
        )
        == "backfilled"
    )
