"""Forecasts as stored, newest slot first.

Row-level security hides what the asker is not entitled to; the routes refuse
before that, and say why.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, LiteralString

import msgspec
import psycopg
from msgspec import Meta

from api.installation import Context
from api.pages import Page, RowId, page_of, read_cursor
from api.rows import fetch_all

Provenance = Literal["live", "late", "replayed", "backfilled"]


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """One number for a symbol and horizon.

    Attributes:
        as_of: the slot it was made at.
        point: log return, or price, as the manifest's target says.
        quantiles: [level, value] pairs, levels rising.
        available_at: when it was recorded, and could first be read.
        valid_until: its target time.
        provenance: `live` while it may still be proven to be; `late` if no checkpoint over
            its leaf had its quorum by the deadline.
        leaf_index: its leaf in the transparency log; null for replayed and backfilled.
        proven_at: when a checkpoint over its leaf had its quorum; null: not yet.
        is_unopened: its leaf's opening is lost: nothing proves these numbers, and scores
            count the slot as missed.
    """

    signal: str
    version: str
    as_of: datetime
    symbol: str
    horizon_hours: int
    target_time: datetime
    point: float
    quantiles: list[tuple[float, float]] | None
    probability_up: float | None
    available_at: datetime
    valid_until: datetime
    provenance: Provenance
    input_digest: str | None
    image_digest: str
    leaf_index: int | None
    proven_at: datetime | None
    is_unopened: bool
    is_sample_data: bool


class _Row(Forecast, frozen=True, kw_only=True):
    slot_record_id: int
    instrument_id: int


COLUMNS: LiteralString = """
select p.handle || '/' || g.name as signal, v.version, r.slot as as_of, i.symbol, f.horizon_hours,
       f.target_time, f.point, f.quantiles, f.probability_up, r.recorded_at as available_at,
       f.target_time as valid_until, proven.provenance, r.input_digest, r.image_digest,
       r.leaf_index, transparency.proven_at(r.leaf_index) as proven_at,
       r.leaf_index is not null and not exists (
         select from forecast.opening o where o.slot_record_id = r.id) as is_unopened,
       i.is_sample as is_sample_data, r.id as slot_record_id, f.instrument_id
"""

JOINS: LiteralString = """
join registry.version v on v.id = r.version_id
join registry.signal g on g.id = v.signal_id
join account.user_account p on p.id = g.provider_id
join forecast.forecast f on f.slot_record_id = r.id
join market.instrument i on i.id = f.instrument_id
cross join lateral (
  select replace(forecast.proven_provenance(r.provenance, r.slot, r.leaf_index, %(deadline)s,
                                            %(now)s), 'pending', 'live') as provenance) proven
"""

HISTORY: LiteralString = """
where g.id = %(signal_id)s
  and proven.provenance = any (%(provenance)s)
  and (%(from)s::timestamptz is null or r.slot >= %(from)s)
  and (%(to)s::timestamptz is null or r.slot < %(to)s)
  and (%(symbol)s::text is null or i.symbol = %(symbol)s)
  and (%(horizon)s::int is null or f.horizon_hours = %(horizon)s)
  and (%(version)s::text is null or v.version = %(version)s)
  and (%(after_slot)s::timestamptz is null
       or (r.slot, r.id, f.instrument_id, f.horizon_hours)
        < (%(after_slot)s, %(after_id)s::bigint, %(after_instrument)s::int, %(after_horizon)s::int))
order by r.slot desc, r.id desc, f.instrument_id desc, f.horizon_hours desc
limit %(limit)s
"""

# The first slot, under any of the offers so far, whose reveal delay is not over.
REVEALED_UNTIL: LiteralString = """
select min(hidden_from) as until
from (
  select greatest(
           date_trunc('hour', p.valid_from + interval '1 hour - 1 microsecond'),
           date_trunc('hour', %(now)s - make_interval(hours => p.reveal_after_hours))
             + interval '1 hour') as hidden_from,
         lead(p.valid_from) over (order by p.valid_from, p.id) as followed_at
  from billing.price p
  where p.signal_id = %(signal_id)s and p.valid_from <= %(now)s) terms
