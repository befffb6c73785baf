"""Our credit for missed hours, put where Stripe takes it off its next invoice.

Stripe keeps a balance per customer. What is told is the difference between the credit that
our books hold and what Stripe knows of: its balance, and what its newest invoice has used
up but we have not booked. Read in this order, an invoice that is made meanwhile counts
twice at worst, and what lacks is told the next night; credit is never given twice.
"""

from collections.abc import Callable

import msgspec

from sql.payments.stripe.client import StripeClient
from sql.payments.stripe.objects import Invoice, Subscription

OPEN = ("trialing", "active", "past_due")


class OurCredit(msgspec.Struct, frozen=True):
    """In minor units of the subscription's currency."""

    usable_minor: int
    newest_is_booked: bool


def tell_credit(
    stripe: StripeClient, theirs: Subscription, ours: Callable[[str | None], OurCredit]
) -> list[str]:
    """Give the customer of `theirs` the credit that lacks there; what was told, in words.

    Args:
        stripe: the account.
        theirs: an open subscription; another's is left alone.
        ours: our credit, by the id of their newest invoice; asked last.

    Raises:
        PaymentProviderError: tell again later.
    """
    if theirs.status not in OPEN:
        return []
    balance = stripe.customer(theirs.customer).balance
    newest = _newest(stripe, theirs)
    ours_now = ours(newest.id if newest else None)
    on_its_way = newest.credit_used if newest and not ours_now.newest_is_booked else 0
    lacking = ours_now.usable_minor - max(0, -balance) - on_its_way
    if lacking <= 0:
        return []
    currency = theirs.items.data[0].price.currency
    # The same again within a day is the same request, whose answer was lost.
    key = f"signalbox:credit:{theirs.customer}:{newest.id if newest else ''}:{balance}:{lacking}"
    stripe.credit(theirs.customer, lacking, currency, key)
    return [f"{theirs.id}: credit of {lacking} {currency.upper()} minor units"]


def _newest(stripe: StripeClient, theirs: Subscription) -> Invoice | None:
    """Read anew: `theirs` may be older than the balance."""
    latest = stripe.subscription(theirs.id).latest_invoice
    return stripe.invoice(latest) if latest else None
