"""Who may read which signal, as the database said a moment ago.

Kept bytes pass by row-level security, so this comes before them. An entry holds for
thirty seconds, until a notice names its person, and until the next instant at
which a subscription of the person begins or ends, because time sends no notice.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

import msgspec
import psycopg
from psycopg_pool import AsyncConnectionPool

from api.hot.channels import ENTITLEMENTS, EVERY
from api.hot.shapes import Shape
from api.listener import Listener
from api.rows import fetch_one
from sql.session import act_as

TTL = timedelta(seconds=30)
ENTRIES_AT_MOST = 50_000

# Whatever of a subscription lies ahead may change what its person may read.
CHANGES_AT: LiteralString = """
(select min(t.at) from billing.subscription s,
   unnest(array[s.period_start, s.period_end, s.grace_until]) t (at)
 where s.user_id = %(user_id)s and t.at > %(now)s) as changes_at
"""
SIGNAL: LiteralString = """
select g.id as signal_id, billing.is_entitled(g.id) as is_entitled,
       g.visibility = 'public' and exists (
         select from registry.version v
         where v.signal_id = g.id and v.published_at is not null) as is_public,
"""
NAMED: LiteralString = """
from registry.signal g join account.user_account p on p.id = g.provider_id
where p.handle = %(provider)s and g.name = %(name)s
"""
PERSON: LiteralString = """
select array(select distinct s.signal_id from billing.subscription s
             where s.user_id = %(user_id)s) as signal_ids,
"""


class _OfSignal(msgspec.Struct, frozen=True):
    signal_id: int
    is_entitled: bool
    is_public: bool
    changes_at: datetime | None


class _OfPerson(msgspec.Struct, frozen=True):
    signal_ids: list[int]
    changes_at: datetime | None


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """What a person may read; `signal_ids` are those whose answers it is about."""

    may_read: bool
    may_know: bool
    signal_ids: frozenset[int]
    since: datetime
    until: datetime


Key = tuple[uuid.UUID | None, str, str]


class AccessList:
    """What is kept of it in a process."""

    def __init__(
        self, pool: AsyncConnectionPool[psycopg.AsyncConnection], listener: Listener
    ) -> None:
        self._pool = pool
        self._listener = listener
        self._kept: dict[Key, Access] = {}
        self._of_person: dict[uuid.UUID | None, set[Key]] = {}
        self._generation = 0
        listener.subscribe(ENTITLEMENTS, heard=self._heard, lost=self._forget_all)

    def get(self, user_id: uuid.UUID | None, shape: Shape, now: datetime) -> Access | None:
        """As it was in the last instant that was `caught_up`; None: look it up."""
        kept = self._kept.get((user_id, shape.provider, shape.name))
        return kept if kept is not None and kept.since <= now < kept.until else None

    async def look_up(
        self, user_id: uuid.UUID | None, shape: Shape, now: datetime
    ) -> Access | None:
        """By the database; None: there is no such signal."""
        generation = self._generation
        async with self._pool.connection() as connection:
            await act_as(connection, user_id, now)
            access = await self._read(connection, user_id, shape, now)
        if access is not None and generation == self._generation and self._listener.is_up:
            self._keep((user_id, shape.provider, shape.name), access)
        return access

    async def _read(
        self,
        connection: psycopg.AsyncConnection,
        user_id: uuid.UUID | None,
        shape: Shape,
        now: datetime,
    ) -> Access | None:
        values = {"user_id": user_id, "now": now, "provider": shape.provider, "name": shape.name}
        if shape.kind == "mine":
            person = await fetch_one(connection, _OfPerson, PERSON + CHANGES_AT, values)
            assert person is not None  # noqa: S101 - it is one row always
            until = _until(now, person.changes_at)
            return Access(
                may_read=True,
                may_know=False,
                signal_ids=frozenset(person.signal_ids),
                since=now,
                until=until,
            )
        found = await fetch_one(connection, _OfSignal, SIGNAL + CHANGES_AT + NAMED, values)
        if found is None:
            return None
        return Access(
            may_read=found.is_entitled,
            may_know=found.is_public,
            signal_ids=frozenset((found.signal_id,)),
            since=now,
            until=_until(now, found.changes_at),
        )

    def _keep(self, key: Key, access: Access) -> None:
        if len(self._kept) >= ENTRIES_AT_MOST:
            self._clear()
        self._kept[key] = access
        self._of_person.setdefault(key[0], set()).add(key)

    def _heard(self, payload: str) -> None:
        if payload == EVERY:
            self._forget_all()
            return
        self._generation += 1
        for key in self._of_person.pop(uuid.UUID(payload), ()):
            self._kept.pop(key, None)

    def _forget_all(self) -> None:
        self._generation += 1
        self._clear()

    def _clear(self) -> None:
        self._kept.clear()
        self._of_person.clear()


def _until(now: datetime, changes_at: datetime | None) -> datetime:
    return min(now + TTL, changes_at or now + TTL)
