"""Answers at the signer's socket, one caller after the other."""

import fcntl
import logging
import os
import socketserver
import sys
from pathlib import Path

import msgspec

from assets.transparency.signer.errors import RefusedError
from assets.transparency.signer.signer import Signer
from assets.transparency.signer.wire import (
    MAX_LINE_BYTES,
    SECONDS,
    Answer,
    Ask,
    AskSign,
    answer_of,
)

logger = logging.getLogger("signalbox.signer")
SOCKET_MODE = 0o660


class SignerServer(socketserver.UnixStreamServer):
    """Bound to its socket as long as it holds the folder's lock."""

    def __init__(self, signer: Signer, folder: Path, socket: Path) -> None:
        """Take the socket over from a signer that ended.

        Raises:
            RuntimeError: another signer works on this folder.
        """
        self.signer = signer
        # Kept open: the lock lasts as long as the process.
        self._lock = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise RuntimeError(f"another signer works on {folder}: end it first") from None
        socket.unlink(missing_ok=True)
        mask = os.umask(0o777 - SOCKET_MODE)
        try:
            super().__init__(str(socket), _Caller)
        finally:
            os.umask(mask)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """One caller's: the next is answered."""
        logger.error("a caller was not answered", exc_info=sys.exception())

    def server_close(self) -> None:
        super().server_close()
        self._lock.close()


class _Caller(socketserver.StreamRequestHandler):
    timeout = SECONDS
    server: SignerServer

    def handle(self) -> None:
        try:
            line = self.rfile.readline(MAX_LINE_BYTES)
        except TimeoutError:
            return
        if not line:
            return
        self.wfile.write(msgspec.json.encode(self._answer(line)) + b"\n")

    def _answer(self, line: bytes) -> Answer:
        try:
            ask = msgspec.json.decode(line, type=Ask)
            if isinstance(ask, AskSign):
                note = self.server.signer.sign(ask.checkpoint, ask.old_size, ask.proof)
                return Answer(note=note.decode())
            return answer_of(self.server.signer.state())
        except msgspec.DecodeError as error:
            return Answer(refused="malformed", why=f"not understood: {error}")
        except RefusedError as error:
            logger.warning("%s", error)
            return Answer(refused=error.code, why=error.why)
