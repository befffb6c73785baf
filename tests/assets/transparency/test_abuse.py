"""What a provider, a process that was taken over, or the operator may try on the record.

fsck is the operator's own check; `verified` is what a subscriber finds by a bundle of
evidence, with the log's key and nothing else to believe.
"""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import msgspec
import psycopg
import pytest

from assets.forecasts.slot import run_slot
from assets.forecasts.version import due_slots, published_versions
from assets.transparency.publisher.publish import RestoredLogError, newest
from assets.transparency.signer.errors import RefusedError
from assets.transparency.signer.signer import Signer
from signalbox.leaf import canonical, leaf_hash
from signalbox.log.checkpoint import Checkpoint, sign_checkpoint
from signalbox.log.errors import LogError, VerificationError
from signalbox.log.monitor import Monitor
from signalbox.log.remembered import Remembered
from signalbox.log.tiles import WIDTH
from signalbox.log.verify import Terms, verify_bundle
from signalbox.log.witness import init_folder
from sql.roles import API, GIT, LOG, OWNER, WORKER
from tests.assets.transparency.conftest import DEADLINE, HOUR, SLOT, tamper
from tests.assets.transparency.evidence import evidence, verified

ROLES = (API, GIT, WORKER, LOG, OWNER)
FACTS = {
    "forecast.slot_record": ("provenance", "slot", "reason", "leaf_index", "input_digest"),
    "forecast.forecast": ("point", "quantiles", "probability_up", "target_time"),
    "forecast.opening": ("salt", "payload"),
    "transparency.leaf": ("body", "leaf_hash", "seq", "index", "slot"),
    "transparency.tile": ("hashes", "root"),
    "transparency.checkpoint": ("size", "root", "note"),
    "transparency.cosignature": ("line", "timestamp"),
    "transparency.quorum": ("size", "reached_at"),
    "transparency.reproduction": ("result", "leaf_index"),
    "billing.price": ("reveal_after_hours", "valid_from"),
}


# 24


def test_inserting_a_forecast_for_a_past_slot_by_sql_is_late_whatever_its_row_says(installed):
    """A run worker that was taken over writes `live`, and dates row and leaf as it likes."""
    database, at = installed.database, SLOT + 30 * HOUR
    with database.connect(WORKER) as connection:
        record, signal_id, body = a_forecast(connection)
        said = msgspec.json.decode(body)
        slot = SLOT + 5 * HOUR
        forged = forge(connection, signal_id, said | {"slot": int(slot.timestamp())})
        connection.execute(
            "insert into forecast.slot_record (version_id, slot, provenance, cutoff, max_batch,"
            " input_digest, image_digest, engine, path, recorded_at, wall_ms, log, leaf_index)"
            " select version_id, %s, 'live', cutoff, max_batch, input_digest, image_digest, engine,"
            " path, %s, 1, '', %s from forecast.slot_record where id = %s",
            [slot, slot + timedelta(minutes=1), forged, record],
        )
    installed.sign(at)
    with database.connect(WORKER) as connection:
        proven = connection.execute(
            "select forecast.proven_provenance(provenance, slot, leaf_index, %s, %s)"
            " from forecast.slot_record where leaf_index = %s",
            [DEADLINE, at, forged],
        ).fetchone()
    assert proven == ("late",)


def test_inserting_a_leaf_before_the_last_one_is_refused_by_the_database(installed):
    with installed.database.connect(WORKER) as connection:
        for place in ("3", "max(index) + 2"):
            with pytest.raises((psycopg.errors.CheckViolation, psycopg.errors.UniqueViolation)):
                connection.execute(
                    "insert into transparency.leaf (index, kind, signal_id, seq, body, leaf_hash,"
                    f" appended_at) select {place}, 'audit/v1', 1, 99, 'x', 'x', now()"
                    " from transparency.leaf"
                )


# 25

# Empty where the log is short and alone: triggers by row would have nothing to refuse.
FILLED = (
    "insert into transparency.tile values (0, 99, decode(repeat('00', 8192), 'hex'), sha256('x'))",
    (
        "insert into transparency.cosignature select max(id), 'w', 'abcd', now(), 'x', now()"
        " from transparency.checkpoint"
    ),
)


