"""A leaf says what its kind allows, in one spelling."""

import msgspec
import pytest

from signalbox.leaf import canonical
from signalbox.log.errors import LeafError
from signalbox.log.leaves import parse_leaf

DIGEST = "sha256:" + "0" * 64
COMMON = {"sig": "ada/tide", "seq": 1, "prev": "0" * 64}
FORECAST = COMMON | {
    "kind": "forecast/v1", "ver": "v1.0.0", "vl": 0, "img": DIGEST, "slot": 7200, "inp": DIGEST,
    "c": "0" * 64,
}  # fmt: skip
GOOD = [
    {"kind": "version/v1", "sig": "ada/tide", "seq": 0, "prev": "", "ver": "v1.0.0",
     "commit": "0" * 40, "tree": DIGEST, "lock": DIGEST, "img": DIGEST, "base": DIGEST,
     "sbom": DIGEST},
    FORECAST,
    COMMON | {"kind": "missed/v1", "ver": "v1.0.0", "slot": 7200, "why": "timeout"},
    COMMON | {"kind": "offline/v1", "ver": "v1.0.0"},
    COMMON | {"kind": "live/v1", "ver": "v1.0.0"},
    COMMON | {"kind": "retired/v1", "ver": "v1.0.0"},
    COMMON | {"kind": "price/v1", "amount_minor": 2900, "currency": "EUR", "trial_days": 14,
              "reveal_after_hours": 168},
    COMMON | {"kind": "audit/v1", "leaf": 4, "reproduced": False, "why": "another point"},
]  # fmt: skip


@pytest.mark.parametrize("said", GOOD, ids=lambda said: said["kind"])
def test_every_kind_is_read(said):
    assert msgspec.to_builtins(parse_leaf(canonical(said))) == said


@pytest.mark.parametrize("said", GOOD, ids=lambda said: said["kind"])
def test_a_leaf_that_says_more_or_less_is_refused(said):
    with pytest.raises(LeafError, match="unknown field `also`"):
        parse_leaf(canonical(said | {"also": 1}))
    for name in said:
        with pytest.raises(LeafError, match="missing required field"):
            parse_leaf(canonical({key: value for key, value in said.items() if key != name}))


@pytest.mark.parametrize(
    ("attack", "changed"),
    [
        ("a kind nobody knows", {"kind": "forecast/v2"}),
        ("a slot off the hour", {"slot": 7201}),
        ("a slot that is a float", {"slot": 7200.5}),
        ("a negative seq", {"seq": -1}),
        ("a hash in capitals", {"c": "A" * 64}),
        ("a digest of another kind", {"img": "md5:" + "0" * 64}),
        ("a line feed after a digest", {"img": DIGEST + "\n"}),
        ("a name with a path in it", {"sig": "ada/../tide"}),
        ("a version with white space", {"ver": "v1.0.0 "}),
        ("no previous hash of the right length", {"prev": "00"}),
    ],
)
def test_a_field_out_of_bounds_is_refused(attack, changed):  # noqa: ARG001 - names the case
    with pytest.raises(LeafError):
        parse_leaf(canonical(FORECAST | changed))


@pytest.mark.parametrize(
    ("attack", "body"),
    [
        ("white space", canonical(FORECAST).replace(b",", b", ")),
        ("keys in another order", msgspec.json.encode(dict(reversed(FORECAST.items())))),
        ("a key twice", canonical(FORECAST).replace(b"{", b'{"c":"' + b"1" * 64 + b'",', 1)),
        ("another spelling of a number", canonical(FORECAST).replace(b"7200", b"7.2e3")),
        ("an escaped letter", canonical(FORECAST).replace(b"ada", b"\\u0061da")),
        ("more after it", canonical(FORECAST) + b"\n"),
        ("not JSON", b"leaf"),
        ("not UTF-8", b'"\xff"'),
        ("nothing", b""),
    ],
)
def test_another_spelling_of_a_leaf_is_refused(attack, body):  # noqa: ARG001 - names the case
    with pytest.raises(LeafError):
        parse_leaf(body)
