"""Every way to tamper with evidence, and the one word that verification has for it."""

import base64
import json
from dataclasses import replace

import msgspec
import pytest

from signalbox.leaf import canonical, leaf_hash
from signalbox.log.bundle import parse_bundle
from signalbox.log.checkpoint import Checkpoint
from signalbox.log.errors import BundleError, StateError, VerificationError
from signalbox.log.leaves import HOUR
from signalbox.log.policy import own_word_policy, parse_policy
from signalbox.log.remembered import Remembered
from signalbox.log.slots import Counts
from signalbox.log.verify import Terms, verify_bundle

START = 1_700_002_800
END = START + 24 * HOUR


def judged(log, bundle, **changed):
    terms = Terms(log.policy, START + 23 * HOUR + 900)
    return verify_bundle(bundle, replace(terms, **changed))


def code_of(log, bundle, **changed) -> str:
    with pytest.raises(VerificationError) as refused:
        judged(log, bundle, **changed)
    return refused.value.code


def test_a_whole_day_is_proved(day):
    report = judged(day, parse_bundle(day.bundle().encode()))

    assert report.versions == {"v1.0.0": Counts(live=24)}
    assert report.leaves == 25
    assert (report.first_slot, report.last_slot) == (START, START + 23 * HOUR)
    assert report.trust.endswith("of whom m1 read every leaf")


def with_leaf(bundle, place, change):
    """A leaf rewritten, canonically."""
    leaves = list(bundle.leaves)
    index, body = leaves[place]
    leaves[place] = (index, canonical(json.loads(body) | change).decode())
    return msgspec.structs.replace(bundle, leaves=tuple(leaves))


def with_opening(bundle, place, salt=None, payload=None):
    openings = list(bundle.openings)
    index, old_salt, old_payload = openings[place]
    openings[place] = (index, salt or old_salt, payload or old_payload)
    return msgspec.structs.replace(bundle, openings=tuple(openings))


def without(bundle, *places):
    count = len(bundle.leaves)
    gone = {place % count for place in places}
    kept = tuple(leaf for place, leaf in enumerate(bundle.leaves) if place not in gone)
    shown = {index for index, _ in kept}
    openings = tuple(one for one in bundle.openings if one[0] in shown)
    return msgspec.structs.replace(bundle, leaves=kept, openings=openings)


def swapped(bundle):
    leaves = list(bundle.leaves)
    leaves[3], leaves[4] = (leaves[3][0], leaves[4][1]), (leaves[4][0], leaves[3][1])
    return msgspec.structs.replace(bundle, leaves=tuple(leaves), openings=())


def stripped(bundle, words):
    lines = bundle.checkpoint.split("\n")
    kept = "\n".join(line for line in lines if words not in line)
    return msgspec.structs.replace(bundle, checkpoint=kept)


def flipped(note: str) -> str:
    """The last signature with one bit changed."""
    head, _, encoded = note.rstrip("\n").rpartition(" ")
    raw = bytearray(base64.b64decode(encoded))
    raw[-1] ^= 1
    return f"{head} {base64.b64encode(raw).decode()}\n"


