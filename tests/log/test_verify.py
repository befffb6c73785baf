"""Every way to tamper with evidence, and the one word that verification has for it."""

import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from signalbox.leaf import leaf_hash
from signalbox.log.bundle import parse_bundle
from signalbox.log.checkpoint import Checkpoint
from signalbox.log.errors import BundleError, StateError, VerificationError
from signalbox.log.leaves import HOUR
from signalbox.log.policy import own_word_policy, parse_policy
from signalbox.log.remembered import Remembered
from signalbox.log.slots import Counts
from signalbox.log.verify import Terms, verify_bundle
from tests.log.tampering import LIES, NOW, TAMPERED, shown_by_a_liar

HOUSE = Path(__file__).parents[2]
SOURCES = HOUSE / "sandbox/sdk/src/signalbox/log"
CODES = re.search(
    r"\| code \|.*?\n\n", (HOUSE / "docs/subscriber/verify.md").read_text(), re.DOTALL
)
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


@pytest.mark.parametrize("attack", TAMPERED)
def test_tampering_is_named(day, attack):
    tamper, code = TAMPERED[attack]
    bundle = tamper(day.bundle())

    assert code_of(day, bundle) == code


@pytest.mark.parametrize("attack", LIES)
def test_a_log_that_lies_consistently_is_named(make_log, attack):
    """New leaves, new root, every signature in order: only the rules are left to break."""
    lie, code = LIES[attack]
    log = make_log()
    bundle = lie(log)

    assert code_of(log, bundle, now=NOW) == code


def test_the_first_hour_that_is_owed_is_told(day):
    bundle = shown_by_a_liar(day, day.leaves()[:-3])
    with pytest.raises(VerificationError, match="owed a leaf for 2023-11-15 20:00 UTC"):
        judged(day, bundle)


def test_an_hour_between_two_is_owed_even_where_nothing_dates_them(make_log):
    log = make_log()
    bundle = LIES["an hour that was skipped"][0](log)
    nothing = parse_policy(f"log {log.log_key.verifier.vkey}\nquorum none\n")
    assert code_of(log, bundle, policy=nothing, max_age=None) == "gap"


def test_a_retired_version_owes_nothing_more(day):
    day.append("retired/v1", ver="v1.0.0")
    day.checkpoint(END - 60)
    day.append_body(b"hours later")
    day.checkpoint(END + 9 * HOUR)
    assert judged(day, day.bundle(), now=END + 9 * HOUR).total.live == 24


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


def test_every_code_is_explained_and_every_explained_code_is_given():
    told = set(re.findall(r"`([a-z]+)`(?=[^|]*\|[^|]*\|\n)", CODES[0]))
    code = "".join(
        (SOURCES / name).read_text() for name in ("verify.py", "rules.py", "remembered.py")
    )
    given = set(re.findall(r"(?:RuleError|VerificationError)\(\s*\"([a-z]+)\"", code))
    assert given == told
