"""The catalogue's list: public signals that were ever live, and one's own; sought and sorted.

Words are found as they are written, anywhere in provider, name, title or description, or
by their stem (Postgres' full-text search, English); all of them, in any order.

A cursor holds the sort, the last row's key and its id: ties keep one order, and what has
no key comes last in both directions. Rows whose key changes between two pages (headlines
are computed anew each hour) may be met twice or not at all; nothing else is.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, LiteralString

import msgspec
import psycopg
from msgspec import Meta

from api.installation import Context
from api.pages import Page, RowId, foreign_cursor, page_of, read_cursor
from api.rows import fetch_all
from api.signals.catalogue import COLUMNS, SOURCES, Row, Signal, public, values_of

Sort = Literal[
    "newest", "newest-desc", "name", "name-desc", "price", "price-desc", "live_age",
    "live_age-desc", "skill", "skill-desc", "sharpe", "sharpe-desc", "drawdown", "drawdown-desc",
]  # fmt: skip
PRICED_IN = "EUR"


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What a signal must have; None: whatever it is.

    Attributes:
        q: words.
        max_price_minor: a month, in `currency`.
        currency: of the offer, in capitals.
        trial: whether the offer begins with one.
        min_live_days: since its first live slot.
        min_skill: of the headline, as `max_drawdown`.
    """

    q: str | None = None
    symbol: str | None = None
    horizon: int | None = None
    provider: str | None = None
    max_price_minor: int | None = None
    currency: str | None = None
    trial: bool | None = None
    min_live_days: int | None = None
    min_skill: float | None = None
    max_drawdown: float | None = None


FILTERED: LiteralString = """
where ((g.visibility = 'public' and newest.version is not null) or g.provider_id = %(user_id)s)
  and (%(q)s::text is null
       or g.words @@ websearch_to_tsquery('english', %(q)s)
       or (select bool_and(strpos(lower(p.handle || '/' || g.name || ' ' || g.title || ' '
                                        || g.description), word) > 0)
           from regexp_split_to_table(lower(btrim(%(q)s)), '\\s+') word))
  and (%(symbol)s::text is null or newest.manifest->'forecast'->'symbols' ? %(symbol)s)
  and (%(horizon)s::int is null
       or newest.manifest->'forecast'->'horizons_hours' @> to_jsonb(%(horizon)s::int))
  and (%(provider)s::text is null or p.handle = %(provider)s)
  and (%(currency)s::text is null or offer.currency = %(currency)s)
  and (%(max_price_minor)s::bigint is null or (offer.amount_minor <= %(max_price_minor)s
       and offer.currency = coalesce(%(currency)s, %(priced_in)s)))
  and (%(trial)s::boolean is null or (offer.trial_days > 0) = %(trial)s)
  and (%(min_live_days)s::int is null
       or h.live_since <= %(now)s::timestamptz - make_interval(days => %(min_live_days)s))
  and (%(min_skill)s::float8 is null or h.skill >= %(min_skill)s)
  and (%(max_drawdown)s::float8 is null or h.max_drawdown <= %(max_drawdown)s)
"""
IN_CURRENCY: LiteralString = (
    "case when offer.currency = coalesce(%(currency)s, %(priced_in)s)"
    " then offer.amount_minor::float8 end"
)
# Ascending; how old a live record is ascends as its beginning descends.
KEYS: dict[str, tuple[LiteralString, LiteralString]] = {
    "newest": ("g.created_at", "timestamptz"),
    "name": ("(p.handle || '/' || g.name) collate \"C\"", "text"),
    "price": (IN_CURRENCY, "float8"),
    "live_age": ("h.live_since", "timestamptz"),
    "skill": ("h.skill", "float8"),
    "sharpe": ("h.sharpe", "float8"),
    "drawdown": ("h.max_drawdown", "float8"),
}
FALLS = {"newest", "live_age"}


class _Keyed(Row, frozen=True, kw_only=True):
    sort_key: Any


async def list_page(
    connection: psycopg.AsyncConnection,
    context: Context,
    filters: Filters,
    *,
    sort: Sort,
    limit: int,
    cursor: str | None,
) -> Page[Signal]:
    """A page of what the asker may see in the catalogue.

    Raises:
        Problem: invalid_cursor, also for a cursor of another order.
    """
    values = values_of(context) | msgspec.structs.asdict(filters)
    values |= {"limit": limit + 1, "priced_in": PRICED_IN} | _after(cursor, sort)
    rows = await fetch_all(connection, _Keyed, _query(sort), values)
    page = page_of(rows, limit, lambda row: (sort, row.sort_key, row.id))
    return Page([public(row) for row in page.items], page.next)


def _query(sort: Sort) -> LiteralString:
    key, kind = KEYS[sort.removesuffix("-desc")]
    falls = sort.endswith("-desc") != (sort.removesuffix("-desc") in FALLS)
    beyond: LiteralString = "<" if falls else ">"
    direction: LiteralString = "desc" if falls else "asc"
    after: LiteralString = f"%(after_key)s::{kind}"
    return (
        f"{COLUMNS}, {key} as sort_key {SOURCES} {FILTERED}"
        f" and (%(after_id)s::bigint is null"
        f"      or ({after} is null and {key} is null and g.id < %(after_id)s)"
        f"      or ({after} is not null and ({key} is null or {key} {beyond} {after}"
        f"                                   or ({key} = {after} and g.id < %(after_id)s))))"
        f" order by sort_key {direction} nulls last, g.id desc limit %(limit)s"
    )


def _after(cursor: str | None, sort: Sort) -> dict[str, Any]:
    key = read_cursor(cursor, tuple[str, Any, RowId])
    if key is None:
        return {"after_key": None, "after_id": None}
    kind = KEYS[sort.removesuffix("-desc")][1]
    if key[0] != sort:
        raise foreign_cursor()
    return {"after_key": _checked(key[1], kind), "after_id": key[2]}


KINDS: dict[str, Any] = {
    "timestamptz": Annotated[datetime, Meta(tz=True)] | None,
    "float8": float | None,
    "text": Annotated[str, Meta(max_length=200)] | None,
}


def _checked(key: object, kind: str) -> object:
    """A key as Postgres can read it: cursors come from outside."""
    try:
        return msgspec.convert(key, KINDS[kind])
    except msgspec.ValidationError:
        raise foreign_cursor() from None