TAMPERED = {
    "an altered payload": (
        lambda bundle: with_opening(bundle, 5, payload=bundle.openings[5][2].replace("0.5", "0.6")),
        "commitment",
    ),
    "an altered salt": (
        lambda bundle: with_opening(bundle, 5, salt=base64.b64encode(bytes(32)).decode()),
        "commitment",
    ),
    "a salt of another length": (
        lambda bundle: with_opening(bundle, 5, salt="AAAA"),
        "commitment",
    ),
    "another hour's opening": (
        lambda bundle: with_opening(bundle, 5, *bundle.openings[6][1:]),
        "commitment",
    ),
    "an opening of what is no forecast": (
        lambda bundle: msgspec.structs.replace(
            bundle, openings=((0, *bundle.openings[0][1:]), *bundle.openings)
        ),
        "commitment",
    ),
    "an altered leaf": (
        lambda bundle: with_leaf(bundle, 5, {"c": "0" * 64}),
        "inclusion",
    ),
    "a leaf with one more field": (
        lambda bundle: with_leaf(bundle, 5, {"also": 1}),
        "leaf",
    ),
    "a leaf in another spelling": (
        lambda bundle: msgspec.structs.replace(
            bundle,
            leaves=(*bundle.leaves[:-1], (bundle.leaves[-1][0], bundle.leaves[-1][1] + " ")),
        ),
        "leaf",
    ),
    "a dropped leaf": (lambda bundle: without(bundle, 5), "inclusion"),
    "the version's leaf dropped": (lambda bundle: without(bundle, 0), "inclusion"),
    "the last leaves dropped": (lambda bundle: without(bundle, -1, -2, -3), "inclusion"),
    "all leaves dropped": (lambda bundle: without(bundle, *range(25)), "leaf"),
    "two leaves swapped": (swapped, "inclusion"),
    "another image than logged": (
        lambda bundle: msgspec.structs.replace(bundle, images={"v1.0.0": "sha256:" + "2" * 64}),
        "image",
    ),
    "an image of a version that was never logged": (
        lambda bundle: msgspec.structs.replace(bundle, images={"v9.0.0": "sha256:" + "2" * 64}),
        "image",
    ),
    "another signal's name on it": (
        lambda bundle: msgspec.structs.replace(bundle, signal="ada/other"),
        "leaf",
    ),
    "the log's signature stripped": (
        lambda bundle: stripped(bundle, "— example.com/log"),
        "signature",
    ),
    "a witness's signature stripped": (
        lambda bundle: stripped(bundle, "witness.example/w2"),
        "quorum",
    ),
    "the monitor's signature stripped": (
        lambda bundle: stripped(bundle, "witness.example/m1"),
        "quorum",
    ),
    "a signature forged": (
        lambda bundle: msgspec.structs.replace(bundle, checkpoint=flipped(bundle.checkpoint)),
        "signature",
    ),
    "a dating checkpoint's signature forged": (
        lambda bundle: msgspec.structs.replace(
            bundle, dating=(*bundle.dating[:3], flipped(bundle.dating[3]), *bundle.dating[4:])
        ),
        "signature",
    ),
    "an empty checkpoint": (
        lambda bundle: msgspec.structs.replace(bundle, checkpoint=""),
        "signature",
    ),
    "the proof cut": (
        lambda bundle: msgspec.structs.replace(bundle, proof=bundle.proof[: 44 * 3 + 4]),
        "malformed",
    ),
    "a hash of the proof dropped": (
        lambda bundle: msgspec.structs.replace(
            bundle, proof=base64.b64encode(base64.b64decode(bundle.proof)[32:]).decode()
        ),
        "inclusion",
    ),
    "a hash added to the proof": (
        lambda bundle: msgspec.structs.replace(
            bundle, proof=base64.b64encode(base64.b64decode(bundle.proof) + bytes(32)).decode()
        ),
        "inclusion",
    ),
}


@pytest.mark.parametrize("attack", TAMPERED)
def test_tampering_is_named(day, attack):
    tamper, code = TAMPERED[attack]
    bundle = tamper(day.bundle())

    assert code_of(day, bundle) == code


# What a log would have to do that lies consistently: new leaves, new root, good signatures.


def shown_by_a_liar(log, leaves):
    """Evidence that proves exactly these leaves, others left out with their proof rebuilt."""
    shown = {index for index, _ in leaves}
    openings = {index: one for index, one in log.openings.items() if index in shown}
    return log.bundle(leaves=leaves, openings=openings)


def test_a_leaf_left_out_with_its_proof_breaks_the_chain(day):
    leaves = day.leaves()
    assert code_of(day, shown_by_a_liar(day, leaves[:5] + leaves[6:])) == "chain"
    assert code_of(day, shown_by_a_liar(day, leaves[1:])) == "chain"


def test_the_last_leaves_left_out_with_their_proof_are_owed(day):
    bundle = shown_by_a_liar(day, day.leaves()[:-3])
    with pytest.raises(VerificationError, match="owed a leaf for 2023-11-15 20:00 UTC") as refused:
        judged(day, bundle)
    assert refused.value.code == "gap"


def test_a_log_that_skipped_an_hour_is_caught(make_log):
    log = make_log()
    log.publish()
    log.run(3)
    log.run(3, start=START + 4 * HOUR)
    with pytest.raises(VerificationError, match="23-11-15 02:00 UTC") as refused:
        judged(log, log.bundle())
    assert refused.value.code == "gap"


def test_bad_hours_before_the_first_shown_are_owed_from_publication(make_log):
    log = make_log()
    log.publish()
    log.checkpoint(START - 3 * HOUR)
    log.run(24)
    assert code_of(log, log.bundle()) == "gap"


def test_a_second_forecast_of_a_slot_is_caught(day):
    day.forecast(START + 5 * HOUR, 0)
    day.checkpoint(START + 23 * HOUR + 120)
    assert code_of(day, day.bundle()) == "twice"


