"""API keys: `sk_<environment>_<id>_<secret>`, known to us by the secret's sha256 only."""

import hashlib
import hmac
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg

FORM = re.compile(r"sk_(?P<environment>[a-z]+)_(?P<id>[0-9a-f]{16})_(?P<secret>[A-Za-z0-9_-]{43})")
FIND = "select * from account.find_api_key(%s)"


@dataclass(frozen=True)
class NewKey:
    """A key just made; `text` is shown once and kept nowhere."""

    id: str
    text: str
    secret_sha256: bytes


@dataclass(frozen=True)
class KeyHolder:
    """Who a valid key speaks for, and for what."""

    user_id: uuid.UUID
    handle: str
    role: str
    scopes: frozenset[str]
    expires_at: datetime | None = None


@dataclass(frozen=True)
class EndedKey:
    """A key that was good once: whoever shows it has its secret."""

    id: str
    user_id: uuid.UUID
    why: Literal["revocation", "expiry"]


def new_key(environment: str) -> NewKey:
    """A random key: 64 bits of public id, 256 bits of secret."""
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    text = f"sk_{environment}_{key_id}_{secret}"
    return NewKey(id=key_id, text=text, secret_sha256=hashlib.sha256(secret.encode()).digest())


def split_key(text: str, environment: str) -> tuple[str, bytes] | None:
    """Public id and sha256 of the secret; None where the text is no key of this environment."""
    match = FORM.fullmatch(text)
    if match is None or match["environment"] != environment:
        return None
    return match["id"], hashlib.sha256(match["secret"].encode()).digest()


def holder(row: tuple[Any, ...] | None, secret_sha256: bytes, now: datetime) -> KeyHolder | None:
    """Whom the row that FIND answered admits; None where the key is wrong, ended or revoked."""
    if row is None:
        return None
    user_id, handle, role, stored, scopes, expires_at, revoked_at = row
    if not hmac.compare_digest(stored, secret_sha256):
        return None
    if revoked_at is not None or (expires_at is not None and expires_at <= now):
        return None
    return KeyHolder(user_id, handle, role, frozenset(scopes), expires_at)


def ended(key_id: str, row: tuple[Any, ...] | None, secret_sha256: bytes) -> EndedKey | None:
    """The key of a row that admits nobody, if the secret is right all the same."""
    if row is None or not hmac.compare_digest(row[3], secret_sha256):
        return None
    return EndedKey(key_id, row[0], "expiry" if row[6] is None else "revocation")


def find_key(
    connection: psycopg.Connection[Any], text: str, environment: str, now: datetime
) -> KeyHolder | None:
    """The holder of a presented key, on a blocking connection."""
    parts = split_key(text, environment)
    if parts is None:
        return None
    row = connection.execute(FIND, [parts[0]]).fetchone()
    return holder(row, parts[1], now)
