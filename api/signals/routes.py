"""GET /v1/signals, GET .../{provider}/{name}, POST .../publish | unpublish."""

from typing import Annotated, Literal

from litestar import Router, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from api import audit
from api.auth.guards import anyone, owner
from api.installation import Context, RequestContext
from api.pages import Cursor, Limit, Page
from api.signals import catalogue
from api.signals.catalogue import Signal, Sort
from api.signals.lookup import find_signal


@get("/", guards=[anyone])
async def list_signals(
    context: RequestContext,
    q: Annotated[str | None, QueryParameter(max_length=200)] = None,
    symbol: Annotated[str | None, QueryParameter(max_length=32)] = None,
    sort: FromQuery[Sort] = "newest",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Signal]:
    async with context.transaction() as connection:
        return await catalogue.list_page(
            connection, context, q=q, symbol=symbol, sort=sort, limit=limit, cursor=cursor
        )


@get("/{provider:str}/{name:str}", guards=[anyone])
async def get_signal(
    provider: FromPath[str], name: FromPath[str], context: RequestContext
) -> Signal:
    async with context.transaction() as connection:
        known = await find_signal(connection, context, provider, name)
        return await catalogue.one(connection, context, known.id)


@post("/{provider:str}/{name:str}/publish", status_code=200, guards=[owner("push")])
async def publish_signal(
    provider: FromPath[str], name: FromPath[str], context: RequestContext
) -> Signal:
    return await _set_visibility(context, provider, name, "public")


@post("/{provider:str}/{name:str}/unpublish", status_code=200, guards=[owner("push")])
async def unpublish_signal(
    provider: FromPath[str], name: FromPath[str], context: RequestContext
) -> Signal:
    """Hide a signal from the catalogue; who subscribed to it keeps what they paid for."""
    return await _set_visibility(context, provider, name, "private")


async def _set_visibility(
    context: Context, provider: str, name: str, visibility: Literal["public", "private"]
) -> Signal:
    async with context.transaction() as connection:
        known = await find_signal(connection, context, provider, name)
        await connection.execute(
            "update registry.signal set visibility = %s where id = %s", [visibility, known.id]
        )
        await audit.record(
            connection, context.now, context.person.user_id, f"signal.{visibility}", known.signal
        )
        return await catalogue.one(connection, context, known.id)


router = Router(
    "/v1/signals",
    route_handlers=[list_signals, get_signal, publish_signal, unpublish_signal],
    tags=["signals"],
)
