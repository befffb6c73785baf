"""Who pushes: the holder of an API key, given as Basic password.

Guessing a key is hopeless; asking the database about guesses without end is not.
Whoever showed too many wrong keys waits, by address. A key that was right
a while ago is let past, so that one guesser behind a company's address does not
lock its colleagues out.
"""

import base64
import binascii
import hashlib
import ipaddress
from collections import OrderedDict, deque
from datetime import datetime, timedelta
from typing import TypeVar

import psycopg

from sandbox.git.limits import MAX_WRONG_KEYS, WRONG_KEYS_SECONDS
from sandbox.git.refusals import RefusedRequestError
from sandbox.git.settings import GitSettings
from sql.api_key import KeyHolder, find_key
from sql.roles import conninfo

WINDOW = timedelta(seconds=WRONG_KEYS_SECONDS)
REMEMBERED = 10_000
CONNECT_SECONDS = 10

K = TypeVar("K")
V = TypeVar("V")


class WrongKeys:
    """The wrong keys of the last minute by address, and the right ones last seen."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._right: OrderedDict[bytes, None] = OrderedDict()

    def check(self, address: str, password: str, now: datetime) -> None:
        """Refuse before anything is looked up.

        Raises:
            RefusedRequestError: 429, too many wrong keys came from there.
        """
        recent = self._wrong.get(_network(address), deque())
        while recent and recent[0] <= now - WINDOW:
            recent.popleft()
        if len(recent) >= MAX_WRONG_KEYS and _digest(password) not in self._right:
            wait = (recent[0] + WINDOW - now).seconds + 1
            raise RefusedRequestError(
                429, f"too many wrong keys: wait {wait} s, then use a right one", retry_seconds=wait
            )

    def wrong(self, address: str, password: str, now: datetime) -> None:
        """Count a wrong key."""
        self._right.pop(_digest(password), None)
        network = _network(address)
        self._wrong.setdefault(network, deque(maxlen=MAX_WRONG_KEYS)).append(now)
        _keep_newest(self._wrong, network)

    def right(self, password: str) -> None:
        """Remember a right key, by its hash."""
        digest = _digest(password)
        self._right[digest] = None
        _keep_newest(self._right, digest)


def key_holder(
    settings: GitSettings, wrong_keys: WrongKeys, authorization: str, address: str, now: datetime
) -> KeyHolder:
    """Whose key the header `Authorization` shows.

    Raises:
        RefusedRequestError: 401 without a right key with scope push, 403 without the scope,
            429 after too many wrong ones.
    """
    password = _password(authorization)
    if password is None:
        raise _no_key()
    wrong_keys.check(address, password, now)
    with psycopg.connect(
        conninfo(settings.database_url), autocommit=True, connect_timeout=CONNECT_SECONDS
    ) as connection:
        person = find_key(connection, password, settings.environment, now)
    if person is None:
        wrong_keys.wrong(address, password, now)
        raise _no_key()
    wrong_keys.right(password)
    if "push" not in person.scopes:
        raise RefusedRequestError(403, "this API key lacks the scope push")
    return person


def _password(authorization: str) -> str | None:
    kind, _, encoded = authorization.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _no_key() -> RefusedRequestError:
    return RefusedRequestError(
        401, "give an API key with scope push as the password", ask_password=True
    )


def _network(address: str) -> str:
    """One machine's addresses as one: of IPv6 a machine has 2^64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004 - the protocol's name
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.encode()).digest()


def _keep_newest(table: OrderedDict[K, V], key: K) -> None:
    table.move_to_end(key)
    while len(table) > REMEMBERED:
        table.popitem(last=False)
