"""The signer, as seen from the publisher."""

import socket
from collections.abc import Sequence
from pathlib import Path

import msgspec

from assets.transparency.signer.errors import RefusedError, SignerUnavailableError
from assets.transparency.signer.signer import SignerState
from assets.transparency.signer.wire import SECONDS, Answer, Ask, AskSign, AskState, state_of


class SocketSigner:
    """Asks the process at a socket; see `Signs`.

    Raises, by both questions:
        RefusedError: it answered, and will not.
        SignerUnavailableError: it did not answer.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def state(self) -> SignerState:
        return state_of(self._ask(AskState()))

    def sign(self, text: str, old_size: int, proof: Sequence[bytes]) -> bytes:
        return self._ask(AskSign(text, old_size, list(proof))).note.encode()

    def _ask(self, ask: Ask) -> Answer:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(SECONDS)
                connection.connect(str(self._path))
                connection.sendall(msgspec.json.encode(ask) + b"\n")
                with connection.makefile("rb") as answers:
                    answer = msgspec.json.decode(answers.readline(), type=Answer)
        except (OSError, msgspec.DecodeError) as error:
            raise SignerUnavailableError(
                f"no answer from the signer at {self._path}: {error}; see its log"
            ) from error
        if answer.refused is not None:
            raise RefusedError(answer.refused, answer.why)
        return answer