where followed_at is null or hidden_from < followed_at
"""

# One index descent per version, instead of sorting every slot there is.
LATEST: LiteralString = """
from unnest(%(signal_ids)s::bigint[]) as wanted(signal_id)
cross join lateral (
  select s.* from registry.version w
  cross join lateral (
    select x.* from forecast.slot_record x
    where x.version_id = w.id and x.provenance in ('live', 'late')
    order by x.slot desc limit 1) s
  where w.signal_id = wanted.signal_id and w.published_at is not null
  order by s.slot desc, w.published_at desc, w.id desc limit 1) r
"""

LATEST_ORDER: LiteralString = "order by 1, i.symbol, f.horizon_hours"

SUBSCRIBED: LiteralString = """
select distinct s.signal_id as id from billing.subscription s
where s.user_id = %s and billing.is_entitled(s.signal_id)
"""


class _After(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The sort key of a row."""

    slot: Annotated[datetime, Meta(tz=True)]
    id: RowId
    instrument: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    horizon: Annotated[int, Meta(ge=0, le=1000)]


def terms(context: Context) -> dict[str, Any]:
    """By when a live forecast must be proven, as values of a query."""
    return {
        "deadline": timedelta(minutes=context.settings.live_deadline_minutes),
        "now": context.now,
    }


async def history(
    connection: psycopg.AsyncConnection,
    filters: dict[str, Any],
    limit: int,
    cursor: str | None,
) -> Page[Forecast]:
    """A page of one signal's forecasts.

    `filters` holds signal_id, provenance, from, to, symbol, horizon and version, and what
    `terms` gives.

    Raises:
        Problem: invalid_cursor.
    """
    after = read_cursor(cursor, _After)
    values = filters | {
        "after_slot": after and after.slot,
        "after_id": after and after.id,
        "after_instrument": after and after.instrument,
        "after_horizon": after and after.horizon,
        "limit": limit + 1,
    }
    query: LiteralString = COLUMNS + "from forecast.slot_record r" + JOINS + HISTORY
    rows = await fetch_all(connection, _Row, query, values)
    page = page_of(rows, limit, _sort_key)
    return Page([_public(row) for row in page.items], page.next)


def _sort_key(row: _Row) -> _After:
    return _After(row.as_of, row.slot_record_id, row.instrument_id, row.horizon_hours)


async def latest(
    connection: psycopg.AsyncConnection, signal_ids: list[int], proof: dict[str, Any]
) -> list[Forecast]:
    """The newest answered slot of each signal; a miss since then does not hide it."""
    query: LiteralString = COLUMNS + LATEST + JOINS + LATEST_ORDER
    rows = await fetch_all(connection, _Row, query, {"signal_ids": signal_ids, **proof})
    return [_public(row) for row in rows]


class _Until(msgspec.Struct, frozen=True):
    until: datetime | None


async def revealed_until(
    connection: psycopg.AsyncConnection, signal_id: int, now: datetime
) -> datetime | None:
    """Logged slots before it are public, all of them; None where nothing was ever on offer."""
    rows = await fetch_all(connection, _Until, REVEALED_UNTIL, {"signal_id": signal_id, "now": now})
    return rows[0].until


class _SignalId(msgspec.Struct, frozen=True):
    id: int


async def subscribed(connection: psycopg.AsyncConnection, user_id: object) -> list[int]:
    """Signals that a person may read now by subscription."""
    return [row.id for row in await fetch_all(connection, _SignalId, SUBSCRIBED, [user_id])]


def _public(row: _Row) -> Forecast:
    return Forecast(**{name: getattr(row, name) for name in Forecast.__struct_fields__})
