"""GET .../forecasts/export: every forecast of a range, in one answer of any length.

Read a chunk at a time, each in a transaction of its own that asks again who may read: no
connection is held for a slow reader, and whose subscription ends meanwhile gets an answer
that breaks off, never one that looks complete.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Stream

from api.auth.guards import anyone_with
from api.forecasts import stored
from api.forecasts.routes import From, Provenances, To, check_readable, provenances_of
from api.forecasts.stored import Forecast
from api.formats.streams import EXPORT, exported
from api.installation import Context, RequestContext
from api.instants import instant
from api.signals.lookup import find_signal

ROWS_OF_A_CHUNK = 2000


@get(
    "/v1/signals/{provider:str}/{name:str}/forecasts/export",
    guards=[anyone_with("read")],
    tags=["forecasts"],
    opt={EXPORT: True},
)
async def export_forecasts(
    request: Request[Any, Any, Any],
    provider: FromPath[str],
    name: FromPath[str],
    context: RequestContext,
    from_: From = None,
    to: To = None,
    provenance: Provenances = None,
) -> Stream:
    """Newest slot first; who may read what, as in GET .../forecasts."""
    filters = {
        "provenance": provenances_of(provenance),
        "from": instant("from", from_),
        "to": instant("to", to),
        "symbol": None,
        "horizon": None,
        "version": None,
        **stored.terms(context),
    }
    rows = chunks(context, provider, name, filters)
    return await exported(request, Forecast, rows, f"{provider}-{name}-forecasts")


async def chunks(
    context: Context, provider: str, name: str, filters: dict[str, Any]
) -> AsyncIterator[list[Forecast]]:
    """All of them; at least one chunk, which may be empty.

    Raises:
        Problem: not_found or subscription_required, also when it has come to that meanwhile.
    """
    cursor = None
    while True:
        at_once = replace(context, now=context.installation.clock())
        async with at_once.transaction() as connection:
            signal = await find_signal(connection, at_once, provider, name)
            await check_readable(connection, at_once, signal, filters)
            page = await stored.history(
                connection, filters | {"signal_id": signal.id}, ROWS_OF_A_CHUNK, cursor
            )
        yield page.items
        cursor = page.next
        if cursor is None:
            return
