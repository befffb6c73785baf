"""A whole installation passes; whatever an operator alters in it afterwards is named.

The operator owns the database: every trigger and constraint is switched off first.
"""

import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest

from assets.transparency.fsck import first_of_day
from assets.transparency.signer.folder import SignerFolder
from assets.transparency.signer.signer import Signer
from sandbox.registry.image import ImageStore
from signalbox.log.policy import own_word_policy
from sql.roles import WORKER
from tests.assets.transparency.conftest import SLOT, tamper

HOUR = timedelta(hours=1)


def test_a_whole_installation_has_no_fault_in_log_records_tree_signatures_and_images(
    installed, image_store
):
    look = installed.look
    report = look(images=image_store, policy=installed.policy)
    assert report.shown == ()
    assert (report.faults, report.leaves, report.versions) == (0, 13, 2)
    assert (report.tree_size, report.layers, report.owed) == (13, 4, 0)


LEAF_7 = "where index = 7"
FORECAST_LEAF = (
    "where index = (select min(leaf_index) from forecast.slot_record where reason is null)"
)
ANSWERED = "where slot_record_id = (select min(slot_record_id) from forecast.opening)"
RECORD = "where id = (select min(slot_record_id) from forecast.opening)"
MISSED = "where provenance = 'missed'"

