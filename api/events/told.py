"""What an event says, read as somebody who may be told.

The database stands behind: forecasts come only for a person who is entitled, lines of
billing only for whom they are about.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString

import msgspec
import psycopg

from api.events.sources import Happened, Source
from api.forecasts.stored import Forecast
from api.rows import fetch_all

# As GET .../forecasts/latest, but what is true of the whole slot is looked up once for it.
FORECASTS: LiteralString = """
with slot as materialized (
  select r.id, p.handle || '/' || g.name as signal, v.version, r.slot as as_of,
         r.recorded_at as available_at, r.input_digest, r.image_digest, r.leaf_index,
         replace(forecast.proven_provenance(r.provenance, r.slot, r.leaf_index, %(deadline)s,
                                            %(now)s), 'pending', 'live') as provenance,
         transparency.proven_at(r.leaf_index) as proven_at,
         not exists (select from forecast.opening o where o.slot_record_id = r.id) as is_unopened
  from forecast.slot_record r join registry.version v on v.id = r.version_id
  join registry.signal g on g.id = v.signal_id
  join account.user_account p on p.id = g.provider_id
  where r.leaf_index = any (%(keys)s))
select slot.*, i.symbol, f.horizon_hours, f.target_time, f.point, f.quantiles, f.probability_up,
       f.target_time as valid_until, i.is_sample as is_sample_data
from forecast.of_leaves(%(keys)s) f join slot on slot.id = f.slot_record_id
join market.instrument i on i.id = f.instrument_id
order by slot.leaf_index, i.symbol, f.horizon_hours
"""
MISSED: LiteralString = """
select p.handle || '/' || g.name as signal, v.version, r.slot as as_of,
       r.recorded_at as available_at, r.leaf_index, split_part(r.reason, ':', 1) as reason
from forecast.slot_record r join registry.version v on v.id = r.version_id
join registry.signal g on g.id = v.signal_id
join account.user_account p on p.id = g.provider_id
where r.leaf_index = any (%(keys)s)
"""
LINES: LiteralString = """
select o.id as key, p.handle || '/' || g.name as signal, o.subscription_id, o.at, o.detail
from billing.outbox o join billing.subscription s on s.id = o.subscription_id
join registry.signal g on g.id = s.signal_id
join account.user_account p on p.id = g.provider_id
where o.id = any (%(keys)s)
"""
VERSIONS: LiteralString = """
select e.id as key, p.handle || '/' || g.name as signal, v.version, e.at
from registry.version_event e join registry.version v on v.id = e.version_id
join registry.signal g on g.id = v.signal_id
join account.user_account p on p.id = g.provider_id
where e.id = any (%(keys)s)
"""

Key = tuple[Source, int]


class ForecastEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A slot was answered; `forecasts` as GET .../forecasts/latest gives them."""

    signal: str
    version: str
    as_of: datetime
    available_at: datetime
    leaf_index: int
    forecasts: list[Forecast]


class MissedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A due slot has no forecast; `reason` as its leaf says."""

    signal: str
    version: str
    as_of: datetime
    available_at: datetime
    leaf_index: int
    reason: str


class VersionEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A version went live, offline, or was retired; to its provider also building and rejected."""

    signal: str
    version: str
    at: datetime


class BillingEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What the outbox tells of a subscription, its payments and its price."""

    signal: str
    subscription_id: uuid.UUID
    at: datetime
    detail: dict[str, Any]


class _Line(BillingEvent, frozen=True, kw_only=True):
    key: int


class _Version(VersionEvent, frozen=True, kw_only=True):
    key: int


async def contents(
    connection: psycopg.AsyncConnection, events: Sequence[Happened], proof: Mapping[str, Any]
) -> dict[Key, bytes]:
    """JSON of each event that the person of the transaction may read.

    Args:
        connection: acting as that person.
        events: of any sources.
        proof: as `api.forecasts.stored.terms` gives it.
    """
    found: dict[Key, bytes] = {}
    if keys := _keys(events, "leaf", "forecast"):
        found |= await _forecasts(connection, keys, proof)
    if keys := _keys(events, "leaf", "missed"):
        missed = await fetch_all(connection, MissedEvent, MISSED, {"keys": keys})
        found |= {("leaf", one.leaf_index): msgspec.json.encode(one) for one in missed}
    if keys := _keys(events, "billing"):
        for line in await fetch_all(connection, _Line, LINES, {"keys": keys}):
            found["billing", line.key] = _json(BillingEvent, line)
    if keys := _keys(events, "version"):
        for moved in await fetch_all(connection, _Version, VERSIONS, {"keys": keys}):
            found["version", moved.key] = _json(VersionEvent, moved)
    return found


def _keys(events: Iterable[Happened], source: Source, kind: str | None = None) -> list[int]:
    return [event.key for event in events if event.source == source and kind in (None, event.type)]


def _json(kind: type[msgspec.Struct], row: msgspec.Struct) -> bytes:
    return msgspec.json.encode({name: getattr(row, name) for name in kind.__struct_fields__})


async def _forecasts(
    connection: psycopg.AsyncConnection, keys: list[int], proof: Mapping[str, Any]
) -> dict[Key, bytes]:
    slots: dict[int, list[Forecast]] = {}
    for row in await fetch_all(connection, Forecast, FORECASTS, {"keys": keys, **proof}):
        if row.leaf_index is not None:
            slots.setdefault(row.leaf_index, []).append(row)
    return {
        ("leaf", index): msgspec.json.encode(_slot(index, rows)) for index, rows in slots.items()
    }


def _slot(index: int, rows: list[Forecast]) -> ForecastEvent:
    first = rows[0]
    return ForecastEvent(
        signal=first.signal,
        version=first.version,
        as_of=first.as_of,
        available_at=first.available_at,
        leaf_index=index,
        forecasts=rows,
    )
