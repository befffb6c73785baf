"""POST /v1/admin/refunds: money of an invoice back, by an operator."""

import uuid
from typing import Annotated, LiteralString

import msgspec
from litestar import post
from litestar.params import JSONBody
from msgspec import Meta

from api import audit
from api.auth.guards import operator
from api.billing import inbox
from api.billing.inbox import PaymentEvent
from api.billing.providers import provider_of
from api.bodies import Body
from api.installation import Context, RequestContext
from api.problems import Problem
from api.rows import fetch_one


class NewRefund(Body, frozen=True):
    """`amount_minor` null is all that did not go back yet."""

    invoice: Annotated[str, Meta(max_length=40)]
    amount_minor: Annotated[int, Meta(ge=1, le=10**12)] | None = None


class Refund(msgspec.Struct, frozen=True):
    """`is_booked` is false until the payment provider has told us that it was paid out."""

    invoice: str
    amount_minor: int
    payment_provider: str
    is_booked: bool


class FoundPayment(msgspec.Struct, frozen=True):
    provider: str
    reference: str
    subscription_id: uuid.UUID
    user_id: uuid.UUID
    left_minor: int


PAYMENT: LiteralString = "select * from billing.find_payment(%s)"


@post("/v1/admin/refunds", guards=[operator], tags=["billing"])
async def refund_payment(data: JSONBody[NewRefund], context: RequestContext) -> Refund:
    """The whole of a running period back ends the subscription at once."""
    payment, amount = await _refundable(context, data)
    key = f"refund:{data.invoice}:{payment.left_minor}:{amount}"
    provider = provider_of(context, payment.provider)
    is_outside = await provider.refund(payment.reference, amount, key)
    async with context.transaction_as(payment.user_id) as connection:
        await audit.record(
            connection,
            context.now,
            context.person.user_id,
            "payment.refund",
            data.invoice,
            amount_minor=amount,
            provider=payment.provider,
        )
        if not is_outside:
            event = PaymentEvent(
                id=key,
                kind="payment.refunded",
                subscription_id=payment.subscription_id,
                user_id=payment.user_id,
                paid=payment.reference,
                amount_minor=amount,
            )
            await inbox.receive(connection, event, context.now, context.settings.grace)
    return Refund(data.invoice, amount, payment.provider, is_booked=not is_outside)


async def _refundable(context: Context, data: NewRefund) -> tuple[FoundPayment, int]:
    async with context.transaction() as connection:
        payment = await fetch_one(connection, FoundPayment, PAYMENT, [data.invoice])
    if payment is None:
        raise Problem("not_found", f"No payment was made for an invoice {data.invoice}.")
    amount = payment.left_minor if data.amount_minor is None else data.amount_minor
    if not 0 < amount <= payment.left_minor:
        raise Problem("not_refundable", f"At most {payment.left_minor} can go back.")
    return payment, amount