def test_a_second_signal_of_the_same_name_breaks_the_chain(day):
    day.last["ada/tide"] = (-1, "")
    day.publish("v2.0.0")
    day.checkpoint(START + 23 * HOUR + 120)
    assert code_of(day, day.bundle()) == "chain"


@pytest.mark.parametrize(
    ("attack", "changed"),
    [
        ("a wrong image under the version", {"img": "sha256:" + "2" * 64}),
        ("another version's leaf", {"vl": 1}),
    ],
)
def test_a_forecast_by_another_image_is_caught(day, attack, changed):  # noqa: ARG001
    day.forecast(END, **{"vl": 0} | changed)
    day.checkpoint(END + 60)
    assert code_of(day, day.bundle(), now=END + 900) == "image"


def test_a_forecast_before_its_version_or_after_retirement_is_caught(day):
    day.append("retired/v1", ver="v1.0.0")
    day.checkpoint(END - 60)
    assert judged(day, day.bundle(), now=END + 900).total.live == 24
    day.forecast(END, 0)
    day.checkpoint(END + 60)
    assert code_of(day, day.bundle(), now=END + 900) == "state"


def test_a_forecast_of_a_version_without_a_leaf_is_caught(day):
    day.forecast(END, 0, "v2.0.0")
    day.checkpoint(END + 60)
    assert code_of(day, day.bundle(), now=END + 900) == "version"


def test_an_old_checkpoint_is_not_taken_for_the_present(day):
    assert code_of(day, day.bundle(), now=END + 48 * HOUR) == "stale"
    assert judged(day, day.bundle(), now=END + 48 * HOUR, max_age=None).total.live == 24
    assert code_of(day, day.bundle(), now=START) == "future"


def test_the_checkpoint_of_another_log_is_refused(day, make_log):
    other = make_log(origin="example.com/other")
    other.bodies, other.levels = day.bodies, day.levels
    note = other.sign(START + 23 * HOUR + 60).decode()
    assert code_of(day, msgspec.structs.replace(day.bundle(), checkpoint=note)) == "log"
    dated = msgspec.structs.replace(day.bundle(), dating=(note,))
    assert code_of(day, dated) == "log"


def test_a_dating_checkpoint_of_another_history_is_refused(day):
    """Cosigned and signed, but of leaves that were exchanged since."""
    bundle = day.bundle()
    head = Checkpoint("example.com/log", 5, bytes(32))
    forged = day.sign(START + 60, head=head).decode()
    sizes = [int(note.split("\n")[1]) for note in bundle.dating]
    place = sizes.index(5)
    dating = (*bundle.dating[:place], forged, *bundle.dating[place + 1 :])
    assert code_of(day, msgspec.structs.replace(bundle, dating=dating)) == "consistency"


