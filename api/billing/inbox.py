"""Events of payment providers, from the inbox to their effect.

The inbox stores each event once, and each has its turn once (sql/functions/payments.sql).
An event of `manual` says itself what happened; see api/billing/stripe_events.py for Stripe.
"""

import uuid
from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec
import psycopg
from msgspec import Meta

from api import audit
from api.problems import Problem
from sql.payments import inbox
from sql.payments.effects import ChargedBack, Effect, Failed, Paid, Refunded

Kind = Literal["checkout.paid", "payment.failed", "payment.refunded", "payment.charged_back"]


class PaymentEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the payment provider `manual` tells us.

    Attributes:
        id: the payment provider's id of the event.
        user_id: the subscriber.
        paid: of money that goes back: the id of the event by which it was paid.
        amount_minor: of money that goes back; None: all of it.
    """

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    kind: Kind
    subscription_id: uuid.UUID
    user_id: uuid.UUID
    paid: Annotated[str, Meta(max_length=200)] | None = None
    amount_minor: Annotated[int, Meta(ge=1, le=10**12)] | None = None


async def receive(
    connection: psycopg.AsyncConnection, event: PaymentEvent, now: datetime, grace: timedelta
) -> bool:
    """Store an event of `manual` and apply it; whether it changed anything."""
    payload = msgspec.to_builtins(event)
    await store(connection, "manual", event.id, event.kind, payload, now)
    effects = [_effect(event)]
    return await apply(connection, "manual", event.id, event.kind, effects, now, grace)


async def store(
    connection: psycopg.AsyncConnection,
    provider: str,
    event: str,
    kind: str,
    payload: dict[str, object],
    now: datetime,
) -> None:
    await connection.execute(*inbox.store(provider, event, kind, payload, now))


async def apply(
    connection: psycopg.AsyncConnection,
    provider: str,
    event: str,
    kind: str,
    effects: list[Effect],
    now: datetime,
    grace: timedelta,
) -> bool:
    """Give a stored event its turn, on the record; whether it changed anything.

    Raises:
        Problem: wrong_payment_provider; another one keeps the subscription.
    """
    try:
        row = await (
            await connection.execute(*inbox.apply(provider, event, effects, now, grace))
        ).fetchone()
    except psycopg.errors.CheckViolation as error:
        if error.diag.constraint_name == "subscription_payment_provider":
            raise Problem("wrong_payment_provider", "Nothing was changed by the event.") from None
        raise
    had_effect = bool(row and row[0])
    for subject, owner in sorted(
        {(str(effect.subscription), effect.user) for effect in effects}, key=str
    ):
        await audit.record(
            connection, now, None, kind, subject,
            # An event may name somebody who does not exist.
            owner_id=owner if had_effect else None,
            provider=provider, event=event, had_effect=had_effect,
        )  # fmt: skip
    return had_effect


def _effect(event: PaymentEvent) -> Effect:
    ours, whose, reference = event.subscription_id, event.user_id, event.id
    paid, amount = event.paid or "", event.amount_minor
    match event.kind:
        case "checkout.paid":
            return Paid(subscription=ours, user=whose, reference=reference)
        case "payment.failed":
            return Failed(subscription=ours, user=whose, reference=reference, attempt=reference)
        case "payment.refunded":
            return Refunded(
                subscription=ours, user=whose, reference=reference, paid_reference=paid,
                amount_minor=amount,
            )  # fmt: skip
        case "payment.charged_back":
            return ChargedBack(
                subscription=ours, user=whose, reference=reference, paid_reference=paid,
                amount_minor=amount,
            )  # fmt: skip
