"""A log made in memory by the real formats: same names, same keys, same bytes every time."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signalbox import Forecast
from signalbox.commitment import commit, payload_of
from signalbox.leaf import canonical, leaf_hash
from signalbox.log.bundle import Bundle, build_bundle
from signalbox.log.checkpoint import Checkpoint, sign_checkpoint
from signalbox.log.cosignature import cosign
from signalbox.log.leaves import HOUR
from signalbox.log.merkle import node_hash, tree_root
from signalbox.log.note import COSIGNATURE, ED25519, Note, SignerKey
from signalbox.log.policy import Policy, parse_policy
from signalbox.log.slots import datetime_of

ORIGIN = "example.com/log"
SIGNAL = "ada/tide"
IMAGE = "sha256:" + "1" * 64
DIGEST = "sha256:" + "0" * 64
START = 1_700_002_800  # a full hour


def key_of(name: str, kind: int) -> SignerKey:
    return SignerKey(
        name, kind, Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
    )


@dataclass
class MadeLog:
    """A log under construction."""

    origin: str = ORIGIN
    keys: dict[str, SignerKey] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    levels: list[list[bytes]] = field(default_factory=lambda: [[]])
    last: dict[str, tuple[int, str]] = field(default_factory=lambda: defaultdict(lambda: (-1, "")))
    dating: list[bytes] = field(default_factory=list)
    openings: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    cosigners: tuple[str, ...] = ("w1", "w2", "m1")

    def __post_init__(self):
        self.log_key = key_of(self.origin, ED25519)
        self.keys = {
            name: key_of(f"witness.example/{name}", COSIGNATURE) for name in ("w1", "w2", "m1")
        }

    @property
    def policy(self) -> Policy:
        """Two witnesses and a monitor."""
        witnesses = "".join(
            f"witness {name} {key.verifier.vkey}\n" for name, key in self.keys.items()
        )
        return parse_policy(
            f"log {self.log_key.verifier.vkey}\n{witnesses}group witnesses all w1 w2\n"
            "group monitors any m1\ngroup everybody all witnesses monitors\nquorum everybody\n"
        )

    def append_body(self, body: bytes) -> int:
        self.bodies.append(body)
        joined = leaf_hash(body)
        for level in range(64):
            if level == len(self.levels):
                self.levels.append([])
            self.levels[level].append(joined)
            if len(self.levels[level]) % 2:
                break
            joined = node_hash(*self.levels[level][-2:])
        return len(self.bodies) - 1

    def append(self, kind: str, *, sig: str = SIGNAL, **facts) -> int:
        seq, prev = self.last[sig]
        body = canonical({"kind": kind, "sig": sig, "seq": seq + 1, "prev": prev, **facts})
        self.last[sig] = (seq + 1, leaf_hash(body).hex())
        return self.append_body(body)

    def publish(self, ver: str = "v1.0.0", *, sig: str = SIGNAL, img: str = IMAGE) -> int:
        return self.append(
            "version/v1", sig=sig, ver=ver, commit="0" * 40, tree=DIGEST, lock=DIGEST, img=img,
            base=DIGEST, sbom=DIGEST,
        )  # fmt: skip

    def forecast(self, slot: int, vl: int, ver: str = "v1.0.0", **changed) -> int:
        sig = changed.pop("sig", SIGNAL)
        salt = hashlib.sha256(f"{sig} {ver} {slot}".encode()).digest()
        payload = payload_of(
            (Forecast("EURUSD", 1, slot % 7 / 1000, {0.1: -0.01, 0.9: 0.01}, 0.5),)
        )
        facts = {
            "ver": ver, "vl": vl, "img": IMAGE, "slot": slot, "inp": DIGEST,
            "c": commit(sig, datetime_of(slot), salt, payload).hex(),
        }  # fmt: skip
        index = self.append("forecast/v1", sig=sig, **facts | changed)
        self.openings[index] = (salt, payload)
        return index

    def missed(self, slot: int, ver: str = "v1.0.0") -> int:
        return self.append("missed/v1", ver=ver, slot=slot, why="timeout")

    def read(self, wanted):
        return [self.levels[level][index] for level, index in wanted]

    def head(self, size: int | None = None) -> Checkpoint:
        size = len(self.bodies) if size is None else size
        return Checkpoint(self.origin, size, tree_root(size, self.read))

    def sign(self, time: int, *, head: Checkpoint | None = None, by: tuple[str, ...] | None = None):
        """The newest checkpoint with its cosignatures."""
        note = sign_checkpoint(head or self.head(), [self.log_key], time)
        names = self.cosigners if by is None else by
        lines = tuple(cosign(self.keys[name], note.text, time + 1) for name in names)
        return Note(note.text, note.signatures + lines).encode()

    def checkpoint(self, time: int) -> bytes:
        """As `sign`, and kept for dating."""
        self.dating.append(self.sign(time))
        return self.dating[-1]

    def run(self, hours: int, *, start: int = START, vl: int = 0, ver: str = "v1.0.0") -> None:
        """A forecast an hour, a minute after it, with a stranger's leaf beside."""
        for slot in range(start, start + hours * HOUR, HOUR):
            self.append_body(canonical({"stranger": slot}))
            self.forecast(slot, vl, ver)
            self.checkpoint(slot + 60)

    def leaves(self, sig: str = SIGNAL) -> list[tuple[int, bytes]]:
        needle = f'"sig":"{sig}"'.encode()
        return [(index, body) for index, body in enumerate(self.bodies) if needle in body]

    def bundle(self, **changed) -> Bundle:
        given = {
            "checkpoint": self.dating[-1], "leaves": self.leaves(), "dating": self.dating,
            "openings": self.openings, "images": {"v1.0.0": IMAGE},
        } | changed  # fmt: skip
        return build_bundle(
            SIGNAL, given.pop("checkpoint"), given.pop("leaves"), self.read, **given
        )


@pytest.fixture(scope="session")
def make_log():
    """The class `MadeLog`, for tests that make several."""
    return MadeLog


@pytest.fixture
def day(make_log) -> MadeLog:
    """A version, published before its first hour, and a day of forecasts."""
    log = make_log()
    log.publish()
    log.checkpoint(START - 1800)
    log.run(24)
    return log
