"""Frames over a channel: whole, of the right step, decoded into strict types only."""

from collections.abc import Iterable

import msgspec

from sandbox.runner.channel import Channel
from sandbox.runner.errors import Missed
from signalbox.protocol import (
    HEADER,
    MAX_TO_MODEL_BYTES,
    Answer,
    Historical,
    History,
    Kind,
    ModelError,
    ProtocolError,
    Ready,
    pack,
    unpack_header,
)

Incoming = Ready | Historical | Answer | History | ModelError

DECODERS: dict[int, msgspec.msgpack.Decoder[Incoming]] = {
    Kind.READY: msgspec.msgpack.Decoder(Ready),
    Kind.HISTORICAL: msgspec.msgpack.Decoder(Historical),
    Kind.FORECAST: msgspec.msgpack.Decoder(Answer),
    Kind.ERROR: msgspec.msgpack.Decoder(ModelError),
    Kind.HISTORY: msgspec.msgpack.Decoder(History),
}


class Frames:
    """What the host says to a model and hears from it."""

    def __init__(self, channel: Channel, *, output_bytes: int) -> None:
        self.channel = channel
        self._limit = output_bytes

    def send(self, kind: Kind, seq: int, payload: bytes, deadline: float) -> None:
        if len(payload) > MAX_TO_MODEL_BYTES:
            raise ValueError(f"a {kind.name} of {len(payload)} bytes is over the protocol's limit")
        self.channel.send(pack(kind, seq, payload), deadline)

    def send_together(
        self, frames: Iterable[tuple[Kind, bytes]], seq: int, deadline: float
    ) -> None:
        """Several small frames of one step in one write."""
        self.channel.send(b"".join([pack(kind, seq, data) for kind, data in frames]), deadline)

    def receive(self, seq: int, expected: frozenset[Kind], deadline: float) -> Incoming:
        """The next message, which must belong to step `seq` and be one of `expected`.

        Raises:
            Missed: `invalid`, naming the first fault.
            TimeoutError, EOFError: as `Channel.read`.
        """
        header = self.channel.read(HEADER.size, deadline)
        try:
            length, kind, sent_seq = unpack_header(header, self._limit)
        except ProtocolError as error:
            raise Missed("invalid", str(error)) from None
        if kind not in expected:
            names = " or ".join(sorted(kind.name for kind in expected))
            raise Missed("invalid", f"frame of kind {kind} where {names} belongs")
        if sent_seq != seq:
            raise Missed("invalid", f"frame of step {sent_seq} in step {seq}")
        payload = self.channel.read(length, deadline)
        return _decoded(kind, payload)

    def check_quiet(self) -> None:
        """Nothing may have come that was not asked for.

        Raises:
            Missed: `invalid`.
        """
        stray = len(self.channel.pending)
        if stray:
            raise Missed("invalid", f"{stray} stray bytes on the protocol, such as a second answer")


def _decoded(kind: int, payload: bytes) -> Incoming:
    try:
        return DECODERS[kind].decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError, OverflowError) as error:
        raise Missed(
            "invalid", f"{Kind(kind).name} is not the message it should be: {error}"
        ) from None
