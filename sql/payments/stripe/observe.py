"""From an object that something was heard of to what Stripe says of it now."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from sql.payments.effects import ChargedBack, Effect, Ended, Failed, Paid, Refunded, Renewal, Trial
from sql.payments.stripe.client import StripeClient
from sql.payments.stripe.objects import Charge, Dispute, Invoice, Object, Subscription

NAME = "stripe"
# Our id of a subscription, in the metadata of theirs.
OURS = "signalbox_subscription"
OVER = ("canceled", "incomplete_expired", "unpaid")
TAKEN_BACK = "lost"


def observe(stripe: StripeClient, heard: Object) -> list[Effect]:
    """What the object means now; nothing, where it is none of ours.

    Raises:
        PaymentProviderError: it could not be read.
    """
    reading = READINGS.get(heard.object)
    return reading(stripe, heard.id) if reading else []


def _of_session(stripe: StripeClient, session_id: str) -> list[Effect]:
    subscription = stripe.session(session_id).subscription
    return of_subscription(stripe, stripe.subscription(subscription)) if subscription else []


def of_subscription(stripe: StripeClient, theirs: Subscription) -> list[Effect]:
    """Its newest invoice first: what was paid before it ended was paid."""
    ours = _ours(theirs)
    if ours is None:
        return []
    effects: list[Effect] = []
    if theirs.status == "trialing" and theirs.trial_start and theirs.trial_end:
        card = theirs.default_payment_method.card if theirs.default_payment_method else None
        effects.append(
            Trial(
                subscription=ours,
                external_id=theirs.id,
                period_start=_instant(theirs.trial_start),
                period_end=_instant(theirs.trial_end),
                card=card.fingerprint if card else None,
            )
        )
    if theirs.latest_invoice:
        effects += _of_money(stripe, theirs, stripe.invoice(theirs.latest_invoice))
    return effects + _of_state(ours, theirs)


def of_invoice(stripe: StripeClient, invoice: Invoice) -> list[Effect]:
    if invoice.subscription is None:
        return []
    theirs = stripe.subscription(invoice.subscription)
    ours = _ours(theirs)
    return _of_money(stripe, theirs, invoice) + _of_state(ours, theirs) if ours else []


def of_charge(stripe: StripeClient, charge_id: str | None) -> list[Effect]:
    """The payment that it made, and what of it went back."""
    if charge_id is None:
        return []
    found = _paid_by(stripe, stripe.charge(charge_id))
    if found is None:
        return []
    invoice, theirs, ours = found
    return _of_money(stripe, theirs, invoice) + [
        Refunded(
            subscription=ours,
            external_id=theirs.id,
            at=_instant(refund.created),
            reference=refund.id,
            paid_reference=invoice.id,
            amount_minor=refund.amount,
        )
        for refund in stripe.refunds_of(charge_id)
        if refund.status == "succeeded"
    ]


def of_dispute(stripe: StripeClient, dispute: Dispute) -> list[Effect]:
    """Nothing until it is lost: who wins it keeps the money, and the subscriber the access."""
    found = _paid_by(stripe, stripe.charge(dispute.charge))
    if found is None or dispute.status != TAKEN_BACK:
        return []
    invoice, theirs, ours = found
    lost = ChargedBack(
        subscription=ours,
        external_id=theirs.id,
        at=_instant(dispute.created),
        reference=dispute.id,
        paid_reference=invoice.id,
        amount_minor=dispute.amount,
        fee_minor=sum(each.fee for each in dispute.balance_transactions),
    )
    return [*_of_money(stripe, theirs, invoice), lost]


def _paid_by(
    stripe: StripeClient, charge: Charge
) -> tuple[Invoice, Subscription, uuid.UUID] | None:
    if charge.invoice is None:
        return None
    invoice = stripe.invoice(charge.invoice)
    if invoice.subscription is None:
        return None
    theirs = stripe.subscription(invoice.subscription)
    ours = _ours(theirs)
    return (invoice, theirs, ours) if ours else None


def _of_money(stripe: StripeClient, theirs: Subscription, invoice: Invoice) -> list[Effect]:
    ours = _ours(theirs)
    if ours is None:
        return []
    # A trial's own invoice is of nothing, and buys nothing.
    is_free = theirs.items.data[0].price.unit_amount == 0
    paid_for = invoice.amount_paid + invoice.credit_used
    if invoice.status == "paid" and (paid_for > 0 or is_free):
        return [_paid(stripe, ours, theirs, invoice)]
    if invoice.status == "open" and invoice.attempt_count > 0:
        return [
            Failed(
                subscription=ours,
                external_id=theirs.id,
                reference=invoice.id,
                attempt=f"{invoice.id}:{invoice.attempt_count}",
            )
        ]
    return []


def _paid(stripe: StripeClient, ours: uuid.UUID, theirs: Subscription, invoice: Invoice) -> Paid:
    charge = stripe.charge(invoice.charge) if invoice.charge else None
    method = charge.payment_method_details if charge else None
    transaction = charge.balance_transaction if charge else None
    period = invoice.lines.data[-1].period
    paid_at = invoice.status_transitions.paid_at
    return Paid(
        subscription=ours,
        external_id=theirs.id,
        at=_instant(paid_at) if paid_at else None,
        reference=invoice.id,
        period_start=_instant(period.start),
        period_end=_instant(period.end),
        amount_minor=invoice.amount_paid,
        credit_minor=invoice.credit_used,
        currency=invoice.currency.upper(),
        fee_minor=transaction.fee if transaction else 0,
        card=method.card.fingerprint if method and method.card else None,
    )


def _of_state(ours: uuid.UUID, theirs: Subscription) -> list[Effect]:
    if theirs.status in OVER:
        at = _instant(theirs.ended_at) if theirs.ended_at else None
        return [Ended(subscription=ours, external_id=theirs.id, at=at)]
    ends = theirs.cancel_at_period_end
    return [Renewal(subscription=ours, external_id=theirs.id, ends=ends)]


def _ours(theirs: Subscription) -> uuid.UUID | None:
    try:
        return uuid.UUID(theirs.metadata.get(OURS, ""))
    except ValueError:
        return None


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


READINGS: dict[str, Callable[[StripeClient, str], list[Effect]]] = {
    "checkout.session": _of_session,
    "subscription": lambda stripe, id_: of_subscription(stripe, stripe.subscription(id_)),
    "invoice": lambda stripe, id_: of_invoice(stripe, stripe.invoice(id_)),
    "charge": of_charge,
    "refund": lambda stripe, id_: of_charge(stripe, stripe.refund(id_).charge),
    "dispute": lambda stripe, id_: of_dispute(stripe, stripe.dispute(id_)),
}
