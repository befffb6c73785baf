"""Dated cosignatures as in c2sp.org/tlog-cosignature (`cosignature/v1`, Ed25519).

A cosigner says: at this time, this was the largest tree of this log that I have
seen, and it extends every one that I saw before. A monitor says besides that it
has read every leaf and found the log's rules kept.
"""

import struct

from signalbox.log.errors import NoteError
from signalbox.log.note import COSIGNATURE, Note, Signature, SignerKey, VerifierKey

TIMESTAMP = struct.Struct(">Q")
MAX_TIMESTAMP = 2**63 - 1
SIGNATURE_BYTES = 64


def cosign(key: SignerKey, text: str, timestamp: int) -> Signature:
    """Cosign a checkpoint's text.

    Args:
        key: of type COSIGNATURE.
        text: the checkpoint's, whole.
        timestamp: seconds since 1970, UTC.

    Raises:
        NoteError: the key makes signatures of another type.
    """
    if key.type != COSIGNATURE:
        raise NoteError(f"{key.name} is not a key that cosigns")
    signed = key.private.sign(_message(text, timestamp))
    return Signature(key.name, key.verifier.key_id, TIMESTAMP.pack(timestamp) + signed)


def verify_cosignature(key: VerifierKey, text: str, signature: Signature) -> int:
    """The time at which it was made, in seconds since 1970, UTC.

    Raises:
        NoteError: it does not hold.
    """
    if len(signature.value) != TIMESTAMP.size + SIGNATURE_BYTES:
        raise NoteError(f"the cosignature of {key.name} is malformed")
    (timestamp,) = TIMESTAMP.unpack(signature.value[: TIMESTAMP.size])
    message = _message(text, timestamp)
    is_held = key.type == COSIGNATURE and key.is_signed(message, signature.value[TIMESTAMP.size :])
    if timestamp > MAX_TIMESTAMP or not is_held:
        raise NoteError(f"the cosignature of {key.name} does not hold")
    return int(timestamp)


def cosigned_at(note: Note, key: VerifierKey) -> int | None:
    """When this key cosigned the note, the earliest of several; None if it did not.

    Raises:
        NoteError: a cosignature of this key does not hold.
    """
    times = [verify_cosignature(key, note.text, one) for one in note.of(key)]
    return min(times, default=None)


def _message(text: str, timestamp: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()
