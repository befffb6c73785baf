"""The host's end of a sandbox's descriptors: frames' bytes and the log.

Theory of operation: whatever the host waits for, it keeps reading both the
protocol and the log, so that a model blocked on a full log pipe can never
block the host that is writing to it. Everything that waits has one deadline
(`time.monotonic`), however few bytes trickle in.
"""

import os
import select
import time
from collections.abc import Callable, Mapping

from signalbox.protocol import HEADER, ProtocolError

CHUNK = 65_536
# One drain takes at most this many reads: a flooding model must not hold the host in it.
DRAIN_READS = 64


class Log:
    """What a model printed: the first `limit` bytes of a slot, the rest counted."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._dropped = 0

    def append(self, data: bytes) -> None:
        room = max(0, self._limit - len(self._kept))
        self._kept += data[:room]
        self._dropped += len(data) - len(data[:room])

    def peek(self) -> str:
        """The log so far, with a marker where it was cut."""
        text = self._kept.decode(errors="replace")
        if self._dropped:
            text += f"\n[log cut: {self._dropped} more bytes]\n"
        return text

    def take(self) -> str:
        """`peek`, and begin anew."""
        text = self.peek()
        self._kept.clear()
        self._dropped = 0
        return text


class Intake:
    """Where bytes from a sandbox arrive: protocol bytes and the log."""

    def __init__(self, *, log_bytes: int, output_bytes: int) -> None:
        self.protocol = bytearray()
        self.log = Log(log_bytes)
        self._limit = HEADER.size + output_bytes + CHUNK

    def take_protocol(self, data: bytes) -> None:
        self.protocol += data
        if len(self.protocol) > self._limit:
            raise ProtocolError(f"more than {self._limit} bytes written that were not asked for")


Reader = Callable[[bytes], None]


class Channel:
    """Sends to and reads from a sandbox, under deadlines.

    `readers` maps each descriptor to what takes its bytes; `protocol_fd` is the one
    whose end is the end of the protocol. The channel owns the descriptors given as
    `owned` and closes them in `close`.
    """

    def __init__(
        self,
        intake: Intake,
        *,
        stdin_fd: int,
        protocol_fd: int,
        readers: Mapping[int, Reader],
        owned: tuple[int, ...],
    ) -> None:
        self._intake = intake
        self._stdin_fd = stdin_fd
        self._protocol_fd = protocol_fd
        self._readers = dict(readers)
        self._owned = owned
        self._arrivals = select.poll()
        for fd in {stdin_fd, *readers}:
            os.set_blocking(fd, False)
        for fd in readers:
            self._arrivals.register(fd, select.POLLIN)

    @property
    def log(self) -> Log:
        return self._intake.log

    @property
    def pending(self) -> bytes:
        """Protocol bytes that arrived and nobody has read."""
        return bytes(self._intake.protocol)

    @property
    def ended(self) -> bool:
        """Whether the model's end of the protocol is closed."""
        return self._protocol_fd not in self._readers

    def send(self, data: bytes, deadline: float) -> None:
        """Write all of `data`.

        Raises:
            TimeoutError: the deadline passed first.
            EOFError: the model has closed its end.
            ProtocolError: the model flooded the protocol meanwhile.
        """
        left = memoryview(data)
        left = left[self._write_some(left) :]
        while left:
            for fd, event in self._poll(deadline, writing=True):
                if fd in self._readers and event & ~select.POLLOUT:
                    self._read_once(fd)
                if fd == self._stdin_fd and event & (select.POLLOUT | select.POLLERR):
                    left = left[self._write_some(left) :]

    def read(self, size: int, deadline: float) -> bytes:
        """Exactly `size` protocol bytes.

        Raises:
            TimeoutError: the deadline passed first.
            EOFError: the model has closed its end.
            ProtocolError: more bytes came than any frame has.
        """
        protocol = self._intake.protocol
        while len(protocol) < size:
            if self.ended:
                raise EOFError
            for fd, _ in self._poll(deadline):
                self._read_once(fd)
        data = bytes(protocol[:size])
        del protocol[:size]
        return data

    def drain(self) -> None:
        """Take what has arrived, without waiting."""
        for _ in range(DRAIN_READS):
            ready = self._ready(0.0)
            if not ready:
                return
            for fd, _ in ready:
                self._read_once(fd)

    def drain_to_end(self, deadline: float) -> None:
        """Take everything until every descriptor is closed.

        Raises:
            TimeoutError: the deadline passed first.
        """
        while self._readers:
            for fd, _ in self._poll(deadline):
                self._read_once(fd)

    def close(self) -> None:
        self._readers.clear()
        owned, self._owned = self._owned, ()
        for fd in owned:
            os.close(fd)

    def _poll(self, deadline: float, *, writing: bool = False) -> list[tuple[int, int]]:
        left = deadline - time.monotonic()
        # Asked even where events are ready: a flood of bytes must not outrun the deadline.
        if left <= 0:
            raise TimeoutError
        ready = self._ready(left, writing=writing)
        if not ready:
            raise TimeoutError
        return ready

    def _ready(self, seconds: float, *, writing: bool = False) -> list[tuple[int, int]]:
        if not writing:
            return self._arrivals.poll(seconds * 1000) if self._readers else []
        both = select.poll()
        for fd in self._readers:
            both.register(fd, select.POLLIN)
        reads_too = select.POLLIN if self._stdin_fd in self._readers else 0
        both.register(self._stdin_fd, select.POLLOUT | reads_too)
        return both.poll(seconds * 1000)

    def _read_once(self, fd: int) -> None:
        reader = self._readers[fd]
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if data:
            reader(data)
        else:
            del self._readers[fd]
            self._arrivals.unregister(fd)

    def _write_some(self, data: memoryview) -> int:
        try:
            return os.write(self._stdin_fd, data[:CHUNK])
        except BlockingIOError:
            return 0
        except (BrokenPipeError, ConnectionResetError):
            raise EOFError from None