@pytest.mark.parametrize("role", [*ROLES, "superuser"])
def test_editing_deleting_or_truncating_what_is_on_record_is_refused_to_every_role(installed, role):
    """To the superuser as long as triggers are on; what becomes of switching them off is below."""
    database = installed.database
    tamper(database, *FILLED)
    with database.superuser() if role == "superuser" else database.connect(role) as connection:
        for table, columns in FACTS.items():
            attacks = [f"update {table} set {column} = {column}" for column in columns]
            for attack in (*attacks, f"delete from {table}", f"truncate {table} cascade"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(attack)


OF_HONEST = (
    "(select min({}) from forecast.slot_record r join registry.version v on v.id = r.version_id"
    " join registry.signal g on g.id = v.signal_id where g.name = 'honest')"
)
ANSWERED = f"where slot_record_id = {OF_HONEST.format('r.id')}"
A_FORECAST = f"where index = {OF_HONEST.format('r.leaf_index')}"
# What a subscriber is shown, altered: the fault that verify names.
SHOWN = {
    "payload": (f"update forecast.opening set payload = '[]' {ANSWERED}", "commitment"),
    "salt": (f"update forecast.opening set salt = sha256('x') {ANSWERED}", "commitment"),
    "leaf body": (
        ("update transparency.leaf set body = convert_to(replace(convert_from(body, 'UTF8'),"
        f" '\"inp\":\"sha256:', '\"inp\":\"sha256:f'), 'UTF8') {A_FORECAST}"), "leaf",
    ),
    "leaf commitment, form kept": (
        ("update transparency.leaf set body = convert_to(regexp_replace(convert_from(body, 'UTF8'),"
        f" '\"c\":\"[0-9a-f]{{8}}', '\"c\":\"00000000'), 'UTF8') {A_FORECAST}"), "inclusion",
    ),
    "leaf and its hash": (
        ("update transparency.leaf set body = convert_to(regexp_replace(convert_from(body, 'UTF8'),"
        f" '\"c\":\"[0-9a-f]{{8}}', '\"c\":\"00000000'), 'UTF8') {A_FORECAST};"
        "update transparency.leaf set leaf_hash = sha256('\\x00'::bytea || body)"), "inclusion",
    ),
    "leaf dropped": (f"delete from transparency.leaf {A_FORECAST}", None),
    "checkpoint root": (
        ("update transparency.checkpoint set note = convert_to(replace(convert_from(note, 'UTF8'),"
        " encode(root, 'base64'), encode(sha256('x'), 'base64')), 'UTF8')"), "signature",
    ),
    "image under a version": (
        "update registry.version set image_digest = 'sha256:' || repeat('0', 64)", "image",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SHOWN)
def test_an_operator_alters_what_subscribers_are_shown_and_verify_names_it_as_fsck_does(
    installed, what
):
    """28 among them: another image under a published version."""
    database, look = installed.database, installed.look
    statements, code = SHOWN[what]
    now = installed.now
    assert verified(database, "honest", installed.policy, now).total.live == 4
    tamper(database, *statements.split(";"))
    assert look().faults > 0
    with pytest.raises((VerificationError, LogError)) as refused:
        verified(database, "honest", installed.policy, now)
    if code is not None:
        assert refused.value.code == code


def test_an_operator_withholds_an_opening_and_verify_counts_it(installed):
    database, look = installed.database, installed.look
    tamper(database, f"delete from forecast.opening {ANSWERED}")
    report = verified(database, "honest", installed.policy, installed.now)
    assert (report.total.unopened, look().by_check) == (1, {"opening": 1})


# 26


def test_two_forecasts_for_a_slot_are_refused_and_forced_into_the_log_stop_the_monitor(
    installed, tmp_path
):
    """The better one would be revealed. Only who reads every leaf can see the other."""
    database, look = installed.database, installed.look
    before = ask_monitor(database, tmp_path / "before", installed.policy, installed.now)
    assert before.status == 200, before.body
    with database.superuser() as connection:
        _, signal_id, body = a_forecast(connection)
        said = msgspec.json.decode(body)
        with pytest.raises(psycopg.errors.UniqueViolation, match="leaf_due_once"):
            forge(connection, signal_id, said | {"c": "0" * 64})
        connection.execute("drop index transparency.leaf_due_once")
        second = forge(connection, signal_id, said | {"c": "0" * 64})
    installed.sign(SLOT + 30 * HOUR)
    assert look().by_check["record"] == 1
    answer = ask_monitor(database, tmp_path / "after", installed.policy, installed.now)
    assert answer.status == 422
    assert f"rule twice: leaf {second} is the second of" in answer.body
    with pytest.raises(VerificationError) as refused:
        verified(database, said["sig"].split("/")[1], installed.policy, SLOT + 30 * HOUR)
    assert refused.value.code == "twice"


def ask_monitor(database, folder, policy, now):
    """Have a monitor that never saw this log read all of it, and cosign its newest checkpoint."""
    origin = policy.logs[0]
    followed = replace(policy, logs=(replace(origin, url="http://log.example"),))
    init_folder(folder, "example.org/monitor", followed)
    with database.connect(LOG) as connection:
        bodies = [body for (body,) in connection.execute(
            "select body from transparency.leaf order by index")]  # fmt: skip
        note = newest(connection).note.encode()
    with closing(
        Monitor(folder, lambda _, tile: bodies[tile.index * WIDTH :][: tile.width])
    ) as monitor:
        return monitor.add_checkpoint(b"old 0\n\n" + note, int(now.timestamp()))


# 27


@pytest.mark.parametrize("engine_choice", ["embedded-forked"], indirect=True)
def test_a_provider_goes_offline_a_minute_past_a_bad_hour_and_owes_it_all_the_same(house, database):
    version = house.publish("tide", HONEST)
    take_offline(database, version, SLOT + timedelta(minutes=1))
    house.now[0] = SLOT + timedelta(minutes=2)
    with house.connect() as connection:
        (offline,) = published_versions(connection)
        assert offline.state == "offline"
        assert due_slots(connection, SLOT + 5 * HOUR) == {SLOT: [version.id]}
    engine = house.installation.engine()
    ((_, done),) = next(b for b in run_slot(house.installation, engine, [offline], SLOT) if b)
    assert done.provenance == "live"
    with house.connect() as connection:
        assert due_slots(connection, SLOT + 5 * HOUR) == {}


HONEST = """
from signalbox import Forecast
def forecast(window):
    return [Forecast("BTCUSDT", 1, 0.001)]
"""


def take_offline(database, version, at):
    with database.superuser() as connection:
        connection.execute("select set_config('app.now', %s, false)", [at.isoformat()])
        connection.execute(
            "update registry.version set state = 'offline' where id = %s", [version.id]
        )
        connection.execute(
            "insert into registry.version_event (version_id, at, to_state, why)"
            " values (%s, %s, 'offline', 'a bad hour')",
            [version.id, at],
        )


def test_bad_hours_left_out_of_a_bundle_or_of_the_log_are_missed_by_number_and_by_hour(installed):
    bundle = evidence(installed.database, "flaky")
    kept = [one for one in bundle.leaves if '"kind":"missed/v1"' not in one[1]]
    assert len(kept) == len(bundle.leaves) - 1
    terms = Terms(installed.policy, int(installed.now.timestamp()), None)
    with pytest.raises(VerificationError) as refused:
        verify_bundle(msgspec.structs.replace(bundle, leaves=tuple(kept)), terms)
    assert refused.value.code in ("chain", "inclusion")
    # Nothing was appended for days: the log is signed, and the hours are not in it.
    late = SLOT + timedelta(days=5)
    installed.sign(late)
    with pytest.raises(VerificationError) as refused:
        verified(installed.database, "flaky", installed.policy, late)
    assert refused.value.code == "gap"
    assert installed.look(late).by_check == {"due": 2}


# 29


def test_a_restored_backup_that_goes_on_is_not_signed(installed):
    database, look = installed.database, installed.look
    tamper(
        database,
        "delete from transparency.leaf where index >= 9",
        "delete from transparency.checkpoint where size > 9",
        "delete from transparency.quorum where size > 9",
        "delete from forecast.slot_record where leaf_index >= 9",
        "delete from transparency.reproduction",
        "delete from forecast.opening o where not exists (select from forecast.slot_record r"
        " where r.id = o.slot_record_id)",
        "delete from forecast.forecast f where not exists (select from forecast.slot_record r"
        " where r.id = f.slot_record_id)",
    )
    assert look().is_whole, look().shown  # within itself: who has no other copy cannot tell
    with pytest.raises(RestoredLogError, match="9 leaves, but 13 were signed"):
        installed.sign(SLOT + 30 * HOUR)
    with database.superuser() as connection:
        signal_id, body = connection.execute(
            "select signal_id, body from transparency.leaf order by index desc limit 1"
        ).fetchone()
        said = msgspec.json.decode(body)
        for hour in range(5, 12):
            forge(connection, signal_id, said | {"slot": said["slot"] + hour * 3600})
    with pytest.raises(RefusedError):
        installed.sign(SLOT + 30 * HOUR)


def test_two_roots_for_one_size_are_refused_by_the_signer_and_by_whoever_remembers_one(
    installed, tmp_path
):
    """With a copy of the key the operator signs another history, and shows it to somebody."""
    database, at = installed.database, installed.now
    signer = Signer(installed.signer, lambda: at)
    state = signer.state()
    forked = Checkpoint(state.origin, state.size, leaf_hash(b"another history"))
    with pytest.raises(RefusedError) as refused:
        signer.sign(forked.text, state.size, [])
    assert refused.value.code == "forked"
    terms = Terms(installed.policy, int(at.timestamp()), None)
    bundle = evidence(database, "honest")
    remembered = Remembered(tmp_path / "remembered")
    remembered.store(sign_checkpoint(forked, installed.signer.signing_keys(), 0).encode().decode())
    with pytest.raises(VerificationError) as refused:
        remembered.check(verify_bundle(bundle, terms), bundle.checkpoint)
    assert refused.value.code == "fork"


def test_a_log_cut_short_is_refused_by_whoever_saw_more_of_it(installed, tmp_path):
    database, at = installed.database, installed.now
    seen = evidence(database, "honest")
    remembered = Remembered(tmp_path / "remembered")
    remembered.store(seen.checkpoint)
    tamper(
        database,
        "delete from transparency.leaf where index >= 8",
        "delete from transparency.checkpoint where size > 8",
        "delete from transparency.quorum where size > 8",
        "delete from forecast.slot_record where leaf_index >= 8",
    )
    cut = evidence(database, "honest")
    report = verify_bundle(cut, Terms(installed.policy, int(at.timestamp()), None))
    with pytest.raises(VerificationError) as refused:
        remembered.check(report, cut.checkpoint)
    assert refused.value.code == "rollback"


def test_a_stale_log_is_refused_when_its_age_matters(installed):
    database = installed.database
    later = SLOT + timedelta(days=9)
    with pytest.raises(VerificationError) as refused:
        verified(database, "honest", installed.policy, later, max_age=24 * 3600)
    assert refused.value.code == "stale"


def a_forecast(connection):
    """Record, signal and leaf body of some forecast."""
    return connection.execute(
        "select r.id, l.signal_id, l.body from transparency.leaf l"
        " join forecast.slot_record r on r.leaf_index = l.index"
        " where l.kind = 'forecast/v1' order by l.index limit 1"
    ).fetchone()


def forge(connection, signal_id, said):
    """Append a leaf as sql.log would; returns its index."""
    (index,) = connection.execute("select max(index) + 1 from transparency.leaf").fetchone()
    seq, prev = connection.execute(
        "select seq, leaf_hash from transparency.leaf where signal_id = %s"
        " order by seq desc limit 1",
        [signal_id],
    ).fetchone()
    body = canonical(said | {"seq": seq + 1, "prev": prev.hex()})
    connection.execute(
        "insert into transparency.leaf (index, kind, signal_id, seq, body, leaf_hash, appended_at,"
        " version, slot) values (%s, %s, %s, %s, %s, %s, to_timestamp(%s), %s, to_timestamp(%s))",
        [index, said["kind"], signal_id, seq + 1, body, leaf_hash(body), said["slot"] + 60,
         said["ver"], said["slot"]],
    )  # fmt: skip
    return index
