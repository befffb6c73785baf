"""The same evidence for every verifier: a committed file, which the browser's tests read too.

`WRITE_LOG_VECTORS=1` writes the file anew; a changed format shows in its difference.
"""

import json
import os
from pathlib import Path

import msgspec
import pytest

from signalbox.log.bundle import Hints, parse_bundle
from signalbox.log.errors import LogError, VerificationError
from signalbox.log.leaves import HOUR
from signalbox.log.policy import own_word_policy, parse_policy
from signalbox.log.verify import Terms, verify_bundle
from tests.log.tampering import END, LIES, NOW, START, TAMPERED, begun

PATH = Path(__file__).parent / "vectors" / "evidence.json"
COUNTS = {"live": 0, "late": 0, "undated": 0, "missed": 0, "unopened": 0, "paused": 0}


def mixed(log):
    """One of everything, and letters that JSON escapes."""
    begun(log, 2)
    log.append("offline/v1", ver="v1.0.0")
    log.checkpoint(START + HOUR + 120)
    log.append("live/v1", ver="v1.0.0")
    log.append("price/v1", amount_minor=2900, currency="EUR", trial_days=14, reveal_after_hours=168)
    log.checkpoint(START + 3 * HOUR - 60)
    log.run(2, start=START + 3 * HOUR)
    log.append("missed/v1", ver="v1.0.0", slot=START + 5 * HOUR, why='"\\/\x1f\x7f é\u2028 😀')
    log.append("audit/v1", leaf=3, reproduced=True, why="")
    log.checkpoint(START + 5 * HOUR + 60)
    log.forecast(START + 6 * HOUR, 0)
    log.checkpoint(START + 6 * HOUR + 900)
    second = log.publish("v1.1.0", img="sha256:" + "3" * 64)
    log.checkpoint(START + 7 * HOUR - 60)
    log.forecast(START + 7 * HOUR, second, "v1.1.0", img="sha256:" + "3" * 64)
    log.forecast(START + 7 * HOUR, 0)
    log.append("retired/v1", ver="v1.0.0")
    log.checkpoint(START + 7 * HOUR + 60)
    return log.bundle(openings=dict(list(log.openings.items())[1:]))


def overrides(base: dict, bundle) -> dict:
    """The fields in which a bundle differs from the first."""
    said = json.loads(bundle.encode())
    return {name: value for name, value in said.items() if base[name] != value}


def vectors(make_log) -> dict:
    log = begun(make_log())
    good = msgspec.structs.replace(log.bundle(known=[5]), hints=Hints(policy=log.policy.text()))
    base = json.loads(good.encode())
    own = own_word_policy([log.log_key.verifier]).text()
    no_quorum = f"log {log.log_key.verifier.vkey}\nquorum none\n"
    other = make_log(origin="example.com/other")
    other.append_body(b"leaf")
    whole = {"total": COUNTS | {"live": 8}, "leaves": 9}
    cases = [
        {"name": "nothing", "expect": whole},
        {"name": "the log's own word", "policy": own, "expect": whole},
        {"name": "no quorum, any age", "policy": no_quorum, "max_age": None,
         "expect": {"total": COUNTS | {"undated": 8}, "leaves": 9}},
        {"name": "no quorum", "policy": no_quorum, "expect": {"code": "stale"}},
        {"name": "an old checkpoint", "now": NOW + 48 * HOUR, "expect": {"code": "stale"}},
        {"name": "a checkpoint of the future", "now": START, "expect": {"code": "future"}},
        {"name": "another log's checkpoint", "bundle": {"checkpoint": other.sign(END).decode()},
         "expect": {"code": "log"}},
        {"name": "a field nobody knows", "bundle": {"trusted": True},
         "expect": {"code": "malformed"}},
        {"name": "everything", "bundle": overrides(base, mixed(make_log())),
         "expect": {"total": {"live": 6, "late": 1, "undated": 0, "missed": 1, "unopened": 1,
                              "paused": 1}, "leaves": 15}},
    ]  # fmt: skip
    cases += [
        {"name": name, "bundle": overrides(base, tamper(good)), "expect": {"code": code}}
        for name, (tamper, code) in TAMPERED.items()
    ]
    cases += [
        {"name": name, "bundle": overrides(base, lie(make_log())), "expect": {"code": code}}
        for name, (lie, code) in LIES.items()
    ]
    return {
        "policy": log.policy.text(), "now": NOW, "max_age": 24 * HOUR, "live_deadline": 600,
        "bundle": base, "cases": cases, "memory": memory(make_log),
    }  # fmt: skip


def memory(make_log) -> list:
    """Bundles that one reader sees after another, and what is remembered against them."""
    log = begun(make_log(), 4)
    early = log.bundle()
    size = len(log.bodies)
    log.run(2, start=START + 4 * HOUR)
    other = begun(make_log(), 3)
    other.append_body(b"what is said to somebody else")
    other.forecast(START + 3 * HOUR, 0)
    other.checkpoint(START + 3 * HOUR + 60)
    same = other.bundle()
    other.run(2, start=START + 4 * HOUR)
    shown = {
        "early": early, "grown": log.bundle(known=[size]), "grown, unproved": log.bundle(),
        "another of the same size": same, "another that grew": other.bundle(known=[size]),
    }  # fmt: skip
    stories = [
        (["early", "early", "grown", "grown"], None),
        (["early", "grown, unproved"], "extension"),
        (["grown", "early"], "rollback"),
        (["early", "another of the same size"], "fork"),
        (["early", "another that grew"], "fork"),
    ]
    return [
        {"bundles": [json.loads(shown[name].encode()) for name in names], "last": code}
        for names, code in stories
    ]


def spelled(made: dict) -> str:
    """One case a line."""
    head = {key: value for key, value in made.items() if key not in ("cases", "memory")}
    lines = ['{"head":' + json.dumps(head, ensure_ascii=False)]
    for name in ("cases", "memory"):
        rows = ",\n".join(json.dumps(one, ensure_ascii=False) for one in made[name])
        lines.append(f'"{name}":[\n{rows}\n]')
    return ",\n".join(lines) + "}\n"


def test_the_committed_vectors_are_those_of_the_formats(make_log):
    text = spelled(vectors(make_log))
    if os.environ.get("WRITE_LOG_VECTORS") == "1":
        PATH.parent.mkdir(exist_ok=True)
        PATH.write_text(text)
    assert PATH.read_text() == text, "WRITE_LOG_VECTORS=1 pytest tests/log/test_vectors.py"


def cases():
    whole = json.loads(PATH.read_text()) if PATH.exists() else {"cases": []}
    return [pytest.param(whole["head"], case, id=case["name"]) for case in whole["cases"]]


@pytest.mark.parametrize(("head", "case"), cases())
def test_python_says_of_each_vector_what_is_expected(head, case):
    terms = Terms(
        parse_policy(case.get("policy", head["policy"])),
        case.get("now", head["now"]),
        case.get("max_age", head["max_age"]),
        head["live_deadline"],
    )
    data = json.dumps(head["bundle"] | case.get("bundle", {})).encode()
    try:
        report = verify_bundle(parse_bundle(data), terms)
        found = {"total": vars(report.total), "leaves": report.leaves}
    except LogError as error:
        code = error.code if isinstance(error, VerificationError) else "malformed"
        found = {"code": code}
    assert found == case["expect"]
