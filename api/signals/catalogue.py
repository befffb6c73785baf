"""The catalogue in the database: public signals that were ever live, and one's own."""

from datetime import datetime
from typing import Annotated, Any, Literal, LiteralString

import msgspec
import psycopg
from msgspec import Meta

from api.installation import Context
from api.pages import Page, RowId, page_of, read_cursor
from api.rows import fetch_all

Sort = Literal["newest", "name"]


class Offer(msgspec.Struct, frozen=True):
    """`amount_minor` is per month, in cents; slots are public `reveal_after_hours` later."""

    amount_minor: int
    currency: str
    trial_days: int
    reveal_after_hours: int


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of the newest published version; null where none was published yet."""

    signal: str
    provider: str
    name: str
    title: str
    description: str
    visibility: Literal["private", "public"]
    created_at: datetime
    symbols: list[str]
    horizons_hours: list[int]
    target: str | None = None
    version: str | None = None
    state: str | None = None
    live_since: datetime | None = None
    offer: Offer | None = None
    is_sample_data: bool
    is_own: bool
    git_url: str


class _Row(Signal, frozen=True, kw_only=True):
    id: int


SIGNALS: LiteralString = """
select g.id, p.handle || '/' || g.name as signal, p.handle as provider, g.name, g.title,
       g.description, g.visibility, g.created_at,
       coalesce(newest.manifest->'forecast'->'symbols', '[]') as symbols,
       coalesce(newest.manifest->'forecast'->'horizons_hours', '[]') as horizons_hours,
       coalesce(newest.manifest->'forecast'->>'target', 'return') as target,
       newest.version, newest.state,
       (select min(v.published_at) from registry.version v where v.signal_id = g.id) as live_since,
       (select jsonb_build_object('amount_minor', o.amount_minor, 'currency', o.currency,
                                  'trial_days', o.trial_days,
                                  'reveal_after_hours', o.reveal_after_hours)
        from billing.price o where o.signal_id = g.id and o.valid_from <= %(now)s
        order by o.valid_from desc, o.id desc limit 1) as offer,
       exists (select 1 from market.instrument i
               where i.is_sample and newest.manifest->'forecast'->'symbols' ? i.symbol)
         as is_sample_data,
       g.provider_id = %(user_id)s is true as is_own,
       %(git_url)s || '/git/' || p.handle || '/' || g.name || '.git' as git_url
from registry.signal g
join account.user_account p on p.id = g.provider_id
left join lateral (
  select v.version, v.state, v.manifest from registry.version v
  where v.signal_id = g.id and v.published_at is not null
  order by v.published_at desc, v.id desc limit 1) newest on true
"""

LISTED: LiteralString = """
where ((g.visibility = 'public' and newest.version is not null) or g.provider_id = %(user_id)s)
  and (%(q)s::text is null or strpos(
        lower(p.handle || '/' || g.name || ' ' || g.title || ' ' || g.description),
        lower(%(q)s)) > 0)
  and (%(symbol)s::text is null or newest.manifest->'forecast'->'symbols' ? %(symbol)s)
"""

ORDER: dict[Sort, LiteralString] = {
    "newest": """
  and (%(after_at)s::timestamptz is null
       or (g.created_at, g.id) < (%(after_at)s, %(after_id)s::bigint))
order by g.created_at desc, g.id desc limit %(limit)s
""",
    "name": """
  and (%(after_provider)s::text is null
       or (p.handle, g.name) > (%(after_provider)s, %(after_name)s::text))
order by p.handle, g.name limit %(limit)s
""",
}


def _values(context: Context) -> dict[str, Any]:
    return {
        "now": context.now,
        "user_id": context.caller.user_id if context.caller else None,
        "git_url": context.settings.git_url,
    }


def _public(row: _Row) -> Signal:
    fields = {name: getattr(row, name) for name in Signal.__struct_fields__}
    return Signal(**fields)


async def list_page(
    connection: psycopg.AsyncConnection,
    context: Context,
    *,
    q: str | None,
    symbol: str | None,
    sort: Sort,
    limit: int,
    cursor: str | None,
) -> Page[Signal]:
    """A page of what the asker may see in the catalogue.

    Raises:
        Problem: invalid_cursor, also for a cursor of the other order.
    """
    values = _values(context) | {"q": q, "symbol": symbol, "limit": limit + 1}
    values |= _after_newest(cursor) if sort == "newest" else _after_name(cursor)
    rows = await fetch_all(connection, _Row, SIGNALS + LISTED + ORDER[sort], values)
    if sort == "newest":
        page = page_of(rows, limit, lambda row: (row.created_at, row.id))
    else:
        page = page_of(rows, limit, lambda row: (row.provider, row.name))
    return Page([_public(row) for row in page.items], page.next)


def _after_newest(cursor: str | None) -> dict[str, Any]:
    key = read_cursor(cursor, tuple[Annotated[datetime, Meta(tz=True)], RowId])
    return {"after_at": key and key[0], "after_id": key and key[1]}


def _after_name(cursor: str | None) -> dict[str, Any]:
    key = read_cursor(cursor, tuple[str, str])
    return {"after_provider": key and key[0], "after_name": key and key[1]}


async def one(connection: psycopg.AsyncConnection, context: Context, signal_id: int) -> Signal:
    """A signal that `lookup.find_signal` has found."""
    query: LiteralString = SIGNALS + "where g.id = %(id)s"
    rows = await fetch_all(connection, _Row, query, _values(context) | {"id": signal_id})
    return _public(rows[0])
