"""Answers to creates, as stored: sealed, because some hold a secret that is shown once.

Sealed with AES-256-GCM under a key derived from the installation's secret, bound to
whose answer it is and what for. Requests are known again by an HMAC: a plain digest
of a body with a password in it could be guessed.
"""

import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEPT_FOR = timedelta(hours=24)
NONCE_BYTES = 12


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What was sent: status, headers in lower case, body."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class StoredAnswer(msgspec.Struct, frozen=True):
    request_hmac: bytes
    answer: Answer


@dataclass(frozen=True)
class Place:
    """Whose key of which operation."""

    user_id: uuid.UUID
    route: str
    key: str

    def __bytes__(self) -> bytes:
        return b"\0".join((b"idempotent_answer", self.user_id.bytes, self.text.encode()))

    @property
    def text(self) -> str:
        return f"{self.route}\0{self.key}"


class Answers:
    """Kept in `account.idempotent_answer` for a day, in the transaction that is passed in."""

    def __init__(self, installation_secret: bytes) -> None:
        self._cipher = AESGCM(_derive(installation_secret, b"signalbox idempotent answers"))
        self._hmac_key = _derive(installation_secret, b"signalbox idempotent requests")

    def hmac_of(self, *parts: bytes) -> bytes:
        """By which a request is known again."""
        lengths = b"".join(len(part).to_bytes(4, "big") for part in parts)
        return hmac.digest(self._hmac_key, lengths + b"".join(parts), "sha256")

    async def take(self, connection: psycopg.AsyncConnection, place: Place) -> bool:
        """Hold the place to the transaction's end; false: another request holds it."""
        found = await connection.execute(
            "select pg_try_advisory_xact_lock(%s)",
            [int.from_bytes(self.hmac_of(bytes(place))[:8], "big", signed=True)],
        )
        row = await found.fetchone()
        return row is not None and bool(row[0])

    async def find(
        self, connection: psycopg.AsyncConnection, place: Place, now: datetime
    ) -> StoredAnswer | None:
        found = await connection.execute(
            "select request_hmac, sealed_answer from account.idempotent_answer"
            " where user_id = %s and route = %s and key = %s and created_at > %s",
            [place.user_id, place.route, place.key, now - KEPT_FOR],
        )
        row = await found.fetchone()
        if row is None:
            return None
        request_hmac, sealed = bytes(row[0]), bytes(row[1])
        opened = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bytes(place))
        return StoredAnswer(request_hmac, msgspec.msgpack.decode(opened, type=Answer))

    async def keep(
        self, connection: psycopg.AsyncConnection, place: Place, stored: StoredAnswer, now: datetime
    ) -> None:
        nonce = secrets.token_bytes(NONCE_BYTES)
        text = msgspec.msgpack.encode(stored.answer)
        await connection.execute("select account.forget_answers(%s)", [now])
        # An answer of the place that `find` held for too old, where there were too many to forget.
        await connection.execute(
            "delete from account.idempotent_answer where user_id = %s and route = %s and key = %s",
            [place.user_id, place.route, place.key],
        )
        await connection.execute(
            "insert into account.idempotent_answer"
            " (user_id, route, key, request_hmac, created_at, sealed_answer)"
            " values (%s, %s, %s, %s, %s, %s)",
            [
                *(place.user_id, place.route, place.key, stored.request_hmac, now),
                nonce + self._cipher.encrypt(nonce, text, bytes(place)),
            ],
        )


def _derive(installation_secret: bytes, purpose: bytes) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose)
    return kdf.derive(installation_secret)
