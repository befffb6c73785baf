"""GET|POST /checkout/{subscription_id}: the test payment's page."""

import html
import uuid
from typing import Annotated

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from api.auth.guards import anyone
from api.auth.middleware import IGNORES_CREDENTIALS
from api.billing import checkout_links, inbox
from api.billing.manual import demand_allowed
from api.bodies import FORM_ROUTE
from api.installation import RequestContext
from api.subscriptions import stored
from api.subscriptions.stored import PAYABLE, StoredSubscription

OPT = {IGNORES_CREDENTIALS: True, FORM_ROUTE: True}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Checkout - Signalbox</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:1rem/1.5 system-ui;max-width:32rem;margin:4rem auto;padding:0 1rem}}
strong{{background:#fd6;padding:.2rem .4rem}}button{{font:inherit;padding:.5rem 1rem}}</style>
</head><body><main><h1>{signal}</h1>
<p><strong>TEST PAYMENT - no money moves</strong></p>
{content}</main></body></html>
"""
FORM = """<p>{price} {currency} for one month.</p>
<form method="post"><button type="submit">Pay (test)</button></form>
"""
DONE = "<p>Paid. Your access runs until {period_end}. You may close this page.</p>"
CLOSED = "<p>There is nothing to pay: the subscription is {state}.</p>"

Pass = Annotated[str | None, QueryParameter(name="pass", max_length=1000)]


@get("/checkout/{subscription_id:uuid}", guards=[anyone], opt=OPT, tags=["billing"])
async def show_checkout(
    subscription_id: FromPath[uuid.UUID], context: RequestContext, pass_: Pass = None
) -> Response[str]:
    demand_allowed(context.settings)
    user_id = checkout_links.holder(context, subscription_id, pass_)
    async with context.installation.transaction(user_id, context.now) as connection:
        await stored.settle(connection, user_id, context.now)
        return _page(await stored.one(connection, user_id, subscription_id))


@post(
    "/checkout/{subscription_id:uuid}", status_code=200, guards=[anyone], opt=OPT, tags=["billing"]
)
async def pay_checkout(
    subscription_id: FromPath[uuid.UUID], context: RequestContext, pass_: Pass = None
) -> Response[str]:
    demand_allowed(context.settings)
    user_id = checkout_links.holder(context, subscription_id, pass_)
    async with context.installation.transaction(user_id, context.now) as connection:
        await stored.settle(connection, user_id, context.now)
        before = await stored.one(connection, user_id, subscription_id)
        if before.state in PAYABLE:
            event = inbox.PaymentEvent(_event_id(before), "checkout.paid", subscription_id, user_id)
            await inbox.receive(connection, "manual", event, context.now)
        return _page(await stored.one(connection, user_id, subscription_id))


def _event_id(subscription: StoredSubscription) -> str:
    """One event per period paid for, however often the button is pressed."""
    return f"checkout:{subscription.id}:after:{subscription.period_end}"


def _page(subscription: StoredSubscription) -> Response[str]:
    if subscription.state == "active":
        content = DONE.format(period_end=f"{subscription.period_end:%Y-%m-%d %H:%M} UTC")
    elif subscription.state in ("canceled", "expired"):
        content = CLOSED.format(state=subscription.state)
    else:
        price = f"{subscription.amount_minor / 100:.2f}"
        content = FORM.format(price=price, currency=html.escape(subscription.currency))
    body = PAGE.format(signal=html.escape(subscription.signal), content=content)
    return Response(body, media_type="text/html", headers=HEADERS)
