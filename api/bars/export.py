"""GET /v1/bars/export: every bar of a range, in one answer of any length."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from litestar import Request, get
from litestar.params import QueryParameter
from litestar.response import Stream

from api.auth.guards import signed_in
from api.bars.routes import BARS, Bar, find_instrument, week_before
from api.formats.streams import EXPORT, exported
from api.installation import Context, RequestContext
from api.instants import instant
from api.rows import fetch_all

ROWS_OF_A_CHUNK = 5000


@get("/v1/bars/export", guards=[signed_in("read")], tags=["bars"], opt={EXPORT: True})
async def export_bars(
    request: Request[Any, Any, Any],
    context: RequestContext,
    symbol: Annotated[str, QueryParameter(max_length=32)],
    start: Annotated[datetime | None, QueryParameter(description="a week before `end`")] = None,
    end: Annotated[datetime | None, QueryParameter(description="now")] = None,
) -> Stream:
    """As known now; oldest first; `start` inclusive, `end` exclusive."""
    until = instant("end", end) or context.now
    since = instant("start", start) or week_before(until)
    async with context.transaction() as connection:
        instrument = await find_instrument(connection, symbol)
    values = {"instrument_id": instrument.id, "start": since, "end": until}
    answer = await exported(request, Bar, _chunks(context, values), f"{instrument.symbol}-bars")
    if instrument.is_sample:
        answer.headers["X-Signalbox-Sample-Data"] = "true"
    return answer


async def _chunks(context: Context, values: dict[str, Any]) -> AsyncIterator[list[Bar]]:
    after = None
    while True:
        more = {"after": after, "known_at": context.now, "limit": ROWS_OF_A_CHUNK}
        async with context.transaction() as connection:
            rows = await fetch_all(connection, Bar, BARS, values | more)
        yield rows
        if len(rows) < ROWS_OF_A_CHUNK:
            return
        after = rows[-1].ts_open
