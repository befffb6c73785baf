"""Signed notes, keys, checkpoints, cosignatures and policies: read strictly, or not at all."""

import pytest

from signalbox.log.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from signalbox.log.cosignature import cosign, cosigned_at, verify_cosignature
from signalbox.log.errors import CheckpointError, LogError, NoteError, PolicyError, QuorumError
from signalbox.log.note import (
    COSIGNATURE,
    Note,
    VerifierKey,
    generate_key,
    parse_note,
    parse_skey,
    parse_vkey,
    verify_note,
)
from signalbox.log.policy import open_evidence, own_word_policy, parse_policy

# From the documentation of Go's note package.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"  # noqa: E501
).encode()
LOG = generate_key("example.com/log")
WITNESSES = [generate_key(f"witness.example/{name}", COSIGNATURE) for name in ("a", "b", "c")]
HEAD = Checkpoint("example.com/log", 7, bytes(range(32)))


def test_a_note_that_go_signed_is_verified():
    assert verify_note(parse_note(GO_NOTE), [parse_vkey(GO_KEY)])
    assert parse_note(GO_NOTE).encode() == GO_NOTE
    with pytest.raises(NoteError, match="does not hold"):
        verify_note(parse_note(GO_NOTE.replace(b"answer", b"Answer")), [parse_vkey(GO_KEY)])


def test_keys_are_written_and_read_again():
    for key in (LOG, WITNESSES[0]):
        assert parse_vkey(key.verifier.vkey) == key.verifier
        assert parse_skey(key.skey).verifier == key.verifier


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumanN+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10",
        "PeterNeumann+c74f20a3+AhpZ",
        "white space+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_a_public_key_with_a_fault_is_refused(vkey):
    with pytest.raises(NoteError):
        parse_vkey(vkey)


def test_a_private_key_never_shows_in_a_message():
    secret = LOG.skey.split("+", 4)[4]
    assert secret not in repr(LOG)
    for fault in (
        LOG.skey[:-4],
        LOG.skey.replace("PRIVATE", ""),
        LOG.skey.replace("log+", "log+0"),
    ):
        with pytest.raises(NoteError) as refused:
            parse_skey(fault)
        assert secret[:20] not in str(refused.value)


@pytest.mark.parametrize(
    ("attack", "data"),
    [
        ("no signature", b"text\n"),
        ("no empty line", b"text\n" + LOG.sign("text\n").line.encode()),
        ("cut off", GO_NOTE[:-1]),
        ("a control character", GO_NOTE.replace(b"answer", b"ans\x00er")),
        ("not UTF-8", GO_NOTE.replace(b"answer", b"ans\xffer")),
        ("a line that is no signature", GO_NOTE + b"text\n"),
        ("base64 with a second spelling", GO_NOTE.replace(b"JnAM=", b"JnAN=")),
        ("too long", b"x" * 70_000 + GO_NOTE),
        ("too many signatures", GO_NOTE + GO_NOTE.split(b"\n\n")[1] * 200),
    ],
)
def test_a_malformed_note_is_refused(attack, data):  # noqa: ARG001 - names the case
    with pytest.raises(NoteError):
        parse_note(data)


def test_a_signature_of_one_type_is_not_taken_for_another():
    """The same key signs checkpoints and dates them: neither can pose as the other."""
    note = sign_checkpoint(HEAD, [LOG], timestamp=1700000000)
    plain, dated = note.signatures
    assert plain.key_id != dated.key_id
    as_plain = Note(note.text, (type(dated)(dated.name, plain.key_id, dated.value),))
    with pytest.raises(NoteError, match="does not hold"):
        verify_note(as_plain, [LOG.verifier])
    dating = VerifierKey(LOG.name, COSIGNATURE, LOG.verifier.public)
    with pytest.raises(NoteError, match="malformed"):
        verify_cosignature(dating, note.text, plain)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n7\n",
        "origin\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "origin\n07\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "origin\n-7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "origin\n9223372036854775808\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "origin\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n",
        "origin\n7\nAAEC\n",
        "\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "origin\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text):
    with pytest.raises(CheckpointError):
        parse_checkpoint(text)


def test_extension_lines_are_kept_and_signed():
    extended = Checkpoint(HEAD.origin, HEAD.size, HEAD.root, ("more", "and more"))
    opened, _ = open_checkpoint(sign_checkpoint(extended, [LOG], 1).encode(), [LOG.verifier])
    assert opened == extended


def test_a_checkpoint_of_another_log_is_refused():
    other = generate_key("example.com/other")
    note = sign_checkpoint(Checkpoint(other.name, 7, HEAD.root), [other], 1)
    with pytest.raises(CheckpointError, match=r"of log 'example\.com/other'"):
        open_checkpoint(note.encode(), [LOG.verifier])
    with pytest.raises(CheckpointError, match="cannot sign for"):
        sign_checkpoint(HEAD, [other], 1)


def test_an_impostor_with_the_logs_name_is_not_the_log():
    impostor = generate_key(LOG.name)
    note = sign_checkpoint(HEAD, [impostor], 1)
    with pytest.raises(NoteError, match="not signed by"):
        open_checkpoint(note.encode(), [LOG.verifier])


