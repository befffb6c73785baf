"""Which signal a path means, for those who may know that it exists."""

import uuid
from typing import LiteralString

import msgspec
import psycopg

from api.installation import Context
from api.problems import Problem
from api.rows import fetch_one


class SignalId(msgspec.Struct, frozen=True):
    id: int


class KnownSignal(msgspec.Struct, frozen=True):
    """A signal that the asker may know of.

    Attributes:
        entitled: the asker may read its forecasts now.
    """

    id: int
    provider: str
    name: str
    provider_id: uuid.UUID
    visibility: str
    was_live: bool
    entitled: bool

    @property
    def signal(self) -> str:
        return f"{self.provider}/{self.name}"


class KnownVersion(msgspec.Struct, frozen=True):
    id: int
    version: str
    state: str


SIGNAL: LiteralString = """
select g.id, p.handle as provider, g.name, g.provider_id, g.visibility,
       billing.is_entitled(g.id) as entitled,
       exists (select 1 from registry.version v
               where v.signal_id = g.id and v.published_at is not null) as was_live
from registry.signal g join account.user_account p on p.id = g.provider_id
where p.handle = %(provider)s and g.name = %(name)s
"""


async def find_signal(
    connection: psycopg.AsyncConnection, context: Context, provider: str, name: str
) -> KnownSignal:
    """The signal of a path.

    Raises:
        Problem: not_found, also for a private signal of somebody else.
    """
    found = await fetch_one(connection, KnownSignal, SIGNAL, {"provider": provider, "name": name})
    if found is None or not _may_know(context, found):
        raise Problem(
            "not_found", f"There is no signal {provider}/{name}; GET /v1/signals lists them."
        )
    return found


def _may_know(context: Context, signal: KnownSignal) -> bool:
    if signal.entitled or (signal.visibility == "public" and signal.was_live):
        return True
    caller = context.caller
    return caller is not None and (caller.is_operator or caller.user_id == signal.provider_id)


async def find_version(
    connection: psycopg.AsyncConnection, signal: KnownSignal, version: str
) -> KnownVersion:
    """The version of a path.

    Raises:
        Problem: not_found.
    """
    found = await fetch_one(
        connection,
        KnownVersion,
        "select id, version, state from registry.version where signal_id = %s and version = %s",
        [signal.id, version],
    )
    if found is None:
        raise Problem(
            "not_found",
            f"{signal.signal} has no version {version};"
            f" GET /v1/signals/{signal.signal}/versions lists them.",
        )
    return found
