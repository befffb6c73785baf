"""What admitted somebody to a stream, and until when: it is asked about again while they listen."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import LiteralString

import jwt
import msgspec
import psycopg

from api.auth.caller import Caller
from api.rows import fetch_all
from sql.api_key import split_key

GOOD: LiteralString = """
select account.good_credentials(%(keys)s, %(sessions)s, %(now)s) as name
"""


@dataclass(frozen=True, slots=True)
class Credential:
    """Of a request that authentication let pass.

    Attributes:
        key_id: of the API key; None: an access token.
        session_id: of the login; None: an API key.
        until: when the access token expires; None: the database knows.
    """

    key_id: str | None
    session_id: uuid.UUID | None
    until: datetime | None

    @property
    def name(self) -> str:
        return self.key_id or str(self.session_id)

    def is_over(self, world_now: datetime) -> bool:
        return self.until is not None and self.until <= world_now


def credential_of(caller: Caller, header: str, environment: str) -> Credential:
    """What stands in the `Authorization` header of a request whose caller is known."""
    text = header.partition(" ")[2].strip()
    if caller.session_id is None:
        parts = split_key(text, environment)
        return Credential(parts[0] if parts else "", None, None)
    # Authentication has verified it: only its end is wanted here.
    claims = jwt.decode(text, options={"verify_signature": False})
    return Credential(None, caller.session_id, datetime.fromtimestamp(claims["exp"], UTC))


class _Good(msgspec.Struct, frozen=True):
    name: str


async def good(
    connection: psycopg.AsyncConnection, credentials: Iterable[Credential], world_now: datetime
) -> frozenset[str]:
    """Names of those that still admit their holder."""
    asked = [one for one in credentials if not one.is_over(world_now)]
    values = {
        "keys": [one.key_id for one in asked if one.key_id is not None],
        "sessions": [one.session_id for one in asked if one.session_id is not None],
        "now": world_now,
    }
    rows = await fetch_all(connection, _Good, GOOD, values)
    return frozenset(row.name for row in rows)
