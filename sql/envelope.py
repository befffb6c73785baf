"""Secrets that one process seals and only another opens.

Theory of operation: each secret has a data key of its own, 32 random bytes, under which
AES-256-GCM encrypts it. The data key is sealed to a public key by HPKE (RFC 9180: X25519,
HKDF-SHA256, AES-256-GCM), so that whoever seals cannot open. What the secret belongs to
(row, owner, purpose) is bound to both: a row that was moved or changed hands does not
open. To exchange the key pair, the data key alone is sealed anew.

Key pairs stand in a file, a line each, `<id> <private key, base64>`; the first seals.
Beside it, in `<file>.pub`, stands that one's public half, for those who seal.
"""

import base64
import binascii
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

DATA_KEY_BYTES, NONCE_BYTES, KEY_BYTES = 32, 12, 32
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class EnvelopeError(ValueError):
    """A secret cannot be sealed or opened; says what to do."""


class LostKeyError(EnvelopeError):
    """The key pair that a secret was sealed to is not in the file."""


class AlteredError(EnvelopeError):
    """What is stored was altered, or belongs to something else."""


class KeyFileError(EnvelopeError):
    """The file of keys is missing, readable by others, or not of its form."""


@dataclass(frozen=True)
class Envelope:
    """A sealed secret, as it is stored.

    Attributes:
        key_id: the key pair that `wrapped_key` is sealed to.
        wrapped_key: the data key, by HPKE.
        sealed: nonce and ciphertext of the secret, under the data key.
    """

    key_id: str
    wrapped_key: bytes
    sealed: bytes


@dataclass(frozen=True)
class SealingKey:
    """A public key: who has it seals, and opens nothing."""

    id: str
    key: X25519PublicKey

    @classmethod
    def read(cls, path: Path) -> "SealingKey":
        """The key of a `.pub` file.

        Raises:
            KeyFileError: there is none, or it holds no key.
        """
        (key_id, raw), *_ = _lines(path)
        return cls(key_id, X25519PublicKey.from_public_bytes(raw))

    def seal(self, secret: bytes, belongs_to: bytes) -> Envelope:
        """Seal a secret, bound to what it belongs to."""
        data_key, nonce = secrets.token_bytes(DATA_KEY_BYTES), secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + AESGCM(data_key).encrypt(nonce, secret, belongs_to)
        return Envelope(self.id, self.wrap(data_key, belongs_to), sealed)

    def wrap(self, data_key: bytes, belongs_to: bytes) -> bytes:
        return SUITE.encrypt(data_key, self.key, info=belongs_to)


class KeyRing:
    """The key pairs of a file, newest first."""

    def __init__(self, path: Path, keys: dict[str, X25519PrivateKey]) -> None:
        self.path = path
        self._keys = keys

    @classmethod
    def make(cls, path: Path) -> "KeyRing":
        """A file with one new key pair, and its public half beside it."""
        ring = cls(path, {})
        ring.rotate()
        return ring

    @classmethod
    def read(cls, path: Path) -> "KeyRing":
        """The key pairs of a file.

        Raises:
            KeyFileError: it is missing, readable by others, or not of its form.
        """
        lines = _lines(path)
        if path.stat().st_mode & 0o077:
            raise KeyFileError(f"{path} can be read by others than its owner: chmod 600 {path}")
        return cls(path, {id_: X25519PrivateKey.from_private_bytes(raw) for id_, raw in lines})

    @property
    def ids(self) -> tuple[str, ...]:
        """Newest first: that one seals."""
        return tuple(self._keys)

    @property
    def sealing_key(self) -> SealingKey:
        return SealingKey(self.ids[0], self._keys[self.ids[0]].public_key())

    def open(self, envelope: Envelope, belongs_to: bytes) -> bytes:
        """The secret.

        Raises:
            LostKeyError: its key pair is not in the file.
            AlteredError: it was altered, or belongs to something else.
        """
        data_key = self._unwrap(envelope, belongs_to)
        nonce, ciphertext = envelope.sealed[:NONCE_BYTES], envelope.sealed[NONCE_BYTES:]
        try:
            return AESGCM(data_key).decrypt(nonce, ciphertext, belongs_to)
        except (InvalidTag, ValueError):
            raise _altered() from None

    def rewrap(self, envelope: Envelope, belongs_to: bytes) -> Envelope:
        """The same secret, its data key sealed to the newest key pair; raises as `open` does."""
        data_key = self._unwrap(envelope, belongs_to)
        newest = self.sealing_key
        return Envelope(newest.id, newest.wrap(data_key, belongs_to), envelope.sealed)

    def rotate(self) -> str:
        """Make a new key pair, which seals from now on; its id."""
        made = X25519PrivateKey.generate()
        key_id = _id_of(made.public_key())
        self._keys = {key_id: made, **self._keys}
        self._write()
        return key_id

    def retire(self, key_id: str) -> None:
        """Take a key pair out of the file: what is sealed to it opens no more.

        Raises:
            KeyFileError: the file has no such pair, or it is the one that seals.
        """
        if key_id not in self.ids[1:]:
            raise KeyFileError(
                f"{key_id} is none of the older keys in {self.path}:"
                f" {', '.join(self.ids[1:]) or 'there are none; rotate first'}"
            )
        del self._keys[key_id]
        self._write()

    def _unwrap(self, envelope: Envelope, belongs_to: bytes) -> bytes:
        key = self._keys.get(envelope.key_id)
        if key is None:
            raise LostKeyError(
                f"it is sealed to key {envelope.key_id}, which {self.path} does not hold: put that"
                " key's line back from your backup, or have the owner store the secret anew"
            )
        try:
            return SUITE.decrypt(envelope.wrapped_key, key, info=belongs_to)
        except (InvalidTag, ValueError):
            raise _altered() from None

    def _write(self) -> None:
        """Whole or not at all: a torn file would lose every secret."""
        newest = self.sealing_key
        public = newest.key.public_bytes_raw()
        _replace(self.path, [(k, v.private_bytes_raw()) for k, v in self._keys.items()], 0o600)
        _replace(public_file(self.path), [(newest.id, public)], 0o644)


def public_file(path: Path) -> Path:
    """Where the public half of a ring's newest key stands."""
    return path.with_name(path.name + ".pub")


def _id_of(key: X25519PublicKey) -> str:
    return "dk_" + hashlib.sha256(key.public_bytes_raw()).hexdigest()[:12]


def _replace(path: Path, lines: list[tuple[str, bytes]], mode: int) -> None:
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{id_} {base64.b64encode(raw).decode()}\n" for id_, raw in lines)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)  # noqa: PTH105 - atomic by name


def _lines(path: Path) -> list[tuple[str, bytes]]:
    if not path.is_file():
        raise KeyFileError(f"no file {path}: signalbox up makes one, or take it from your backup")
    try:
        named = [line.split() for line in path.read_text().splitlines() if line.strip()]
        lines = [(id_, base64.b64decode(text, validate=True)) for id_, text in named]
    except (ValueError, binascii.Error):
        lines = []
    if not lines or any(len(raw) != KEY_BYTES for _, raw in lines):
        raise KeyFileError(f"{path} should hold lines of a key's id and 32 bytes in base64")
    return lines


def _altered() -> AlteredError:
    return AlteredError(
        "it does not open: it was altered, or moved here from another row or owner;"
        " restore the row from a backup, or have its owner store the secret anew"
    )