TAMPERED = {
    # A leaf, its columns, its place.
    "leaf body": (f"update transparency.leaf set body = body || ' ' {LEAF_7}", "hash"),
    "leaf hash": (f"update transparency.leaf set leaf_hash = sha256('x') {LEAF_7}", "hash"),
    "leaf index": ("update transparency.leaf set index = 99 where index = 12", "position"),
    "leaf seq": (f"update transparency.leaf set seq = seq + 100 {LEAF_7}", "chain"),
    "leaf kind": (
        (
            "alter table transparency.leaf drop constraint leaf_due_names_slot_and_version_check;"
            f"update transparency.leaf set kind = 'price/v1' {LEAF_7}"
        ),
        "columns",
    ),
    "leaf signal": (
        (
            "drop index transparency.leaf_due_once;"
            "alter table transparency.leaf drop constraint leaf_signal_id_seq_key;"
            "update transparency.leaf set signal_id = (select max(id) from registry.signal)"
            " where kind = 'forecast/v1' and signal_id = (select min(id) from registry.signal)"
        ),
        "chain",
    ),
    "leaf slot": (
        f"update transparency.leaf set slot = slot + interval '90 days' {FORECAST_LEAF}",
        "columns",
    ),
    "leaf version": (
        f"update transparency.leaf set version = 'v9.0.0' {FORECAST_LEAF}",
        "columns",
    ),
    "leaf deleted": ("delete from transparency.leaf where index = 5", "position"),
    "last leaf deleted": ("delete from transparency.leaf where index = 12", "checkpoint"),
    "leaf body and hash": (
        "update transparency.leaf set body = convert_to(replace(convert_from(body, 'UTF8'),"
        " '\"c\":\"', '\"c\":\"0'), 'UTF8') " + FORECAST_LEAF,
        "hash",
    ),
    # A record.
    "record provenance": (
        f"update forecast.slot_record set provenance = 'missed', reason = 'x: y' {RECORD}",
        "record",
    ),
    "record missed to live": (
        f"update forecast.slot_record set provenance = 'live', reason = null {MISSED}",
        "record",
    ),
    "record reason": (f"update forecast.slot_record set reason = 'crash: x' {MISSED}", "record"),
    "record slot": (
        f"update forecast.slot_record set slot = slot + interval '1 year' {RECORD}",
        "record",
    ),
    "record version": (
        (
            "update forecast.slot_record set slot = slot + interval '1 year', version_id ="
            f" (select max(id) from registry.version) {RECORD}"
        ),
        "record",
    ),
    "record input": (f"update forecast.slot_record set input_digest = 'x' {RECORD}", "input"),
    "record image": (f"update forecast.slot_record set image_digest = 'x' {RECORD}", "image"),
    "record leaf": (f"update forecast.slot_record set leaf_index = null {RECORD}", "record"),
    "record deleted": (f"delete from forecast.slot_record {RECORD}", "record"),
    "missed record deleted": (f"delete from forecast.slot_record {MISSED}", "record"),
    # What was forecast.
    "opening salt": (f"update forecast.opening set salt = sha256('x') {ANSWERED}", "commitment"),
    "opening payload": (f"update forecast.opening set payload = '[]' {ANSWERED}", "commitment"),
    "opening deleted": (f"delete from forecast.opening {ANSWERED}", "opening"),
    "forecast point": (f"update forecast.forecast set point = 0.5 {ANSWERED}", "numbers"),
    "forecast quantiles": (
        f"update forecast.forecast set quantiles = '[[0.5, 1]]' {ANSWERED}",
        "numbers",
    ),
    "forecast probability": (
        f"update forecast.forecast set probability_up = 0.9 {ANSWERED}",
        "numbers",
    ),
    "forecast horizon": (f"update forecast.forecast set horizon_hours = 2 {ANSWERED}", "numbers"),
    "forecast target time": (
        f"update forecast.forecast set target_time = target_time + interval '1 hour' {ANSWERED}",
        "numbers",
    ),
    "forecast instrument": (
        (
            "insert into market.instrument (symbol, calendar, is_sample)"
            " values ('Z', '24x7', true);"
            "update forecast.forecast set instrument_id = (select id from market.instrument"
            f" where symbol = 'Z') {ANSWERED}"
        ),
        "numbers",
    ),
    "forecast deleted": (f"delete from forecast.forecast {ANSWERED}", "numbers"),
    # The registry.
    "version commit": (
        "update registry.version set commit_sha = 'x' where version = 'v1.0.0'",
        "version",
    ),
    "version tree": ("update registry.version set tree_digest = 'x'", "version"),
    "version lock": ("update registry.version set lock = 'x'", "lock"),
    "version lock digest": ("update registry.version set lock_digest = 'x'", "version"),
    "version image": ("update registry.version set image_digest = 'x'", "version"),
    "version base": ("update registry.version set base_digest = 'x'", "version"),
    "version sbom": ("update registry.version set sbom = '{}'", "version"),
    "version retired in silence": ("update registry.version set state = 'retired'", "state"),
    "version published later": (
        "update registry.version set published_at = published_at + interval '3 hours'",
        "order",
    ),
    "version deleted": (
        "delete from registry.version where id = (select min(id) from registry.version)",
        "version",
    ),
    # What others signed.
    "checkpoint size": ("update transparency.checkpoint set size = size - 1", "checkpoint"),
    "checkpoint root": ("update transparency.checkpoint set root = sha256('x')", "checkpoint"),
    "checkpoint note": (
        "update transparency.checkpoint set note = overlay(note placing 'x' from 3)",
        "checkpoint",
    ),
    "checkpoint signature": (
        (
            "update transparency.checkpoint set note = convert_to("
            "replace(convert_from(note, 'UTF8'),"
            " E'\\n\\u2014 ', E'\\n\\u2014 x'), 'UTF8')"
        ),
        "signature",
    ),
    "quorum size": ("update transparency.quorum set size = size + 1", "checkpoint"),
    "quorum time": (
        "update transparency.quorum set reached_at = reached_at - interval '1 hour'",
        "quorum",
    ),
    "quorum policy": ("update transparency.quorum set policy = 'quorum none'", "signature"),
    # What was computed again.
    "verdict": (
        "update transparency.reproduction set result = 'differs', why = 'x'",
        "audit",
    ),
    "verdict deleted": ("delete from transparency.reproduction", "audit"),
    "verdict's forecast": ("update transparency.reproduction set leaf_index = 0", "audit"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_an_operator_alters_one_column_with_every_trigger_off_and_fsck_names_it(installed, what):
    database, look = installed.database, installed.look
    statement, check = TAMPERED[what]
    tamper(database, *statement.split(";"))
    report = look()
    assert report.faults > 0
    assert check in report.by_check, report.shown
    assert sum(report.by_check.values()) == report.faults


def test_a_leaf_rewritten_with_hash_and_the_whole_chain_after_it_is_betrayed_by_the_tree(installed):
    """The operator recomputes what a hash is of: the leaf is consistent in itself again."""
    database, look = installed.database, installed.look
    tamper(
        database,
        "update transparency.leaf set body = convert_to(regexp_replace(convert_from(body, 'UTF8'),"
        " '\"why\":\"[a-z]*\"', '\"why\":\"timeout\"'), 'UTF8') where kind = 'missed/v1'",
        "update transparency.leaf set leaf_hash = sha256('\\x00'::bytea || body)"
        " where kind = 'missed/v1'",
        f"update forecast.slot_record set reason = 'timeout: slow' {MISSED}",
    )
    report = look()
    assert {"chain", "checkpoint"} <= set(report.by_check)


def test_a_bad_hour_taken_out_of_log_and_records_with_all_after_it_moved_up_is_named(installed):
    """Positions and chain are made good again; the tree that was signed is another."""
    database, look = installed.database, installed.look
    tamper(
        database,
        "alter table transparency.leaf drop constraint leaf_pkey cascade",
        "delete from forecast.slot_record where provenance = 'missed'",
        "update forecast.slot_record set leaf_index = leaf_index - 1 where leaf_index >"
        " (select index from transparency.leaf where kind = 'missed/v1')",
        "update transparency.leaf set index = index - 1 where index >"
        " (select index from transparency.leaf where kind = 'missed/v1')",
        "delete from transparency.leaf where kind = 'missed/v1'",
    )
    report = look()
    assert {"checkpoint", "chain"} <= set(report.by_check)
    assert look(SLOT + timedelta(days=5)).by_check["due"] >= 2


def test_two_outcomes_of_one_slot_forced_past_the_unique_key_are_counted(installed):
    database, look = installed.database, installed.look
    tamper(
        database,
        "drop index forecast.slot_record_due_once",
        "alter table forecast.slot_record"
        " drop constraint slot_record_version_id_slot_provenance_key",
        "insert into forecast.slot_record (version_id, slot, provenance, cutoff, max_batch,"
        " image_digest, engine, path, recorded_at, wall_ms, log)"
        f" select version_id, slot, provenance, cutoff, max_batch, image_digest, engine, path,"
        f" recorded_at, wall_ms, log from forecast.slot_record {RECORD}",
    )
    report = look()
    assert (report.by_check["once"], report.by_check["leaf"]) == (1, 1)


def test_a_late_answer_passed_off_as_live_is_named(installed):
    database, look = installed.database, installed.look
    tamper(
        database,
        "update transparency.leaf set appended_at = appended_at + interval '1 hour'"
        f" {FORECAST_LEAF}",
    )
    assert look().by_check == {"live": 1}


def test_slots_that_were_omitted_are_owed_for_two_days_and_a_fault_from_then_on(installed):
    look = installed.look
    assert look(SLOT + 5 * HOUR).owed == 2 * 2
    later = look(SLOT + timedelta(hours=48 + 6))
    assert (later.by_check, later.faults) == ({"due": 2}, 2)
    assert "3 due slots without an outcome, the first 2026-11-20 12:00 UTC" in str(later.shown[0])


def test_a_log_key_that_is_not_the_operators_is_not_believed(installed, tmp_path):
    look = installed.look
    stranger = SignerFolder(tmp_path)
    stranger.prepare("example.org/log")
    keys = Signer(stranger, lambda: SLOT).state().keys
    assert look(policy=own_word_policy(keys)).by_check["signature"] == 5


def test_layers_altered_as_tar_or_where_they_are_mounted_and_images_gone_are_named(
    installed, image_store
):
    look = installed.look
    root = Path(tempfile.mkdtemp(prefix="signalbox-other-images-", dir=image_store.root.parent))
    try:
        for part in ("layers", "images"):
            shutil.copytree(
                image_store.root / part, root / part, symlinks=True, copy_function=os.link
            )
        store = ImageStore(root)
        with installed.database.superuser() as connection:
            (digest,) = connection.execute(
                "select v.image_digest from registry.version v"
                " join registry.signal s on s.id = v.signal_id where s.name = 'honest'"
            ).fetchone()
        config = root / "images" / f"{digest.removeprefix('sha256:')}.json"
        _, dependencies, source = store.layer_digests(digest)
        app = store.open(digest).source / "app.py"
        honest = exchange(app, app.read_bytes().replace(b"close[-1]", b"close[-2]"))
        report = look(images=store)
        assert report.by_check == {"source": 1, "layer": 1}
        assert "its folder, which is mounted" in str(report.shown[-1])
        exchange(app, honest)
        tar = exchange(store.layers.tar(source), b"another tar")
        assert "its tar is" in str(look(images=store).shown[0])
        exchange(store.layers.tar(source), tar)
        assert look(images=store).is_whole
        store.layers.tar(dependencies).unlink()
        assert "is not in the store" in str(look(images=store).shown[0])
        config.unlink()
        assert "has no whole image" in str(look(images=store).shown[0])
    finally:
        shutil.rmtree(root)


def exchange(path, content):
    """Put a new file in the place of one that others share, and return what that held."""
    before, mode = path.read_bytes(), path.stat().st_mode
    path.unlink()
    path.write_bytes(content)
    path.chmod(mode)
    return before


def test_an_hourly_audit_begins_a_day_back_and_still_sees_what_was_altered_since(installed):
    database, look = installed.database, installed.look
    with database.connect(WORKER) as connection:
        assert first_of_day(connection, SLOT.replace(hour=0)) == 0
        assert first_of_day(connection, SLOT + timedelta(hours=27)) == 4
    assert look(first=4).leaves == 9
    assert look(first=4).is_whole
    tamper(database, "update forecast.forecast set point = 0.5 where slot_record_id ="
                     " (select max(slot_record_id) from forecast.opening)")  # fmt: skip
    assert look(first=4).by_check == {"numbers": 1}
