"""GET /v1/bars: what is known best now, or was at an instant, corrections included."""

from datetime import datetime, timedelta
from typing import Annotated, LiteralString

import msgspec
import psycopg
from litestar import Router, get
from litestar.params import QueryParameter
from msgspec import Meta

from api.auth.guards import signed_in
from api.formats.answers import TABLE, Table
from api.installation import RequestContext
from api.instants import instant
from api.pages import Cursor, Page, page_of, read_cursor
from api.problems import Problem
from api.rows import fetch_all, fetch_one

BY_DEFAULT = timedelta(days=7)

BarLimit = Annotated[int, QueryParameter(ge=1, le=5000)]


class Bar(msgspec.Struct, frozen=True):
    """One hour, [ts_open, ts_close); a null volume was not published."""

    ts_open: datetime
    ts_close: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float | None
    available_at: datetime


class BarPage(Page[Bar], frozen=True, kw_only=True):
    symbol: str
    is_sample_data: bool


class _Instrument(msgspec.Struct, frozen=True):
    id: int
    symbol: str
    is_sample: bool


BARS: LiteralString = """
select distinct on (ts_open) ts_open, ts_close, open, high, low, close, volume, available_at
from market.bar
where instrument_id = %(instrument_id)s and ts_open >= %(start)s and ts_open < %(end)s
  and (%(after)s::timestamptz is null or ts_open > %(after)s) and available_at <= %(known_at)s
order by ts_open, available_at desc, batch_id desc
limit %(limit)s
"""


@get("/", guards=[signed_in("read")], opt={TABLE: Table(Bar)})
async def list_bars(
    context: RequestContext,
    symbol: Annotated[str, QueryParameter(max_length=32)],
    start: Annotated[datetime | None, QueryParameter(description="a week before `end`")] = None,
    end: Annotated[datetime | None, QueryParameter(description="`as_of`, or now")] = None,
    as_of: Annotated[
        datetime | None, QueryParameter(description="as was known then; as known now if not given")
    ] = None,
    limit: BarLimit = 5000,
    cursor: Cursor = None,
) -> BarPage:
    """Oldest first; `start` inclusive, `end` exclusive."""
    known_at = min(instant("as_of", as_of) or context.now, context.now)
    until = instant("end", end) or known_at
    after = read_cursor(cursor, tuple[Annotated[datetime, Meta(tz=True)]])
    async with context.transaction() as connection:
        instrument = await find_instrument(connection, symbol)
        values = {
            "instrument_id": instrument.id,
            "start": instant("start", start) or week_before(until),
            "end": until,
            "after": after and after[0],
            "known_at": known_at,
            "limit": limit + 1,
        }
        rows = await fetch_all(connection, Bar, BARS, values)
    page = page_of(rows, limit, lambda bar: (bar.ts_open,))
    return BarPage(
        page.items, page.next, symbol=instrument.symbol, is_sample_data=instrument.is_sample
    )


def week_before(until: datetime) -> datetime:
    try:
        return until - BY_DEFAULT
    except OverflowError:
        return until


async def find_instrument(connection: psycopg.AsyncConnection, symbol: str) -> _Instrument:
    found = await fetch_one(
        connection,
        _Instrument,
        "select id, symbol, is_sample from market.instrument where symbol = %s",
        [symbol],
    )
    if found is None:
        raise Problem(
            "not_found", f"There is no symbol {symbol}; a signal names its symbols in `symbols`."
        )
    return found


router = Router("/v1/bars", route_handlers=[list_bars], tags=["bars"])
