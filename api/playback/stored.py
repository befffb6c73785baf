"""Rows of a playback, each list in the order in which it became known.

Filters are compared in whole seconds, as `at` and `since` are, so that an instant rounded up
to the second is on the same side of them.
"""

from datetime import UTC, datetime
from typing import Any, LiteralString

import msgspec
import psycopg
from psycopg.rows import tuple_row

from api.rows import fetch_all

ROWS_AT_MOST = 20_000
"""Of each list in one answer, unless a single second has more."""


class Instrument(msgspec.Struct, frozen=True):
    id: int
    symbol: str
    is_sample: bool


class Version(msgspec.Struct, frozen=True):
    id: int
    version: str
    rank: int
    target: str


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """What to read: known in (since, until], of bars and slots at or after `start`."""

    start: datetime
    since: datetime | None
    until: datetime


INSTRUMENTS: LiteralString = """
select i.id, i.symbol, i.is_sample from market.instrument i
where i.symbol in (
  select jsonb_array_elements_text(v.manifest->'forecast'->'symbols') from registry.version v
  where v.signal_id = %s and v.published_at is not null)
order by i.symbol
"""

VERSIONS: LiteralString = """
select v.id, v.version, (row_number() over (order by v.published_at, v.id))::int as rank,
       coalesce(v.manifest->'forecast'->>'target', 'return') as target
from registry.version v where v.signal_id = %s and v.published_at is not null
"""

BARS: LiteralString = """
select ceil(extract(epoch from known.available_at))::bigint, known.instrument_id,
       extract(epoch from known.ts_open)::bigint, ceil(extract(epoch from known.ts_close))::bigint,
       known.open, known.high, known.low, known.close, known.volume,
       g.is_history and not exists (
         select from market.bar older
         where older.instrument_id = known.instrument_id and older.ts_open = known.ts_open
           and older.batch_id < known.batch_id) as is_history
from market.bar known join market.ingest_batch g on g.id = known.batch_id
where known.instrument_id = any (%(instrument_ids)s)
  and known.ts_open >= %(start)s and known.ts_open < %(until)s and known.ts_close <= %(until)s
  and known.available_at <= %(until)s
  and (%(since)s::timestamptz is null or known.available_at > %(since)s)
order by known.available_at, known.batch_id, known.instrument_id, known.ts_open
limit %(limit)s
"""

# A replay of a slot reads the bars that were there by its cut-off, as a live run would have.
RECORDS: LiteralString = """
with known as materialized (
  select r.id, r.version_id, r.slot, r.provenance, r.reason, r.leaf_index,
         case when r.provenance in ('replayed', 'backfilled') then r.cutoff
              else r.recorded_at end as available_at
  from forecast.slot_record r
  where r.version_id = any (%(version_ids)s)
    and r.slot >= %(start)s and r.slot <= %(until)s)
"""
KNOWN: LiteralString = """
  and known.available_at <= %(until)s
  and (%(since)s::timestamptz is null or known.available_at > %(since)s)
"""

FORECASTS: LiteralString = (
    RECORDS
    + """
select ceil(extract(epoch from known.available_at))::bigint, known.version_id,
       extract(epoch from known.slot)::bigint, f.instrument_id, f.horizon_hours,
       known.provenance, f.point, f.quantiles, f.probability_up,
       known.leaf_index is not null and not exists (
         select from forecast.opening o where o.slot_record_id = known.id)
from known join forecast.forecast f on f.slot_record_id = known.id
where known.provenance = any (%(provenance)s) and f.instrument_id = any (%(instrument_ids)s)
  and (%(horizon)s::int is null or f.horizon_hours = %(horizon)s)
"""
    + KNOWN
    + """order by known.available_at, known.id, f.instrument_id, f.horizon_hours
limit %(limit)s
"""
)

MISSED: LiteralString = (
    RECORDS
    + """
select ceil(extract(epoch from known.available_at))::bigint, known.version_id,
       extract(epoch from known.slot)::bigint, split_part(known.reason, ':', 1)
from known where known.provenance = 'missed'
"""
    + KNOWN
    + "order by known.available_at, known.id limit %(limit)s"
)

TURNED_LATE: LiteralString = """
select extract(epoch from known.available_at)::bigint, known.version_id,
       extract(epoch from known.slot)::bigint
from (
  select r.id, r.version_id, r.slot, r.slot + %(deadline)s + interval '1 second' as available_at,
         transparency.proven_at(r.leaf_index) as proven_at
  from forecast.slot_record r
  where r.version_id = any (%(version_ids)s) and r.provenance = 'live'
    and 'live' = any (%(provenance)s)
    and r.slot >= %(start)s and r.slot <= %(until)s - %(deadline)s
    and (%(since)s::timestamptz is null
         or r.slot > %(since)s::timestamptz - %(deadline)s - interval '1 second')) known
where (known.proven_at is null or known.proven_at > known.slot + %(deadline)s)
"""
TURNED_LATE_IN_ORDER: LiteralString = (
    TURNED_LATE + KNOWN + "order by known.available_at, known.id limit %(limit)s"
)

LISTS: dict[str, LiteralString] = {
    "bars": BARS,
    "forecasts": FORECASTS,
    "missed": MISSED,
    "turned_late": TURNED_LATE_IN_ORDER,
}

Row = tuple[Any, ...]
Rows = dict[str, list[Row]]


async def instruments(
    connection: psycopg.AsyncConnection, signal_id: int, symbol: str | None
) -> list[Instrument]:
    """Of all its published versions; of these, the one asked for."""
    known = await fetch_all(connection, Instrument, INSTRUMENTS, [signal_id])
    return [one for one in known if symbol is None or one.symbol == symbol]


async def versions(connection: psycopg.AsyncConnection, signal_id: int) -> list[Version]:
    return await fetch_all(connection, Version, VERSIONS, [signal_id])


async def read(
    connection: psycopg.AsyncConnection, interval: Interval, filters: dict[str, Any]
) -> tuple[Rows, datetime | None]:
    """The lists of an interval, and where it was cut short to keep them bounded.

    `filters` holds instrument_ids, version_ids, provenance, horizon and deadline. Each row
    begins with the second in which it became known.
    """
    values = filters | {
        "start": interval.start, "since": interval.since, "until": interval.until,
    }  # fmt: skip
    found = {
        name: await _rows(connection, query, values | {"limit": ROWS_AT_MOST + 1})
        for name, query in LISTS.items()
    }
    too_long = [rows for rows in found.values() if len(rows) > ROWS_AT_MOST]
    if not too_long:
        return found, None
    # The first second of which something was left out; all before it is whole.
    broken = min(rows[-1][0] for rows in too_long)
    whole = {name: [row for row in rows if row[0] < broken] for name, rows in found.items()}
    if any(whole.values()):
        return whole, datetime.fromtimestamp(broken - 1, UTC)
    until = datetime.fromtimestamp(broken, UTC)
    unbounded = values | {"until": until, "limit": None}
    found = {name: await _rows(connection, query, unbounded) for name, query in LISTS.items()}
    return found, until if until < interval.until else None


async def _rows(
    connection: psycopg.AsyncConnection, query: LiteralString, values: dict[str, Any]
) -> list[Row]:
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()
