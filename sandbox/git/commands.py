"""The commands in front of a push's pack, counted before git keeps them in memory.

A push is pkt-lines (four hexadecimal digits of length, then the line), ended by
a flush `0000`; what follows is the pack, whose size git limits itself.
"""

from sandbox.git.limits import MAX_COMMAND_BYTES
from sandbox.git.refusals import RefusedRequestError

FLUSH = b"0000"
HEADER_BYTES = 4


class Commands:
    """Follows a body, chunk by chunk, up to the end of its commands."""

    def __init__(self) -> None:
        self.ended = False
        self._header = b""
        self._left_of_line = 0
        self._taken = 0

    def follow(self, chunk: bytes) -> None:
        """Look at the next bytes of the body.

        Raises:
            RefusedRequestError: these are no pkt-lines, or too many.
        """
        while chunk and not self.ended:
            follow = self._within_line if self._left_of_line else self._within_header
            chunk = follow(chunk)
        if self._taken > MAX_COMMAND_BYTES:
            raise RefusedRequestError(413, "too many refs in one push: push main and one tag")

    def _within_line(self, chunk: bytes) -> bytes:
        skipped = min(len(chunk), self._left_of_line)
        self._left_of_line -= skipped
        self._taken += skipped
        return chunk[skipped:]

    def _within_header(self, chunk: bytes) -> bytes:
        missing = HEADER_BYTES - len(self._header)
        self._header += chunk[:missing]
        if len(self._header) == HEADER_BYTES:
            self._begin_line(self._header)
            self._header = b""
        return chunk[missing:]

    def _begin_line(self, header: bytes) -> None:
        if header == FLUSH:
            self.ended = True
            return
        digits = header.decode("latin-1")
        if not all(digit in "0123456789abcdefABCDEF" for digit in digits):
            raise RefusedRequestError(400, "this is not git's protocol: push with git")
        length = int(digits, 16)
        if length <= HEADER_BYTES:
            raise RefusedRequestError(400, "this is not git's protocol: push with git")
        self._left_of_line = length - HEADER_BYTES
        self._taken += HEADER_BYTES
