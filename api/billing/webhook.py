"""POST /v1/billing/webhook/{provider}: events of payment providers.

`manual` signs with the installation's secret, as docs/subscriber/webhook.md shows:
`X-Signalbox-Signature: t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, "<t>.<body>")>`.
`stripe` signs in the same form, with its endpoint's secret, in `Stripe-Signature`.
"""

import hashlib
import hmac
import re
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, post
from litestar.params import FromPath, HeaderParameter

from api.auth.guards import anyone
from api.auth.middleware import IGNORES_CREDENTIALS
from api.billing import inbox, stripe_events
from api.billing.inbox import PaymentEvent
from api.billing.manual import demand_allowed
from api.installation import RequestContext
from api.problems import Problem

TOLERANCE_SECONDS = 300
FORM = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


class Receipt(msgspec.Struct, frozen=True):
    """`had_effect` is false for an event that came before, or came too late."""

    had_effect: bool


@post(
    "/v1/billing/webhook/{provider:str}",
    status_code=200,
    guards=[anyone],
    opt={IGNORES_CREDENTIALS: True},
    tags=["billing"],
)
async def receive_payment_event(
    provider: FromPath[str],
    request: Request[Any, Any, Any],
    context: RequestContext,
    signature: Annotated[
        str | None, HeaderParameter(name="X-Signalbox-Signature", max_length=200)
    ] = None,
    stripe_signature: Annotated[
        str | None, HeaderParameter(name="Stripe-Signature", max_length=1000)
    ] = None,
) -> Receipt:
    """Signed as the payment provider signs; each event has its effect once."""
    body = await request.body()
    account = context.installation.stripe
    if provider == "stripe" and account is not None:
        return Receipt(await stripe_events.receive(context, account, body, stripe_signature))
    if provider != "manual":
        raise Problem("not_found", f"There is no payment provider {provider} here.")
    demand_allowed(context.settings)
    _check_signature(context.installation.secret, signature, body, context.world_now)
    event = _event(body)
    async with context.transaction() as connection:
        grace = context.settings.grace
        return Receipt(await inbox.receive(connection, event, context.now, grace))


def _check_signature(secret: bytes, signature: str | None, body: bytes, now: datetime) -> None:
    parts = FORM.fullmatch(signature or "")
    if parts is None:
        raise Problem("invalid_signature", "Send X-Signalbox-Signature: t=<unix seconds>,v1=<hex>.")
    if abs(now.timestamp() - int(parts[1])) > TOLERANCE_SECONDS:
        raise Problem("invalid_signature", "Sign anew: t is more than five minutes off our clock.")
    expected = hmac.new(secret, parts[1].encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, parts[2]):
        raise Problem("invalid_signature", 'Sign HMAC-SHA256(secret, "<t>.<body>") in hex.')


def _event(body: bytes) -> PaymentEvent:
    try:
        return msgspec.json.decode(body, type=PaymentEvent)
    except msgspec.ValidationError as error:
        raise Problem("invalid_request", str(error)) from None
