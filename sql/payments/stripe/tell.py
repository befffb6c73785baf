"""What Stripe has to be told, where the two of us differ: ours decides who has access."""

from typing import Any, LiteralString

import msgspec

from sql.payments.stripe.client import StripeClient
from sql.payments.stripe.objects import Subscription

OPEN = ("incomplete", "trialing", "active", "past_due", "unpaid", "paused")

OURS: LiteralString = "select * from billing.as_we_have_it(%(id)s)"


class OurSubscription(msgspec.Struct, frozen=True):
    """A subscription as we have it; the amount is what its next period costs, in minor units."""

    state: str
    external_id: str | None
    cancel_at_period_end: bool
    amount_minor: int
    currency: str


def tell(stripe: StripeClient, theirs: Subscription, ours: OurSubscription) -> list[str]:
    """Make theirs say what ours says; what was told, in words.

    Raises:
        PaymentProviderError: nothing was told, or not all of it; tell again later.
    """
    if theirs.status not in OPEN:
        return []
    if ours.state in ("canceled", "expired") or ours.external_id not in (None, theirs.id):
        stripe.end(theirs.id)
        return [f"{theirs.id} ended: ours is {ours.state}"]
    told = []
    form = _changes(theirs, ours)
    for name, change in form.items():
        stripe.change(theirs.id, change)
        told.append(f"{theirs.id}: {name}")
    return told


def _changes(theirs: Subscription, ours: OurSubscription) -> dict[str, dict[str, Any]]:
    changes: dict[str, dict[str, Any]] = {}
    if ours.state == "incomplete" and theirs.status == "trialing":
        changes["no second trial"] = {"trial_end": "now"}
    if ours.cancel_at_period_end and not theirs.cancel_at_period_end:
        changes["ends with its period"] = {"cancel_at_period_end": "true"}
    item = theirs.items.data[0]
    agreed = (ours.amount_minor, ours.currency.lower())
    if (item.price.unit_amount, item.price.currency) != agreed:
        changes["the price agreed"] = {
            "items[0][id]": item.id,
            "items[0][price_data][unit_amount]": str(ours.amount_minor),
            "items[0][price_data][currency]": ours.currency.lower(),
            "items[0][price_data][product]": item.price.product,
            "items[0][price_data][recurring][interval]": "month",
            "proration_behavior": "none",
        }
    return changes
