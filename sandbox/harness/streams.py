"""The protocol's two descriptors, out of reach of `print` and `input`."""

import fcntl
import io
import os
import sys

from signalbox.protocol import HEADER, MAX_TO_MODEL_BYTES, Kind, ProtocolError, pack, unpack_header

FIRST_FD = 100


class Streams:
    """Frames from and to the host."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._incoming = incoming
        self._outgoing = outgoing

    @classmethod
    def take_over(cls) -> "Streams":
        """Move the protocol off descriptors 0 and 1; stdout becomes the log."""
        incoming = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, FIRST_FD)
        outgoing = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, FIRST_FD)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        # Line by line, so that the log keeps the order of `print` and of raw writes.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)
        return cls(incoming, outgoing)

    def receive(self) -> tuple[Kind, int, bytes]:
        """The next frame: kind, seq, payload.

        Raises:
            EOFError: the host has closed its end.
            ProtocolError: not a frame.
        """
        length, kind, seq = unpack_header(self._read(HEADER.size), MAX_TO_MODEL_BYTES)
        return Kind(kind), seq, self._read(length)

    def expect(self, kind: Kind, seq: int) -> bytes:
        """The payload of the next frame, which must be of this kind and step."""
        got_kind, got_seq, payload = self.receive()
        if (got_kind, got_seq) != (kind, seq):
            raise ProtocolError(f"{got_kind.name} of step {got_seq}, not {kind.name} of {seq}")
        return payload

    def send(self, kind: Kind, seq: int, payload: bytes) -> None:
        """One frame, after everything printed so far."""
        flush_log()
        left = memoryview(pack(kind, seq, payload))
        while left:
            left = left[os.write(self._outgoing, left) :]

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            chunk = os.read(self._incoming, min(size - len(data), 1 << 20))
            if not chunk:
                raise EOFError("the host closed the protocol")
            data += chunk
        return bytes(data)


def flush_log() -> None:
    """Hand over what the model printed; it may have replaced or closed the streams."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            continue
