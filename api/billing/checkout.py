"""GET|POST /checkout/{subscription_id}: the test payment's page, or the way to the real one."""

import html
import uuid
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, QueryParameter

from api.auth.guards import anyone
from api.auth.middleware import IGNORES_CREDENTIALS
from api.billing import checkout_links, inbox
from api.billing.inbox import PaymentEvent
from api.billing.manual import demand_allowed
from api.billing.providers import PAYABLE, demand_any, provider_of
from api.bodies import FORM_ROUTE
from api.installation import RequestContext
from api.problems import Problem
from api.subscriptions import stored
from api.subscriptions.stored import StoredSubscription

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
<form method="post"><button type="submit">Pay (test)</button>
<button type="submit" name="card" value="declined">Card declined (test)</button></form>
"""
DECLINED = "<p>The card was declined (test). {access}</p>"

DONE = "<p>Paid. Your access runs until {period_end}.</p>"
CLOSED = "<p>There is nothing to pay: the subscription is {state}.</p>"
BACK = '<p><a href="/subscriptions">Back to your subscriptions</a></p>'

Pass = Annotated[str | None, QueryParameter(name="pass", max_length=1000)]


@get("/checkout/{subscription_id:uuid}", guards=[anyone], opt=OPT, media_type="text/html",
     tags=["billing"])  # fmt: skip
async def show_checkout(
    subscription_id: FromPath[uuid.UUID], context: RequestContext, pass_: Pass = None
) -> Response[str]:
    """The page on which a subscription is paid, or the way to the payment provider's own."""
    demand_any(context)
    user_id = checkout_links.holder(context, subscription_id, pass_)
    async with context.installation.transaction(user_id, context.now) as connection:
        await stored.settle(connection, user_id, context.now)
        subscription = await stored.one(connection, user_id, subscription_id, context.now)
    provider = provider_of(context, subscription.payment_provider)
    if subscription.state in PAYABLE[subscription.payment_provider]:
        elsewhere = await provider.page(subscription)
        if elsewhere is not None:
            return Response("", status_code=303, headers={**HEADERS, "Location": elsewhere})
    return _page(subscription)


@post(
    "/checkout/{subscription_id:uuid}",
    status_code=200,
    guards=[anyone],
    opt=OPT,
    media_type="text/html",
    tags=["billing"],
)
async def pay_checkout(
    subscription_id: FromPath[uuid.UUID],
    request: Request[Any, Any, Any],
    context: RequestContext,
    pass_: Pass = None,
) -> Response[str]:
    """The test payment's two buttons: `card=declined` is the one that fails."""
    demand_any(context)
    user_id = checkout_links.holder(context, subscription_id, pass_)
    declined = await request.body() == b"card=declined"
    async with context.installation.transaction(user_id, context.now) as connection:
        await stored.settle(connection, user_id, context.now)
        before = await stored.one(connection, user_id, subscription_id, context.now)
        if before.payment_provider != "manual":
            raise Problem("wrong_payment_provider", "Open the link in a browser, and pay there.")
        demand_allowed(context.settings)
        if before.state in PAYABLE["manual"]:
            event = _event(before, declined=declined)
            await inbox.receive(connection, event, context.now, context.settings.grace)
        after = await stored.one(connection, user_id, subscription_id, context.now)
    return _page(after, declined=declined)


def _event(subscription: StoredSubscription, *, declined: bool) -> PaymentEvent:
    """One event per period paid for, however often the button is pressed; each refusal is one."""
    if declined:
        return PaymentEvent(
            f"declined:{uuid.uuid4()}", "payment.failed", subscription.id, subscription.user_id
        )
    return PaymentEvent(
        f"checkout:{subscription.id}:after:{subscription.period_end}",
        "checkout.paid",
        subscription.id,
        subscription.user_id,
    )


def _page(subscription: StoredSubscription, *, declined: bool = False) -> Response[str]:
    if subscription.state == "active":
        content = DONE.format(period_end=f"{subscription.period_end:%Y-%m-%d %H:%M} UTC")
    elif subscription.state in ("canceled", "expired"):
        content = CLOSED.format(state=subscription.state)
    else:
        price = f"{subscription.due_minor / 100:.2f}"
        content = FORM.format(price=price, currency=html.escape(subscription.currency))
        if declined:
            content = DECLINED.format(access=_access(subscription)) + content
    body = PAGE.format(signal=html.escape(subscription.signal), content=content + BACK)
    return Response(body, media_type="text/html", headers=HEADERS)


def _access(subscription: StoredSubscription) -> str:
    until = max(filter(None, (subscription.period_end, subscription.grace_until)), default=None)
    return f"Your access runs until {until:%Y-%m-%d %H:%M} UTC." if until else "Nothing is paid."