def test_a_truncated_file_says_so(day):
    data = day.bundle().encode()
    for cut in (0, 1, len(data) // 2, len(data) - 1):
        with pytest.raises(BundleError, match="download it again"):
            parse_bundle(data[:cut])
    with pytest.raises(BundleError, match="unknown field"):
        parse_bundle(data[:-1] + b',"trusted":true}')


def test_a_forecast_logged_after_its_deadline_is_late(make_log):
    log = make_log()
    log.publish()
    log.run(3)
    log.forecast(START + 3 * HOUR, 0)
    log.checkpoint(START + 3 * HOUR + 700)
    log.missed(START + 4 * HOUR)
    log.checkpoint(START + 4 * HOUR + 60)

    total = judged(log, log.bundle(openings={})).total

    assert total == Counts(live=3, late=1, missed=1, unopened=4)


def test_a_dating_checkpoint_without_its_quorum_dates_nothing(make_log):
    """A forecast that the log alone swears was there in time is late."""
    log = make_log()
    log.publish()
    log.run(2)
    log.forecast(START + 2 * HOUR, 0)
    log.dating.append(log.sign(START + 2 * HOUR + 60, by=("w1", "w2")))
    log.run(1, start=START + 3 * HOUR)

    assert judged(log, log.bundle()).total == Counts(live=3, late=1)


def test_an_offline_version_owes_nothing_until_it_is_live_again(make_log):
    log = make_log()
    log.publish()
    log.run(3)
    log.append("offline/v1", ver="v1.0.0")
    log.checkpoint(START + 2 * HOUR + 300)
    log.append("live/v1", ver="v1.0.0")
    log.checkpoint(START + 5 * HOUR - 300)
    log.run(3, start=START + 5 * HOUR)

    assert judged(log, log.bundle()).total == Counts(live=6, paused=2)


def test_hours_cannot_be_excused_by_going_offline_afterwards(make_log):
    """Omit three bad hours, then claim to have been offline."""
    log = make_log()
    log.publish()
    log.run(3)
    log.append("offline/v1", ver="v1.0.0")
    log.append("live/v1", ver="v1.0.0")
    log.run(3, start=START + 6 * HOUR)
    assert code_of(log, log.bundle()) == "gap"


def test_a_part_is_proved_as_a_part_and_says_so(day):
    since = START + 10 * HOUR
    leaves = day.leaves()
    part = [leaves[0], *leaves[11:]]
    openings = {index: day.openings[index] for index, _ in part[1:]}
    report = judged(day, day.bundle(leaves=part, since=since, openings=openings))
    assert (report.total.live, report.since) == (14, since)
    for dropped in (1, 5, len(part) - 2):
        less = part[:dropped] + part[dropped + 1 :]
        kept = {index: day.openings[index] for index, _ in less[1:]}
        assert code_of(day, day.bundle(leaves=less, since=since, openings=kept)) in ("chain", "gap")

    until = START + 20 * HOUR
    shown = leaves[:21]
    openings = {index: day.openings[index] for index, _ in shown[1:]}
    report = judged(day, day.bundle(leaves=shown, until=until, openings=openings))
    assert (report.total.live, report.until) == (20, until)


def test_the_logs_own_word_dates_where_the_policy_asks_for_no_more(day):
    own = own_word_policy([day.log_key.verifier])
    assert judged(day, day.bundle(), policy=own).total.live == 24
    nothing = parse_policy(f"log {day.log_key.verifier.vkey}\nquorum none\n")
    assert code_of(day, day.bundle(), policy=nothing) == "stale"
    report = judged(day, day.bundle(), policy=nothing, max_age=None)
    assert report.total == Counts(undated=24)


# Remembering.


def remember(log, path, bundle, **changed):
    remembered = Remembered(path)
    report = judged(log, bundle, **changed)
    remembered.check(report, bundle.checkpoint)
    remembered.store(bundle.checkpoint)


def test_a_log_that_grew_is_believed_again(day, tmp_path):
    path = tmp_path / "seen"
    remember(day, path, day.bundle())
    remember(day, path, day.bundle())
    size = Remembered(path).size_of("example.com/log")
    assert size == len(day.bodies)
    day.run(2, start=END)

    with pytest.raises(VerificationError, match=f"known={size}") as refused:
        remember(day, path, day.bundle(), now=END + 4000)
    assert refused.value.code == "extension"
    remember(day, path, day.bundle(known=[size]), now=END + 4000)
    assert Remembered(path).size_of("example.com/log") == size + 4


def test_a_log_that_was_rolled_back_is_refused_and_both_notes_kept(day, tmp_path):
    path = tmp_path / "seen"
    early = day.bundle()
    day.run(2, start=END)
    remember(day, path, day.bundle(), now=END + 4000)

    with pytest.raises(VerificationError, match="both notes are in") as refused:
        remember(day, path, early)

    assert refused.value.code == "rollback"
    kept = {one.read_text() for one in (tmp_path / "seen.conflicts").iterdir()}
    assert kept == {early.checkpoint, day.dating[-1].decode()}


@pytest.mark.parametrize("hours", [0, 2])
def test_a_forked_log_is_refused_and_both_notes_kept(day, make_log, tmp_path, hours):
    """Two histories, each with every signature in order, of one size or another."""
    path = tmp_path / "seen"
    remember(day, path, day.bundle())
    other = make_log()
    other.publish()
    other.checkpoint(START - 1800)
    other.run(23)
    other.append_body(b"what is said to somebody else")
    other.forecast(START + 23 * HOUR, 0)
    other.checkpoint(START + 23 * HOUR + 60)
    other.run(hours, start=END)

    size = len(day.bodies)
    with pytest.raises(VerificationError, match=f"first {size} leaves") as refused:
        remember(other, path, other.bundle(known=[size]), now=END + hours * HOUR)

    assert refused.value.code == "fork"
    assert len(list((tmp_path / "seen.conflicts").iterdir())) == 2


def test_a_torn_memory_is_noticed(day, tmp_path):
    path = tmp_path / "seen"
    remember(day, path, day.bundle())
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(StateError, match="torn or was edited"):
        Remembered(path)


def test_leaf_hashes_are_those_of_the_tree(day):
    assert day.levels[0] == [leaf_hash(body) for body in day.bodies]
