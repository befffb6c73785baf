"""Secrets of webhooks: made here, shown once, stored sealed, and what they sign.

Signatures are those of Standard Webhooks (standardwebhooks.com, specification 1.0):
`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. A secret is stored under
AES-256-GCM, whose key is derived from the API's own secret; whoever reads the database
without it cannot sign. It is bound to webhook and owner: it opens in no other row.
"""

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PREFIX = "whsec_"
SECRET_BYTES, NONCE_BYTES = 32, 12


class SealedElsewhereError(ValueError):
    """The stored secret does not open: the API's own secret is another, or the row was altered."""


class WebhookSecrets:
    """Seals and opens the secrets of one installation."""

    def __init__(self, api_secret: bytes) -> None:
        derived = HKDF(SHA256(), 32, salt=None, info=b"signalbox webhook secrets")
        self._key = AESGCM(derived.derive(api_secret))

    def seal(self, secret: bytes, webhook_id: uuid.UUID, user_id: uuid.UUID) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._key.encrypt(nonce, secret, _belongs_to(webhook_id, user_id))

    def open(self, sealed: bytes, webhook_id: uuid.UUID, user_id: uuid.UUID) -> bytes:
        """The secret.

        Raises:
            SealedElsewhereError: it does not open.
        """
        nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._key.decrypt(nonce, ciphertext, _belongs_to(webhook_id, user_id))
        except (InvalidTag, ValueError):
            raise SealedElsewhereError(
                f"the secret of webhook {webhook_id} does not open; rotate it"
            ) from None


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """As its owner is shown it, once."""
    return PREFIX + base64.b64encode(secret).decode()


def signature(keys: Iterable[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """Header `webhook-signature`: one signature for each secret that is valid.

    Args:
        keys: secrets, the newest first.
        message_id: header `webhook-id`.
        timestamp: header `webhook-timestamp`, seconds since 1970, UTC.
        body: the exact bytes sent.
    """
    signed = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    made = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(one).decode()}" for one in made)


def _belongs_to(webhook_id: uuid.UUID, user_id: uuid.UUID) -> bytes:
    return f"signalbox webhook\0{webhook_id}\0{user_id}".encode()
