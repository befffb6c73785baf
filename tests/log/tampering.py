"""Every way to tamper with evidence, and the one word that verification has for it."""

import base64
import json

import msgspec

from signalbox.leaf import canonical
from signalbox.log.leaves import HOUR

START = 1_700_002_800
HOURS = 8
END = START + HOURS * HOUR
NOW = END + 900


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
    "all leaves dropped": (lambda bundle: without(bundle, *range(len(bundle.leaves))), "leaf"),
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


# A log that lies consistently.


def shown_by_a_liar(log, leaves):
    """Evidence that proves exactly these leaves, others left out with their proof rebuilt."""
    shown = {index for index, _ in leaves}
    openings = {index: one for index, one in log.openings.items() if index in shown}
    return log.bundle(leaves=leaves, openings=openings)


def begun(log, hours=HOURS):
    """A version, published before its first hour, and its forecasts."""
    log.publish()
    log.checkpoint(START - 1800)
    log.run(hours)
    return log


def and_then(*acts):
    """What a log does after a good day, and the evidence for it."""

    def lie(log):
        begun(log)
        for act in acts:
            act(log)
        log.checkpoint(END + 60)
        return log.bundle()

    return lie


def without_the_fifth(log):
    leaves = begun(log).leaves()
    return shown_by_a_liar(log, leaves[:5] + leaves[6:])


def without_the_last(log):
    return shown_by_a_liar(log, begun(log).leaves()[:-3])


def without_the_first(log):
    return shown_by_a_liar(log, begun(log).leaves()[1:])


def with_a_skipped_hour(log):
    begun(log, 3)
    log.run(3, start=START + 4 * HOUR)
    return log.bundle()


def with_a_late_beginning(log):
    log.publish()
    log.checkpoint(START - 3 * HOUR)
    log.run(HOURS)
    return log.bundle()


def with_an_excuse_afterwards(log):
    begun(log, 3)
    log.append("offline/v1", ver="v1.0.0")
    log.append("live/v1", ver="v1.0.0")
    log.run(3, start=START + 6 * HOUR)
    return log.bundle()


def begin_again(log):
    log.last["ada/tide"] = (-1, "")
    log.publish("v2.0.0")


LIES = {
    "an hour left out with its proof": (without_the_fifth, "chain"),
    "the version's leaf left out with its proof": (without_the_first, "chain"),
    "the last hours left out with their proof": (without_the_last, "gap"),
    "an hour that was skipped": (with_a_skipped_hour, "gap"),
    "bad hours left out before the first": (with_a_late_beginning, "gap"),
    "hours excused by going offline afterwards": (with_an_excuse_afterwards, "gap"),
    "a second forecast of a slot": (
        and_then(lambda log: log.forecast(START + 5 * HOUR, 0)),
        "twice",
    ),
    "a second signal of the same name": (and_then(begin_again), "chain"),
    "a wrong image under the version": (
        and_then(lambda log: log.forecast(END, 0, img="sha256:" + "2" * 64)),
        "image",
    ),
    "another version's leaf": (and_then(lambda log: log.forecast(END, 1)), "image"),
    "a forecast of a version without a leaf": (
        and_then(lambda log: log.forecast(END, 0, "v2.0.0")),
        "version",
    ),
    "a version published again": (and_then(lambda log: log.publish()), "version"),
    "a forecast after retirement": (
        and_then(
            lambda log: log.append("retired/v1", ver="v1.0.0"), lambda log: log.forecast(END, 0)
        ),
        "state",
    ),
    "a live version made live": (
        and_then(lambda log: log.append("live/v1", ver="v1.0.0")),
        "state",
    ),
}
