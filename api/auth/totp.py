"""Time-based one-time passwords (RFC 6238: SHA-1, 30 seconds, 6 digits), and their secret at rest.

A secret is sealed with AES-256-GCM under a key derived from the installation's
secret; whose it is is authenticated with it, so a row moved to another person, or a
copy of the database alone, opens nothing.
"""

import base64
import hashlib
import hmac
import secrets
import struct
import uuid
from datetime import datetime
from urllib.parse import quote, urlencode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20
NONCE_BYTES = 12
# A phone's clock may be off by one step in either direction (RFC 6238, 5.2).
STEPS_OFF = (0, -1, 1)


class UnreadableSecretError(RuntimeError):
    """A stored secret does not open: another installation's, another person's, or altered."""


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def step_of(now: datetime) -> int:
    """The time step of an instant: 30 seconds each, counted from 1970."""
    return int(now.timestamp()) // STEP_SECONDS


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """HOTP (RFC 4226, 5.3) of a time step.

    >>> code_at(b"12345678901234567890", 1, digits=8)
    '94287082'
    """
    digest = hmac.digest(secret, struct.pack(">Q", step), hashlib.sha1)
    offset = digest[-1] & 0x0F
    (number,) = struct.unpack_from(">I", digest, offset)
    return str((number & 0x7FFFFFFF) % 10**digits).zfill(digits)


def matching_step(secret: bytes, code: str, now: datetime) -> int | None:
    """The time step that a code is of; None: it is not of now."""
    for off in STEPS_OFF:
        step = step_of(now) + off
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            return step
    return None


def otpauth_uri(secret: bytes, handle: str, issuer: str) -> str:
    """What an authenticator reads from a QR code.

    >>> otpauth_uri(b"12345678901234567890", "ada", "Signalbox")
    'otpauth://totp/Signalbox:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Signalbox'
    """
    query = urlencode({"secret": base32(secret), "issuer": issuer})
    return f"otpauth://totp/{quote(issuer)}:{quote(handle)}?{query}"


def base32(secret: bytes) -> str:
    return base64.b32encode(secret).decode().rstrip("=")


def seal(installation_secret: bytes, user_id: uuid.UUID, secret: bytes) -> bytes:
    """Nonce, ciphertext and tag."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + _cipher(installation_secret).encrypt(nonce, secret, _row(user_id))


def unseal(installation_secret: bytes, user_id: uuid.UUID, sealed: bytes) -> bytes:
    """The secret of a person's row.

    Raises:
        UnreadableSecretError: saying what to do.
    """
    nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return _cipher(installation_secret).decrypt(nonce, rest, _row(user_id))
    except InvalidTag:
        raise UnreadableSecretError(
            f"the second factor of {user_id} does not open: its row was altered, or"
            " SIGNALBOX_SECRET_KEY_FILE is another; after making sure who asks:"
            " signalbox user remove-totp EMAIL"
        ) from None


def _cipher(installation_secret: bytes) -> AESGCM:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"signalbox account.totp")
    return AESGCM(kdf.derive(installation_secret))


def _row(user_id: uuid.UUID) -> bytes:
    return b"account.totp\0" + user_id.bytes
