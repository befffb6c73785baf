"""Where somebody is in the events: three counters, shown as one opaque text.

Events come from three sources, each in the order of its commits: leaves of the log by
index, and the billing outbox and the events of versions by (transaction, id). A position
says how far each was read; an event's id is the position after it. So whoever comes back
with an id, to whichever process, is told what follows it in each source, from what is
stored.

Shown, a position is sealed by AES-SIV (RFC 5297) under a key made of the API's secret:
what was not made here does not open, and nobody reads out of it how many payments there
were.
"""

import base64
import binascii
import struct
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LAST_ID = 2**63 - 1
NUMBERS = struct.Struct(">qqqqq")
SHOWN_CHARACTERS = 75

Place = tuple[int, int]
"""Transaction and id of a row; (xid, LAST_ID) is after all rows of the transaction."""


class ForeignPositionError(ValueError):
    """A text that is no position of this installation."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far each source was read, inclusive.

    Attributes:
        leaf: index in the log; -1 before the first.
        billing: of billing.outbox.
        version: of registry.version_event.
    """

    leaf: int
    billing: Place
    version: Place

    def covers(self, other: "Position") -> bool:
        """Whether everything up to `other` was read."""
        return (
            self.leaf >= other.leaf
            and self.billing >= other.billing
            and self.version >= other.version
        )

    def joined(self, other: "Position") -> "Position":
        """The position at which both were read."""
        return Position(
            max(self.leaf, other.leaf),
            max(self.billing, other.billing),
            max(self.version, other.version),
        )

    def at_leaf(self, index: int) -> "Position":
        return replace(self, leaf=index)

    def at_billing(self, place: Place) -> "Position":
        return replace(self, billing=place)

    def at_version(self, place: Place) -> "Position":
        return replace(self, version=place)


class Positions:
    """Shows and reads positions of one installation."""

    def __init__(self, secret: bytes) -> None:
        derived = HKDF(SHA256(), 32, salt=None, info=b"signalbox event positions")
        self._seal = AESSIV(derived.derive(secret))

    def show(self, position: Position) -> str:
        raw = NUMBERS.pack(position.leaf, *position.billing, *position.version)
        return base64.urlsafe_b64encode(self._seal.encrypt(raw, None)).decode().rstrip("=")

    def read(self, text: str) -> Position:
        """The position of an event's id.

        Raises:
            ForeignPositionError: it was not made here.
        """
        if len(text) != SHOWN_CHARACTERS:
            raise ForeignPositionError(text)
        try:
            sealed = base64.b64decode(text.encode("ascii") + b"=", altchars=b"-_", validate=True)
            leaf, *places = NUMBERS.unpack(self._seal.decrypt(sealed, None))
        except (ValueError, binascii.Error, InvalidTag):
            raise ForeignPositionError(text) from None
        return Position(leaf, (places[0], places[1]), (places[2], places[3]))
