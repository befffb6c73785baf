"""GET .../forecasts, .../forecasts/latest, GET /v1/forecasts/latest.

What is past its reveal delay is everybody's, with the same provenance; what is not is
for those who are entitled. A range that reaches into both is refused to the others, who
are told where the public part ends: an answer never looks complete where it is not.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, get_args

import psycopg
from litestar import Router, get
from litestar.params import FromPath, QueryParameter

from api.auth.guards import anyone_with, signed_in
from api.forecasts import stored
from api.forecasts.stored import Forecast, Provenance
from api.formats.answers import ETAG, TABLE, Table
from api.installation import Context, RequestContext
from api.instants import instant
from api.pages import Cursor, Limit, Page
from api.problems import Problem, invalid_field
from api.signals.lookup import KnownSignal, find_signal, find_version

BY_DEFAULT = ["live", "late"]
ROWS = Table(Forecast)

From = Annotated[datetime | None, QueryParameter(name="from", description="as_of at or after")]
To = Annotated[datetime | None, QueryParameter(description="as_of before")]
Provenances = Annotated[
    str | None,
    QueryParameter(max_length=60, description="live, late, replayed, backfilled; by commas"),
]


@get("/", guards=[anyone_with("read")], opt={TABLE: ROWS, ETAG: True})
async def list_forecasts(
    provider: FromPath[str],
    name: FromPath[str],
    context: RequestContext,
    from_: From = None,
    to: To = None,
    symbol: Annotated[str | None, QueryParameter(max_length=32)] = None,
    horizon: Annotated[int | None, QueryParameter(ge=1, le=168)] = None,
    provenance: Provenances = None,
    version: Annotated[str | None, QueryParameter(max_length=40)] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Forecast]:
    """Newest slot first; `live` and `late` unless `provenance` asks for others.

    Without a subscription: slots that are revealed, when `to` leaves out the others.
    """
    filters = {
        "provenance": provenances_of(provenance),
        "from": instant("from", from_),
        "to": instant("to", to),
        "symbol": symbol,
        "horizon": horizon,
        "version": version,
        **stored.terms(context),
    }
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        await check_readable(connection, context, signal, filters)
        if version is not None:
            await find_version(connection, signal, version)
        return await stored.history(connection, filters | {"signal_id": signal.id}, limit, cursor)


@get("/latest", guards=[signed_in("read")], opt={TABLE: ROWS, ETAG: True})
async def latest_forecasts(
    provider: FromPath[str], name: FromPath[str], context: RequestContext
) -> Page[Forecast]:
    """Of its newest slot."""
    async with context.transaction() as connection:
        signal = await _entitled_signal(connection, context, provider, name)
        return Page(await stored.latest(connection, [signal.id], stored.terms(context)))


@get(
    "/v1/forecasts/latest",
    guards=[signed_in("read")],
    tags=["forecasts"],
    opt={TABLE: ROWS, ETAG: True},
)
async def my_latest_forecasts(context: RequestContext) -> Page[Forecast]:
    """The latest forecasts of everything I subscribe to, in one call."""
    async with context.transaction() as connection:
        signal_ids = await stored.subscribed(connection, context.person.user_id)
        return Page(await stored.latest(connection, signal_ids, stored.terms(context)))


async def _entitled_signal(
    connection: psycopg.AsyncConnection, context: Context, provider: str, name: str
) -> KnownSignal:
    signal = await find_signal(connection, context, provider, name)
    if not signal.entitled:
        raise _subscription_required(signal)
    return signal


async def check_readable(
    connection: psycopg.AsyncConnection,
    context: Context,
    signal: KnownSignal,
    filters: Mapping[str, Any],
) -> None:
    """Refuse a query that reaches what only subscribers may read.

    Raises:
        Problem: subscription_required.
    """
    if signal.entitled:
        return
    if signal.visibility != "public":
        raise _subscription_required(signal)
    until = await stored.revealed_until(connection, signal.id, context.now)
    if until is None or not set(filters["provenance"]) <= set(BY_DEFAULT):
        raise _subscription_required(signal)
    if filters["to"] is None or filters["to"] > until:
        raise _subscription_required(
            signal, f" Live and late slots before {until:%Y-%m-%dT%H:%M:%SZ} are public: send to=."
        )


def _subscription_required(signal: KnownSignal, public: str = "") -> Problem:
    return Problem(
        "subscription_required",
        f'Subscribe by POST /v1/subscriptions {{"signal": "{signal.signal}"}};'
        f" if you did, see GET /v1/subscriptions for what is unpaid or over.{public}",
    )


def provenances_of(written: str | None) -> list[str]:
    if written is None:
        return BY_DEFAULT
    names = written.split(",")
    known = get_args(Provenance)
    for name in names:
        if name not in known:
            raise invalid_field("provenance", f"{name!r} is none of {', '.join(known)}")
    return names


router = Router(
    "/v1/signals/{provider:str}/{name:str}/forecasts",
    route_handlers=[list_forecasts, latest_forecasts],
    tags=["forecasts"],
)
