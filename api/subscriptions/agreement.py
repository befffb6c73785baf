"""POST /v1/subscriptions/{id}/consent | portal: new terms, and the card that pays them."""

import uuid

import msgspec
from litestar import Router, post
from litestar.params import FromPath

from api import audit
from api.auth.guards import signed_in
from api.billing import providers
from api.installation import RequestContext
from api.problems import Problem
from api.subscriptions import stored
from api.subscriptions.routes import Subscription, settled, shown


class Portal(msgspec.Struct, frozen=True):
    """`url` is the payment provider's page for cards and receipts; it opens for a short time."""

    url: str


@post("/{subscription_id:uuid}/consent", status_code=200, guards=[signed_in()])
async def consent_to_offer(
    subscription_id: FromPath[uuid.UUID], context: RequestContext
) -> Subscription:
    """Accept the new price that `proposal` shows, for periods from its date on."""
    async with context.transaction() as connection:
        await settled(connection, context, subscription_id)
        if not await stored.consent(connection, subscription_id, context.now):
            raise Problem("no_proposal", "No new price is proposed; you keep the one you have.")
        await audit.record(
            connection,
            context.now,
            context.person.user_id,
            "subscription.consent",
            str(subscription_id),
        )
        return await shown(connection, context, subscription_id)


@post("/{subscription_id:uuid}/portal", status_code=200, guards=[signed_in()])
async def open_portal(subscription_id: FromPath[uuid.UUID], context: RequestContext) -> Portal:
    """Address of the payment provider's own page, to change a card or see receipts."""
    async with context.transaction() as connection:
        subscription = await settled(connection, context, subscription_id)
    provider = providers.provider_of(context, subscription.payment_provider)
    url = await provider.portal(subscription)
    if url is None:
        raise Problem(
            "invalid_subscription_state",
            f"Its payment provider {subscription.payment_provider} has no such page, or not before"
            " the first payment: see checkout_url.",
        )
    return Portal(url)


router = Router(
    "/v1/subscriptions", route_handlers=[consent_to_offer, open_portal], tags=["subscriptions"]
)
