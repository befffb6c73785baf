"""What happened between two positions, and who may be told.

Read for everybody at once, and without content: who may be told is asked next, and what
is told is read as somebody who may (`api.events.told`), under row-level security.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString

import msgspec
import psycopg

from api.events.positions import LAST_ID, Position
from api.rows import fetch_all

Source = Literal["leaf", "billing", "version"]

# A transaction that still runs may yet bring rows of its number: what is below all such is whole.
HEAD: LiteralString = """
select coalesce(max(index), -1) as leaf,
       (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint - 1 as xid
from transparency.leaf
"""
LEAVES: LiteralString = """
select l.index as key, l.signal_id, r.recorded_at as known_at,
       case l.kind when 'forecast/v1' then 'forecast' else 'missed' end as type
from transparency.leaf l join forecast.slot_record r on r.leaf_index = l.index
where l.index > %(after)s and l.index <= %(upto)s and l.slot is not null
order by l.index limit %(limit)s
"""
LINES: LiteralString = """
select id as key, xid, signal_id, at as known_at, kind as type, user_id
from billing.lines_between(%(people)s, %(after_xid)s, %(after_id)s, %(upto)s, %(limit)s)
"""
# A push before it is published is its provider's affair.
VERSIONS: LiteralString = """
select e.id as key, e.xid, v.signal_id, e.at as known_at, 'version.' || e.to_state as type,
       case when e.to_state in ('building', 'rejected') then g.provider_id end as user_id
from registry.version_event e join registry.version v on v.id = e.version_id
join registry.signal g on g.id = v.signal_id
where (e.xid, e.id) > (%(after_xid)s, %(after_id)s) and e.xid <= %(upto)s
order by e.xid, e.id limit %(limit)s
"""
ENTITLED: LiteralString = """
select user_id, n from billing.entitled_people(%(people)s, %(signals)s, %(known_at)s, %(now)s)
"""


@dataclass(frozen=True, slots=True)
class Happened:
    """One event, by name only.

    Attributes:
        key: leaf index, or id of the source's row.
        known_at: when we knew; a person must have been entitled then.
        user_id: whose affair it is; None: of everybody who is entitled to the signal.
        position: after it.
    """

    source: Source
    key: int
    type: str
    signal_id: int
    known_at: datetime
    user_id: uuid.UUID | None
    position: Position

    def is_after(self, position: Position) -> bool:
        """Whether who was at `position` has not had it yet."""
        own: object = getattr(self.position, self.source)
        return bool(own > getattr(position, self.source))


class _Head(msgspec.Struct, frozen=True):
    leaf: int
    xid: int


class _Row(msgspec.Struct, frozen=True):
    key: int
    signal_id: int
    known_at: datetime
    type: str
    xid: int = 0
    user_id: uuid.UUID | None = None


async def head(connection: psycopg.AsyncConnection) -> Position:
    """Up to where all that ever comes is there."""
    (row,) = await fetch_all(connection, _Head, HEAD, {})
    return Position(row.leaf, (row.xid, LAST_ID), (row.xid, LAST_ID))


async def between(
    connection: psycopg.AsyncConnection,
    after: Position,
    upto: Position,
    people: Sequence[uuid.UUID],
    at_most: int,
) -> tuple[list[Happened], Position]:
    """The next events after a position, and the position up to which they are all there are.

    Args:
        connection: as whomever.
        after: exclusive.
        upto: a head of before.
        people: whose lines of billing are looked for.
        at_most: events of one source; then the position is short of `upto`.
    """
    found: list[Happened] = []
    here = after
    for read in (_lines, _versions, _leaves):
        some, here, is_all = await read(connection, here, upto, people, at_most)
        found += some
        if not is_all:
            break
    return found, here


_Read = tuple[list[Happened], Position, bool]


async def _lines(
    connection: psycopg.AsyncConnection,
    here: Position,
    upto: Position,
    people: Sequence[uuid.UUID],
    at_most: int,
) -> _Read:
    if here.billing >= upto.billing:
        return [], here, True
    values = _places(here.billing, upto.billing[0], at_most) | {"people": list(people)}
    found = []
    for row in await fetch_all(connection, _Row, LINES, values):
        here = here.at_billing((row.xid, row.key))
        found.append(_happened("billing", row, here))
    is_all = len(found) < at_most
    return found, here.at_billing(upto.billing) if is_all else here, is_all


async def _versions(
    connection: psycopg.AsyncConnection,
    here: Position,
    upto: Position,
    _: Sequence[uuid.UUID],
    at_most: int,
) -> _Read:
    if here.version >= upto.version:
        return [], here, True
    values = _places(here.version, upto.version[0], at_most)
    found = []
    for row in await fetch_all(connection, _Row, VERSIONS, values):
        here = here.at_version((row.xid, row.key))
        found.append(_happened("version", row, here))
    is_all = len(found) < at_most
    return found, here.at_version(upto.version) if is_all else here, is_all


async def _leaves(
    connection: psycopg.AsyncConnection,
    here: Position,
    upto: Position,
    _: Sequence[uuid.UUID],
    at_most: int,
) -> _Read:
    if here.leaf >= upto.leaf:
        return [], here, True
    values = {"after": here.leaf, "upto": upto.leaf, "limit": at_most}
    found = []
    for row in await fetch_all(connection, _Row, LEAVES, values):
        here = here.at_leaf(row.key)
        found.append(_happened("leaf", row, here))
    is_all = len(found) < at_most
    return found, here.at_leaf(upto.leaf) if is_all else here, is_all


def _places(after: tuple[int, int], upto: int, limit: int) -> dict[str, object]:
    return {"after_xid": after[0], "after_id": after[1], "upto": upto, "limit": limit}


def _happened(source: Source, row: _Row, position: Position) -> Happened:
    return Happened(source, row.key, row.type, row.signal_id, row.known_at, row.user_id, position)


class _Entitled(msgspec.Struct, frozen=True):
    user_id: uuid.UUID
    n: int


async def may_be_told(
    connection: psycopg.AsyncConnection,
    events: Sequence[Happened],
    people: Sequence[uuid.UUID],
    now: datetime,
) -> Mapping[int, frozenset[uuid.UUID]]:
    """Who of `people` may be told of each of `events`, by its place among them."""
    asked = [event for event in events if event.user_id is None]
    told: dict[int, set[uuid.UUID]] = {n: set() for n in range(len(events))}
    numbers = [n for n, event in enumerate(events) if event.user_id is None]
    for n, event in enumerate(events):
        if event.user_id is not None and event.user_id in people:
            told[n].add(event.user_id)
    if asked and people:
        values = {
            "people": list(people),
            "signals": [event.signal_id for event in asked],
            "known_at": [event.known_at for event in asked],
            "now": now,
        }
        for row in await fetch_all(connection, _Entitled, ENTITLED, values):
            told[numbers[row.n - 1]].add(row.user_id)
    return {n: frozenset(someone) for n, someone in told.items()}