def test_a_cosignature_tells_its_time_and_holds_for_no_other_text():
    line = cosign(WITNESSES[0], HEAD.text, 1700000000)
    assert verify_cosignature(WITNESSES[0].verifier, HEAD.text, line) == 1700000000
    redated = type(line)(line.name, line.key_id, b"\x00" * 8 + line.value[8:])
    for text, signature in ((HEAD.text + "x\n", line), (HEAD.text, redated)):
        with pytest.raises(NoteError, match="does not hold"):
            verify_cosignature(WITNESSES[0].verifier, text, signature)


def test_while_a_log_changes_its_key_either_key_is_enough():
    new = generate_key(LOG.name)
    both = sign_checkpoint(HEAD, [LOG, new], 1).encode()
    only_new = sign_checkpoint(HEAD, [new], 1).encode()
    for keys in ([LOG.verifier], [new.verifier], [LOG.verifier, new.verifier]):
        assert open_checkpoint(both, keys)[0] == HEAD
    assert open_checkpoint(only_new, [LOG.verifier, new.verifier])[0] == HEAD
    with pytest.raises(NoteError):
        open_checkpoint(only_new, [LOG.verifier])


def policy_text(quorum: str = "quorum everybody") -> str:
    named = "\n".join(
        f"witness {name} {key.verifier.vkey} http://127.0.0.1/{name}"
        for name, key in zip(("w1", "w2", "m1"), WITNESSES, strict=True)
    )
    return (
        f"# a comment\nlog {LOG.verifier.vkey}\n\n{named}\n"
        "group witnesses 1 w1 w2\ngroup monitors all m1\ngroup everybody all witnesses monitors\n"
        f"{quorum}\n"
    )


def cosigned(times: dict[int, int]) -> bytes:
    note = sign_checkpoint(HEAD, [LOG], 5)
    lines = tuple(cosign(WITNESSES[who], HEAD.text, time) for who, time in times.items())
    return Note(note.text, note.signatures + lines).encode()


def test_the_quorum_is_reached_when_its_last_needed_cosigner_signed():
    policy = parse_policy(policy_text())
    assert parse_policy(policy.text()) == policy
    assert open_evidence(cosigned({0: 10, 1: 20, 2: 15}), policy).reached_at == 15
    assert open_evidence(cosigned({1: 20, 2: 15}), policy).reached_at == 20
    assert policy.monitors == ("m1",)
    assert "m1 read every leaf" in policy.summary


def test_a_quorum_that_is_not_there_is_named():
    policy = parse_policy(policy_text())
    for missing in ({0: 10, 1: 20}, {2: 10}, {}):
        with pytest.raises(QuorumError, match="lacks its quorum 'everybody'"):
            open_evidence(cosigned(missing), policy)
        assert open_evidence(cosigned(missing), policy, require_quorum=False).reached_at is None


def test_a_cosignature_that_does_not_hold_is_not_passed_over():
    good = cosigned({0: 10, 1: 20, 2: 15}).decode().split("\n")
    forged = cosign(WITNESSES[2], HEAD.text + "x\n", 15).line.rstrip("\n")
    with pytest.raises(NoteError, match="does not hold"):
        open_evidence("\n".join([*good[:-2], forged, ""]).encode(), parse_policy(policy_text()))


def test_the_default_policy_says_plainly_that_it_is_the_logs_own_word():
    policy = own_word_policy([LOG.verifier])
    assert policy.summary.startswith("the log's own key alone")
    assert policy.independent == ()
    assert open_evidence(cosigned({}), policy).reached_at == 5
    assert parse_policy(policy.text()) == policy
    assert cosigned_at(parse_note(cosigned({})), WITNESSES[0].verifier) is None


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("", "names no log"),
        (policy_text(""), "no quorum"),
        (policy_text("quorum nobody"), "'nobody' is no witness"),
        (policy_text("quorum w1\nquorum w2"), "none of: log"),
        (policy_text("group again any w1\nquorum w1"), "member of a group already"),
        (policy_text("group w1 any w2\nquorum w1"), "'w1' is taken"),
        (policy_text(f"log {LOG.verifier.vkey}"), "stands there twice"),
        (policy_text(f"witness w9 {WITNESSES[0].verifier.vkey}"), "stands there twice"),
        (policy_text(f"witness w9 {LOG.verifier.vkey}"), "has type 1, not 4"),
        (policy_text(f"log {WITNESSES[0].verifier.vkey}"), "has type 4, not 1"),
        (policy_text("group more 2 everybody\nquorum more"), "not all, any or 1 to 1"),
        (policy_text("group more 0 everybody\nquorum more"), "not all, any or 1 to 1"),
        (policy_text("group more any\nquorum more"), "none of: log"),
        (policy_text("trust everybody"), "line 10: 'trust everybody' is none of"),
    ],
)
def test_a_policy_with_a_fault_is_refused_by_line(fault, says):
    with pytest.raises(PolicyError, match=says):
        parse_policy(fault)


def test_every_fault_of_a_format_is_a_log_error():
    assert issubclass(NoteError, LogError)
    assert issubclass(PolicyError, ValueError)
