"""POST|GET /v1/subscriptions, POST /v1/subscriptions/{id}/cancel | resume."""

import uuid
from typing import Annotated, Literal

import msgspec
import psycopg
from litestar import Router, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from api import audit
from api.accounts.standing import demand_good_standing
from api.auth.guards import signed_in
from api.billing import checkout_links
from api.billing.manual import demand_allowed
from api.bodies import Body
from api.installation import Context, RequestContext
from api.pages import Page
from api.problems import Problem
from api.signals.lookup import KnownSignal, find_signal
from api.subscriptions import stored
from api.subscriptions.stored import PAYABLE, StoredSubscription


class NewSubscription(Body, frozen=True):
    """`signal` is provider/name."""

    signal: Annotated[str, Meta(pattern=r"^[^/\s]+/[^/\s]+$(?!\n)", max_length=100)]
    payment_provider: Literal["manual"] = "manual"


class Subscription(StoredSubscription, frozen=True, kw_only=True):
    """`checkout_url` is where to pay, while there is something to pay."""

    checkout_url: str | None


@post("/", guards=[signed_in()])
async def subscribe(data: JSONBody[NewSubscription], context: RequestContext) -> Subscription:
    """Begin the signal's trial if it has one and this is the first time, else await payment."""
    demand_allowed(context.settings)
    provider, _, name = data.signal.partition("/")
    user_id = context.person.user_id
    async with context.transaction() as connection:
        await demand_good_standing(connection, context)
        signal = await find_signal(connection, context, provider, name)
        if signal.provider_id == user_id:
            raise Problem("own_signal", "You read your own signal's forecasts without subscribing.")
        await stored.settle(connection, user_id, context.now)
        subscription_id = await _open(connection, context, signal)
        await audit.record(
            connection, context.now, user_id, "subscription.create", str(subscription_id)
        )
        return _shown(context, await stored.one(connection, user_id, subscription_id))


async def _open(
    connection: psycopg.AsyncConnection, context: Context, signal: KnownSignal
) -> uuid.UUID:
    user_id = context.person.user_id
    agreed = await stored.terms(connection, user_id, signal.id, context.now)
    if agreed is None or signal.visibility != "public":
        raise Problem("no_offer", f"{signal.signal} takes no new subscribers; ask its provider.")
    try:
        return await stored.open_new(connection, user_id, signal.id, agreed, context.now)
    except psycopg.errors.UniqueViolation:
        raise Problem(
            "already_subscribed",
            "GET /v1/subscriptions shows it, with its checkout_url if it is unpaid.",
        ) from None


@get("/", guards=[signed_in("read")])
async def list_subscriptions(context: RequestContext) -> Page[Subscription]:
    user_id = context.person.user_id
    async with context.transaction() as connection:
        await stored.settle(connection, user_id, context.now)
        found = await stored.of_person(connection, user_id)
    return Page([_shown(context, each) for each in found])


@post("/{subscription_id:uuid}/cancel", status_code=200, guards=[signed_in()])
async def cancel_subscription(
    subscription_id: FromPath[uuid.UUID], context: RequestContext
) -> Subscription:
    """Access goes on to the end of the period; what was never paid ends at once."""
    user_id = context.person.user_id
    async with context.transaction() as connection:
        before = await _settled(connection, context, subscription_id)
        if not await stored.cancel(connection, subscription_id):
            raise _not_possible(f"it is {before.state} already; nothing needs canceling")
        await audit.record(
            connection, context.now, user_id, "subscription.cancel", str(subscription_id)
        )
        return _shown(context, await stored.one(connection, user_id, subscription_id))


@post("/{subscription_id:uuid}/resume", status_code=200, guards=[signed_in()])
async def resume_subscription(
    subscription_id: FromPath[uuid.UUID], context: RequestContext
) -> Subscription:
    user_id = context.person.user_id
    async with context.transaction() as connection:
        before = await _settled(connection, context, subscription_id)
        if not await stored.resume(connection, subscription_id):
            raise _not_possible(
                f"it is {before.state} and no cancellation is pending; if it is over,"
                " subscribe anew by POST /v1/subscriptions"
            )
        await audit.record(
            connection, context.now, user_id, "subscription.resume", str(subscription_id)
        )
        return _shown(context, await stored.one(connection, user_id, subscription_id))


async def _settled(
    connection: psycopg.AsyncConnection, context: Context, subscription_id: uuid.UUID
) -> StoredSubscription:
    user_id = context.person.user_id
    await stored.settle(connection, user_id, context.now)
    return await stored.one(connection, user_id, subscription_id)


def _not_possible(why: str) -> Problem:
    return Problem("invalid_subscription_state", f"Nothing was changed: {why}.")


def _shown(context: Context, subscription: StoredSubscription) -> Subscription:
    fields = msgspec.structs.asdict(subscription)
    url = None
    if subscription.state in PAYABLE:
        url = checkout_links.link(context, subscription.id, context.person.user_id)
    return Subscription(**fields, checkout_url=url)


router = Router(
    "/v1/subscriptions",
    route_handlers=[subscribe, list_subscriptions, cancel_subscription, resume_subscription],
    tags=["subscriptions"],
)
