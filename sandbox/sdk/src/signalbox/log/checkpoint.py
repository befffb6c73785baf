"""Checkpoints as in c2sp.org/tlog-checkpoint: how large a log is, and its root."""

import base64
import re
from collections.abc import Collection
from dataclasses import dataclass

from signalbox.log.cosignature import cosign
from signalbox.log.errors import CheckpointError
from signalbox.log.merkle import HASH_BYTES
from signalbox.log.note import COSIGNATURE, Note, SignerKey, VerifierKey, parse_note, verify_note

SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
MAX_SIZE = 2**63 - 1
LINES = 3


@dataclass(frozen=True)
class Checkpoint:
    """A log's head.

    Attributes:
        origin: which log; the name of its key.
        size: leaves.
        root: over them.
        extensions: lines kept as they are. Ours has none, and nothing here reads them.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What is signed."""
        root = base64.b64encode(self.root).decode()
        return "".join(f"{line}\n" for line in (self.origin, self.size, root, *self.extensions))


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a note's text as a checkpoint.

    Raises:
        CheckpointError: it is none; names the line.
    """
    lines = text.split("\n")
    if lines.pop() != "" or len(lines) < LINES or not all(lines):
        raise CheckpointError("a checkpoint has three lines or more, none of them empty")
    origin, size, root, *extensions = lines
    if not SIZE.fullmatch(size) or int(size) > MAX_SIZE:
        raise CheckpointError(f"line 2 of the checkpoint, {size[:30]!r}, is no size")
    try:
        raw = base64.b64decode(root, validate=True)
    except ValueError:
        raw = b""
    checkpoint = Checkpoint(origin, int(size), raw, tuple(extensions))
    if len(raw) != HASH_BYTES or checkpoint.text != text:
        raise CheckpointError(f"line 3 of the checkpoint, {root[:60]!r}, is no root hash")
    return checkpoint


def open_checkpoint(data: bytes, log_keys: Collection[VerifierKey]) -> tuple[Checkpoint, Note]:
    """Read a signed checkpoint of a log that has these keys.

    Several keys are those of one log while it changes its key; the origin is their name.

    Raises:
        NoteError: it is no note, or is not signed by any of them.
        CheckpointError: it is of another log, or no checkpoint.
    """
    note = parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    own = [key for key in log_keys if key.name == checkpoint.origin]
    if not own:
        known = ", ".join(sorted({key.name for key in log_keys}))
        raise CheckpointError(f"the checkpoint is of log {checkpoint.origin!r}, not of {known}")
    verify_note(note, own)
    return checkpoint, note


def sign_checkpoint(checkpoint: Checkpoint, keys: Collection[SignerKey], timestamp: int) -> Note:
    """Sign a checkpoint as its log, and date it by the log's own word.

    Each key makes two lines: the log's signature, and a dated cosignature of the
    same key. The second dates a checkpoint where the policy asks for nobody else's;
    the key signs two formats that cannot be taken for each other.

    Args:
        checkpoint: its origin is the keys' name.
        keys: the log's, of type ED25519; two while it changes its key.
        timestamp: seconds since 1970, UTC.

    Raises:
        CheckpointError: a key is another log's.
    """
    lines = []
    for key in keys:
        if key.name != checkpoint.origin:
            raise CheckpointError(f"{key.name} cannot sign for the log {checkpoint.origin}")
        lines.append(key.sign(checkpoint.text))
        dating = SignerKey(key.name, COSIGNATURE, key.private)
        lines.append(cosign(dating, checkpoint.text, timestamp))
    return Note(checkpoint.text, tuple(lines))
