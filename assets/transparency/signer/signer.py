"""What is signed, and what is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from assets.transparency.signer.errors import RefusedError
from assets.transparency.signer.folder import SignerFolder, State
from signalbox.log.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from signalbox.log.errors import LogError, ProofError
from signalbox.log.merkle import verify_consistency
from signalbox.log.note import SignerKey, VerifierKey
from sql.clock import Clock

RESTORED = (
    "The database was restored from a backup or is another one. Leaves that were signed cannot be"
    " unsigned: bring them back (a replica, a monitor's copy of the tiles), or begin a new log"
    " with a name and key of its own. See docs/operations/log.md."
)


@dataclass(frozen=True)
class SignerState:
    """What the signer signed last, and by which keys it is known.

    Attributes:
        origin: name of the log.
        size: leaves of the last tree signed.
        root: of that tree.
        keys: public ones of all keys that sign, oldest first.
    """

    origin: str
    size: int
    root: bytes
    keys: tuple[VerifierKey, ...]


class Signs(Protocol):
    """A signer, in this process or behind its socket."""

    def state(self) -> SignerState:
        """What it signed last, and its public keys.

        Raises:
            RefusedError: key or state are not in order.
        """

    def sign(self, text: str, old_size: int, proof: Sequence[bytes]) -> bytes:
        """The signed note of a checkpoint.

        Args:
            text: the checkpoint's.
            old_size: the size that the signer signed last.
            proof: that the checkpoint's tree extends it.

        Raises:
            RefusedError: it does not, or key or state are not in order.
        """


class Signer:
    """Decides over one folder. One process at a time; see `server`."""

    def __init__(self, folder: SignerFolder, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def state(self) -> SignerState:
        keys, last = self._folder.signing_keys(), self._folder.state()
        return SignerState(keys[-1].name, *last, tuple(key.verifier for key in keys))

    def sign(self, text: str, old_size: int, proof: Sequence[bytes]) -> bytes:
        keys, last = self._folder.signing_keys(), self._folder.state()
        checkpoint = _read(text, keys)
        _check_extends(checkpoint, last, old_size, proof)
        note = sign_checkpoint(checkpoint, keys, int(self._clock().timestamp()))
        # On disk before anybody sees the signature: a crash in between costs nothing.
        self._folder.keep(State(checkpoint.size, checkpoint.root))
        return note.encode()


def recover(folder: SignerFolder, note: bytes) -> State:
    """Take the last tree signed from a checkpoint that this key signed; returns it.

    Raises:
        ValueError: another signed it, or the signer knows of a later or different one.
    """
    keys = [key.verifier for key in folder.signing_keys()]
    checkpoint, _ = open_checkpoint(note, keys)
    state = State(checkpoint.size, checkpoint.root)
    try:
        known = folder.state()
    except RefusedError:
        known = None
    if known and (state.size < known.size or (state.size == known.size and state != known)):
        raise ValueError(
            f"the signer's state is whole: it signed size {known.size} and never goes back"
            f" to {state.size}"
        )
    folder.keep(state)
    return state


def _read(text: str, keys: Sequence[SignerKey]) -> Checkpoint:
    try:
        checkpoint = parse_checkpoint(text)
    except LogError as error:
        raise RefusedError("malformed", str(error)) from None
    if checkpoint.extensions:
        raise RefusedError("malformed", "our checkpoints have no extension lines")
    if checkpoint.origin != keys[-1].name:
        raise RefusedError(
            "other_log", f"this is the key of {keys[-1].name}, not of {checkpoint.origin}"
        )
    return checkpoint


def _check_extends(
    checkpoint: Checkpoint, last: State, old_size: int, proof: Sequence[bytes]
) -> None:
    if checkpoint.size < last.size:
        raise RefusedError(
            "shrunk",
            f"size {last.size} was signed, and this is a log of {checkpoint.size}. {RESTORED}",
        )
    if old_size != last.size:
        raise RefusedError(
            "behind", f"prove that it extends size {last.size}, which was signed last"
        )
    if checkpoint.size == last.size and checkpoint.root != last.root:
        raise RefusedError(
            "forked", f"another tree of size {last.size} was signed before. {RESTORED}"
        )
    try:
        verify_consistency(last.size, last.root, checkpoint.size, checkpoint.root, proof)
    except ProofError as error:
        raise RefusedError("inconsistent", f"{error}. {RESTORED}") from None
