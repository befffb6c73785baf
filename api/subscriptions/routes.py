"""POST|GET /v1/subscriptions, POST /v1/subscriptions/{id}/cancel | resume."""

import uuid
from typing import Annotated

import psycopg
from litestar import Router, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from api import audit
from api.accounts.standing import demand_good_standing
from api.auth import accounts
from api.auth.guards import signed_in
from api.billing import providers
from api.bodies import Body
from api.installation import Context, RequestContext, not_signed_in
from api.pages import Page
from api.problems import Problem
from api.signals.lookup import KnownSignal, find_signal
from api.subscriptions import stored
from api.subscriptions.stored import StoredSubscription, SubscriptionFacts
from api.subscriptions.trial_marks import email_mark


class NewSubscription(Body, frozen=True):
    """`signal` is provider/name; `payment_provider` null is the one that this installation uses."""

    signal: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}/[a-z0-9-]{1,40}$(?!\n)")]
    payment_provider: providers.Name | None = None


class Subscription(SubscriptionFacts, frozen=True, kw_only=True):
    """`checkout_url` is where to pay, while there is something to pay."""

    checkout_url: str | None


@post("/", guards=[signed_in()])
async def subscribe(data: JSONBody[NewSubscription], context: RequestContext) -> Subscription:
    """Begin the signal's trial if it has one and this is the first time, else await payment."""
    payment_provider = providers.chosen(context, data.payment_provider)
    provider, _, name = data.signal.partition("/")
    user_id = context.person.user_id
    async with context.transaction() as connection:
        await demand_good_standing(connection, context)
        signal = await find_signal(connection, context, provider, name)
        if signal.provider_id == user_id:
            raise Problem("own_signal", "You read your own signal's forecasts without subscribing.")
        await stored.settle(connection, user_id, context.now)
        subscription_id = await _open(connection, context, signal, payment_provider)
        await audit.record(
            connection, context.now, user_id, "subscription.create", str(subscription_id)
        )
        return await shown(connection, context, subscription_id)


async def _open(
    connection: psycopg.AsyncConnection,
    context: Context,
    signal: KnownSignal,
    payment_provider: providers.Name,
) -> uuid.UUID:
    agreed = await stored.terms(connection, signal.id, context.now)
    if agreed is None or signal.visibility != "public":
        raise Problem("no_offer", f"{signal.signal} takes no new subscribers; ask its provider.")
    person = await accounts.by_id(connection, context.person.user_id)
    if person is None:
        raise not_signed_in()
    mark = email_mark(context.installation.secret, person.email)
    try:
        return await stored.open_new(connection, signal.id, payment_provider, mark, context.now)
    except psycopg.errors.UniqueViolation:
        raise Problem(
            "already_subscribed",
            "GET /v1/subscriptions shows it, with its checkout_url if it is unpaid.",
        ) from None


@get("/", guards=[signed_in("read")])
async def list_subscriptions(context: RequestContext) -> Page[Subscription]:
    """Yours, whatever their state; with where to pay what is unpaid."""
    user_id = context.person.user_id
    async with context.transaction() as connection:
        await stored.settle(connection, user_id, context.now)
        found = await stored.of_person(connection, user_id, context.now)
    return Page([_shown(context, each) for each in found])


@post("/{subscription_id:uuid}/cancel", status_code=200, guards=[signed_in()])
async def cancel_subscription(
    subscription_id: FromPath[uuid.UUID], context: RequestContext
) -> Subscription:
    """Access goes on to the end of the period; what was never paid ends at once."""
    user_id = context.person.user_id
    async with context.transaction() as connection:
        before = await settled(connection, context, subscription_id)
        if not await stored.cancel(connection, subscription_id, context.now):
            raise _not_possible(f"it is {before.state} already; nothing needs canceling")
        await audit.record(
            connection, context.now, user_id, "subscription.cancel", str(subscription_id)
        )
        after = await stored.one(connection, user_id, subscription_id, context.now)
    if after.external_id is not None:
        await providers.provider_of(context, after.payment_provider).end_with_period(after)
    return _shown(context, after)


@post("/{subscription_id:uuid}/resume", status_code=200, guards=[signed_in()])
async def resume_subscription(
    subscription_id: FromPath[uuid.UUID], context: RequestContext
) -> Subscription:
    """Take back a cancellation while its period still runs."""
    user_id = context.person.user_id
    async with context.transaction() as connection:
        before = await settled(connection, context, subscription_id)
        if not await stored.resume(connection, subscription_id):
            raise _not_possible(
                f"it is {before.state} and no cancellation of yours is pending; if it is over,"
                " subscribe anew by POST /v1/subscriptions"
            )
        if before.external_id is not None:
            await providers.provider_of(context, before.payment_provider).go_on(before)
        await audit.record(
            connection, context.now, user_id, "subscription.resume", str(subscription_id)
        )
        return await shown(connection, context, subscription_id)


async def settled(
    connection: psycopg.AsyncConnection, context: Context, subscription_id: uuid.UUID
) -> StoredSubscription:
    """The person's subscription as of now.

    Raises:
        Problem: not_found.
    """
    user_id = context.person.user_id
    await stored.settle(connection, user_id, context.now)
    return await stored.one(connection, user_id, subscription_id, context.now)


async def shown(
    connection: psycopg.AsyncConnection, context: Context, subscription_id: uuid.UUID
) -> Subscription:
    user_id = context.person.user_id
    return _shown(context, await stored.one(connection, user_id, subscription_id, context.now))


def _shown(context: Context, subscription: StoredSubscription) -> Subscription:
    facts = {field: getattr(subscription, field) for field in SubscriptionFacts.__struct_fields__}
    return Subscription(**facts, checkout_url=providers.checkout_url(context, subscription))


def _not_possible(why: str) -> Problem:
    return Problem("invalid_subscription_state", f"Nothing was changed: {why}.")


router = Router(
    "/v1/subscriptions",
    route_handlers=[subscribe, list_subscriptions, cancel_subscription, resume_subscription],
    tags=["subscriptions"],
)
