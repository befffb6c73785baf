"""The protocol's two descriptors, out of reach of `print` and `input`."""

import fcntl
import io
import os
import sys

from signalbox.protocol import HEADER, MAX_TO_MODEL_BYTES, Kind, ProtocolError, pack, unpack_header

FIRST_FD = 100
READ_BYTES = 1 << 16  # what a pipe holds


class Streams:
    """Frames from and to the host."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._data = b""
        self._at = 0

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
        if len(self._data) - self._at < size:
            self._fill(size)
        begin, self._at = self._at, self._at + size
        return self._data[begin : self._at]

    def _fill(self, size: int) -> None:
        data = bytearray(self._data[self._at :])
        while len(data) < size:
            chunk = os.read(self._incoming, READ_BYTES)
            if not chunk:
                raise EOFError("the host closed the protocol")
            data += chunk
        self._data, self._at = bytes(data), 0


def flush_log() -> None:
    """Hand over what the model printed; it may have replaced or closed the streams."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            continue
