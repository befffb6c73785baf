"""The wire protocol between the platform and a model, version 1.

A frame is `u32 length | u8 kind | 3 pad bytes | u32 seq | payload`, little
endian, `length` counting the payload only. Control messages are MessagePack
maps decoded into the strict types below; bars travel only from host to model,
as Arrow IPC streams or as the difference to what the model holds. `seq` is 0 for
`init`, `ready` and `end`, and the step number (1, 2, ...) for everything that
belongs to a slot. PAST and RECALL are sent at publication only, to a model whose
READY says that it has a history to compare (`signalbox.testing`).

`docs/provider/protocol.md` says the same for other languages.
"""

import struct
from datetime import datetime
from enum import IntEnum

import msgspec

from signalbox.forecast import Forecast
from signalbox.manifest import Manifest

PROTOCOL_VERSION = 1
HEADER = struct.Struct("<IB3xI")
# Bars that fall off at the front, bars kept after them; the rows that follow come behind.
CHANGE = struct.Struct("<II")
MAX_TO_MODEL_BYTES = 64 * 1024 * 1024
MAX_TO_HOST_BYTES = 64 * 1024


class Kind(IntEnum):
    """Frame kinds; those below 64 go to the model, the others to the host."""

    INIT = 1
    SLOT = 2
    TABLE = 3
    ROWS = 4
    REFUSED = 5
    END = 6
    CHANGE = 7
    PAST = 8
    RECALL = 9
    READY = 64
    HISTORICAL = 65
    FORECAST = 66
    ERROR = 67
    HISTORY = 68


class ProtocolError(Exception):
    """The other side broke the protocol; names the first fault."""


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Init(_Message, frozen=True):
    """First frame. `seed` is the version's; a slot's own comes with the slot."""

    protocol: int
    version: str
    manifest: Manifest
    seed: int


class Slot(_Message, frozen=True):
    """A slot begins; a TABLE or a CHANGE per symbol follows, in this order."""

    as_of: datetime
    symbols: tuple[str, ...]
    seed: int


class Historical(_Message, frozen=True):
    """The model asks for more bars; ROWS (Arrow) or REFUSED answers."""

    symbol: str
    start: datetime
    end: datetime


class Refused(_Message, frozen=True):
    """Why a read is refused."""

    reason: str


class Ready(_Message, frozen=True):
    """The model's code is loaded; `history`: it defines `forecast_history`."""

    protocol: int
    history: bool = False


class Answer(_Message, frozen=True):
    """The model's forecasts for the slot of this `seq`."""

    rows: tuple[Forecast, ...]


class Recall(_Message, frozen=True):
    """One hour of the history that was computed for the last PAST; FORECAST answers."""

    as_of: datetime


class History(_Message, frozen=True):
    """A history is computed; for how many hours."""

    hours: int


class ModelError(_Message, frozen=True):
    """The model raised; the traceback is the provider's to read."""

    type: str
    message: str
    traceback: str


def pack(kind: Kind, seq: int, payload: bytes) -> bytes:
    """One frame as bytes."""
    return HEADER.pack(len(payload), kind, seq) + payload


def unpack_header(header: bytes, limit: int) -> tuple[int, int, int]:
    """`(length, kind, seq)` of a frame header.

    Raises:
        ProtocolError: a pad byte is not zero or the payload exceeds `limit`.
    """
    length, kind, seq = HEADER.unpack(header)
    if header[5:8] != b"\0\0\0":
        raise ProtocolError("stray bytes where a frame header should be")
    if length > limit:
        raise ProtocolError(f"frame of {length} bytes is over the limit of {limit}")
    return length, kind, seq
