"""GET|POST /v1/signals, GET|PATCH|DELETE .../{provider}/{name}, POST .../publish | unpublish."""

from typing import Annotated, Literal, LiteralString

import psycopg
from litestar import Router, delete, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from api import audit
from api.accounts.standing import demand_good_standing
from api.auth.guards import anyone, owner
from api.formats.answers import ETAG
from api.installation import Context, RequestContext
from api.pages import Cursor, Limit, Page
from api.rows import fetch_all
from api.signals import catalogue, search
from api.signals.catalogue import Signal
from api.signals.comparison import compare_signals, get_marginal
from api.signals.lookup import KnownSignal, KnownVersion, find_signal
from api.signals.making import change_signal, create_signal
from api.signals.moves import move
from api.signals.search import Filters, Sort

Visibility = Literal["public", "private"]

RUNNING: LiteralString = """
select id, version, state from registry.version
where signal_id = %s and state in ('live', 'offline') order by id
"""


@get("/", guards=[anyone], opt={ETAG: True})
async def list_signals(
    context: RequestContext,
    q: Annotated[
        str | None,
        QueryParameter(max_length=200, description="Words of provider, name, title, description"),
    ] = None,
    symbol: Annotated[str | None, QueryParameter(max_length=32)] = None,
    horizon: Annotated[int | None, QueryParameter(ge=1, le=168, description="Hours")] = None,
    provider: Annotated[str | None, QueryParameter(max_length=40, description="Handle")] = None,
    max_price_minor: Annotated[
        int | None, QueryParameter(ge=0, le=10**9, description="A month, in `currency` or EUR")
    ] = None,
    currency: Annotated[str | None, QueryParameter(pattern="^[A-Z]{3}$(?!\n)")] = None,
    trial: Annotated[bool | None, QueryParameter(description="Begins with a trial")] = None,
    min_live_days: Annotated[
        int | None, QueryParameter(ge=0, le=36500, description="Since the first live slot")
    ] = None,
    min_skill: Annotated[float | None, QueryParameter(ge=-1e9, le=1)] = None,
    max_drawdown: Annotated[
        float | None, QueryParameter(le=1, description="Share of the peak")
    ] = None,
    sort: FromQuery[Sort] = "newest",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Signal]:
    """Public signals that were ever live, and your own, with their headline numbers.

    `-desc` turns a sort around; what has no number comes last either way. `price` sorts offers
    in `currency`, or in EUR, and the others behind them; `live_age` begins with the youngest.
    """
    filters = Filters(
        q=q,
        symbol=symbol,
        horizon=horizon,
        provider=provider,
        max_price_minor=max_price_minor,
        currency=currency,
        trial=trial,
        min_live_days=min_live_days,
        min_skill=min_skill,
        max_drawdown=max_drawdown,
    )
    async with context.transaction() as connection:
        return await search.list_page(
            connection, context, filters, sort=sort, limit=limit, cursor=cursor
        )


@get("/{provider:str}/{name:str}", guards=[anyone], opt={ETAG: True})
async def get_signal(
    provider: FromPath[str], name: FromPath[str], context: RequestContext
) -> Signal:
    """With its offer and headline, as the catalogue has it."""
    async with context.transaction() as connection:
        known = await find_signal(connection, context, provider, name)
        return await catalogue.one(connection, context, known.id)


@post("/{provider:str}/{name:str}/publish", status_code=200, guards=[owner("push")])
async def publish_signal(
    provider: FromPath[str], name: FromPath[str], context: RequestContext
) -> Signal:
    """Put it into the catalogue, once a version was live."""
    return await _set_visibility(context, provider, name, "public")


@post("/{provider:str}/{name:str}/unpublish", status_code=200, guards=[owner("push")])
async def unpublish_signal(
    provider: FromPath[str], name: FromPath[str], context: RequestContext
) -> Signal:
    """Hide a signal from the catalogue; who subscribed to it keeps what they paid for."""
    return await _set_visibility(context, provider, name, "private")


@delete("/{provider:str}/{name:str}", status_code=200, guards=[owner("push")])
async def delete_signal(
    provider: FromPath[str], name: FromPath[str], context: RequestContext
) -> Signal:
    """Retire every version and unlist the signal. Nothing is erased: its record stays."""
    async with context.transaction() as connection:
        known = await find_signal(connection, context, provider, name)
        for version in await fetch_all(connection, KnownVersion, RUNNING, [known.id]):
            await move(connection, context, known, version, "retired", "its signal was deleted")
        await _change_visibility(connection, context, known, "private")
        return await catalogue.one(connection, context, known.id)


async def _set_visibility(
    context: Context, provider: str, name: str, visibility: Visibility
) -> Signal:
    async with context.transaction() as connection:
        if visibility == "public":
            await demand_good_standing(connection, context)
        known = await find_signal(connection, context, provider, name)
        await _change_visibility(connection, context, known, visibility)
        return await catalogue.one(connection, context, known.id)


async def _change_visibility(
    connection: psycopg.AsyncConnection, context: Context, signal: KnownSignal, to: Visibility
) -> None:
    """With its event; nothing is noted where nothing changes."""
    if signal.visibility == to:
        return
    actor = context.person
    await connection.execute(
        "update registry.signal set visibility = %s where id = %s", [to, signal.id]
    )
    await connection.execute(
        "insert into registry.signal_event (signal_id, at, actor_id, to_visibility, why)"
        " values (%s, %s, %s, %s, %s)",
        [signal.id, context.now, actor.user_id, to, f"by its provider {actor.handle}"],
    )
    await audit.record(connection, context.now, actor.user_id, f"signal.{to}", signal.signal)


router = Router(
    "/v1/signals",
    route_handlers=[
        *(list_signals, create_signal, get_signal, change_signal),
        *(publish_signal, unpublish_signal, delete_signal, compare_signals, get_marginal),
    ],
    tags=["signals"],
)
