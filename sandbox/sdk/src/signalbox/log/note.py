"""Signed notes as in c2sp.org/signed-note, with keys written as Go's note package writes them.

A note is text and, after an empty line, lines with signatures over that text.
Two types of signature are known here: plain Ed25519 (0x01), by which a log signs,
and the dated cosignature (0x04) of `signalbox.log.cosignature`. A key's type is
part of its id, so one is never taken for the other.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from signalbox.log.errors import NoteError

ED25519 = 1
COSIGNATURE = 4
KEY_BYTES = 32
ID_BYTES = 4
MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 100
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
KEY_NAME = re.compile(r"[^\s+\x00-\x1f]+")
SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True)
class Signature:
    """One signature line.

    Attributes:
        name: of the key.
        key_id: four bytes that tell the keys of a name, and their types, apart.
        value: as the key's type lays it out.
    """

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """As it stands in a note, newline included."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.value).decode()}\n"


@dataclass(frozen=True)
class Note:
    """Text and its signatures; neither is checked yet."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """As it is sent and stored."""
        return (self.text + "\n" + "".join(one.line for one in self.signatures)).encode()

    def of(self, key: "VerifierKey") -> tuple[Signature, ...]:
        """Signatures that claim to be by this key."""
        return tuple(
            one for one in self.signatures if (one.name, one.key_id) == (key.name, key.key_id)
        )


def parse_note(data: bytes) -> Note:
    """Take a note apart.

    Raises:
        NoteError: it is none.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError(f"the note has {len(data)} bytes; at most {MAX_NOTE_BYTES} are read")
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise NoteError("the note is not UTF-8") from None
    if CONTROL.search(whole):
        raise NoteError("the note has control characters")
    text, gap, lines = whole.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise NoteError("the note is cut off: no signatures after an empty line")
    written = lines[:-1].split("\n")
    if len(written) > MAX_SIGNATURES:
        raise NoteError(
            f"the note has {len(written)} signatures; at most {MAX_SIGNATURES} are read"
        )
    return Note(text + "\n", tuple(parse_signature(line) for line in written))


def parse_signature(line: str) -> Signature:
    """Take a signature line apart, given without its newline.

    Raises:
        NoteError: it is none.
    """
    found = SIGNATURE_LINE.fullmatch(line)
    raw = _decode(found[2]) if found else b""
    if found is None or len(raw) <= ID_BYTES:
        raise NoteError(f"{line[:80]!r} is no signature line")
    return Signature(found[1], raw[:ID_BYTES], raw[ID_BYTES:])


@dataclass(frozen=True)
class VerifierKey:
    """A public key with its name and type: what Go's note package calls a vkey."""

    name: str
    type: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """SHA-256(name || newline || type || public key)[:4]."""
        text = self.name.encode() + b"\n" + bytes([self.type]) + self.public
        return hashlib.sha256(text).digest()[:ID_BYTES]

    @property
    def vkey(self) -> str:
        """`name+id+base64(type || public key)`."""
        encoded = base64.b64encode(bytes([self.type]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def is_signed(self, message: bytes, signature: bytes) -> bool:
        """Does this Ed25519 signature hold? The message is what its type says."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SignerKey:
    """A private key with its name and type. It never shows itself by accident."""

    name: str
    type: int
    private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"SignerKey({self.name!r}, type {self.type})"

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, self.type, self.private.public_key().public_bytes_raw())

    @property
    def skey(self) -> str:
        """`PRIVATE+KEY+name+id+base64(type || seed)`: for the key file, never for a log."""
        encoded = base64.b64encode(bytes([self.type]) + self.private.private_bytes_raw()).decode()
        return f"PRIVATE+KEY+{self.name}+{self.verifier.key_id.hex()}+{encoded}"

    def sign(self, text: str) -> Signature:
        """Sign a note's text.

        Raises:
            NoteError: this key makes signatures of another type.
        """
        if self.type != ED25519:
            raise NoteError(f"{self.name} is not a key that signs notes")
        return Signature(self.name, self.verifier.key_id, self.private.sign(text.encode()))


def generate_key(name: str, kind: int = ED25519) -> SignerKey:
    """A new key.

    Args:
        name: without white space and plus; by custom an address without its scheme.
        kind: ED25519, or COSIGNATURE for a cosigner.

    Raises:
        NoteError: names the fault of the name.
    """
    _check_name(name)
    return SignerKey(name, kind, Ed25519PrivateKey.generate())


def parse_vkey(text: str) -> VerifierKey:
    """Read a public key.

    Raises:
        NoteError: it is malformed, or of another type than are known here.
    """
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    kind, public = _key_material(encoded)
    _check_name(name)
    key = VerifierKey(name, kind, public)
    if not hmac.compare_digest(key.key_id.hex(), key_id):
        raise NoteError(f"the key of {name} does not have the id that it names")
    return key


def parse_skey(text: str) -> SignerKey:
    """Read a private key; no message of its errors shows any of it.

    Raises:
        NoteError: it is malformed, or of another type than are known here.
    """
    marker, _, rest = text.strip().partition("PRIVATE+KEY+")
    if marker or not rest:
        raise NoteError("this is no private key: it does not begin with PRIVATE+KEY+")
    name, _, rest = rest.partition("+")
    key_id, _, encoded = rest.partition("+")
    kind, seed = _key_material(encoded)
    _check_name(name)
    key = SignerKey(name, kind, Ed25519PrivateKey.from_private_bytes(seed))
    if not hmac.compare_digest(key.verifier.key_id.hex(), key_id):
        raise NoteError(f"the private key of {name} does not have the id that it names")
    return key


def verify_note(note: Note, keys: Collection[VerifierKey]) -> tuple[Signature, ...]:
    """Signatures of these keys, all of which hold. Unknown ones are not looked at.

    Args:
        note: as parsed.
        keys: of type ED25519.

    Raises:
        NoteError: one does not hold, or none is there.
    """
    held = []
    for key in keys:
        for one in note.of(key):
            if key.type != ED25519 or not key.is_signed(note.text.encode(), one.value):
                raise NoteError(f"the signature of {key.name} does not hold")
            held.append(one)
    if not held:
        names = ", ".join(sorted({key.name for key in keys})) or "any known key"
        raise NoteError(f"the note is not signed by {names}")
    return tuple(held)


def _check_name(name: str) -> None:
    if (
        not name
        or "+" in name
        or any(letter.isspace() or ord(letter) < ord(" ") for letter in name)
    ):
        raise NoteError(f"{name!r} cannot name a key: no white space, no plus, not empty")


def _key_material(encoded: str) -> tuple[int, bytes]:
    raw = _decode(encoded)
    if len(raw) != 1 + KEY_BYTES or raw[0] not in (ED25519, COSIGNATURE):
        raise NoteError("the key is malformed or of a type that is not known here")
    return raw[0], raw[1:]


def _decode(encoded: str) -> bytes:
    """Standard base64, the one spelling only, else nothing."""
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return raw if base64.b64encode(raw).decode() == encoded else b""
