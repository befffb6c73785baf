"""Payment providers, as subscriptions see them.

`manual` is a page of ours on which no money moves; `stripe` keeps cards, collects and tries
again by itself. What they have to say comes through the inbox, whichever it is.
"""

from typing import Literal, Protocol

from api.billing import checkout_links
from api.billing.manual import ManualPayments, demand_allowed
from api.billing.stripe_payments import StripePayments
from api.installation import Context
from api.problems import Problem
from api.subscriptions.stored import State, StoredSubscription

Name = Literal["manual", "stripe"]

# With Stripe the card is known when a trial begins.
PAYABLE: dict[str, tuple[State, ...]] = {
    "manual": ("incomplete", "trialing", "past_due"),
    "stripe": ("incomplete", "past_due"),
}


class PaymentProvider(Protocol):
    """Who collects for a subscription."""

    async def page(self, subscription: StoredSubscription) -> str | None:
        """Where they do it, outside; None: on the page of ours.

        Raises:
            Problem: payment_provider_unavailable.
        """
        ...

    async def portal(self, subscription: StoredSubscription) -> str | None:
        """Where a subscriber looks after cards and receipts; None: there is no such page.

        Raises:
            Problem: payment_provider_unavailable.
        """
        ...

    async def end_with_period(self, subscription: StoredSubscription) -> None:
        """Tell of a cancellation that stands; what is not heard now is told again at night."""
        ...

    async def go_on(self, subscription: StoredSubscription) -> None:
        """Tell that a cancellation is taken back, before it is.

        Raises:
            Problem: payment_provider_unavailable; it still ends.
        """
        ...

    async def refund(self, payment: str, amount_minor: int, key: str) -> bool:
        """Send money back; False: nobody but us is to be told.

        Raises:
            Problem: payment_provider_unavailable or not_refundable.
        """
        ...


def provider_of(context: Context, name: str) -> PaymentProvider:
    """The payment provider of a subscription.

    Raises:
        Problem: manual_payments_disabled, or wrong_payment_provider: it is not set up any more.
    """
    if name == "manual":
        demand_allowed(context.settings)
        return ManualPayments()
    account = context.installation.stripe
    if account is None:
        raise Problem("wrong_payment_provider", f"{name} is not set up here; ask the operator.")
    return StripePayments(context, account.client)


def demand_any(context: Context) -> None:
    """Refuse where nobody could be paid.

    Raises:
        Problem: manual_payments_disabled.
    """
    if context.installation.stripe is None:
        demand_allowed(context.settings)


def chosen(context: Context, wanted: Name | None) -> Name:
    """The payment provider of a new subscription: the one asked for, else the one there is.

    Raises:
        Problem: manual_payments_disabled or wrong_payment_provider.
    """
    by_default: Name = "stripe" if context.installation.stripe else "manual"
    if context.settings.manual_payments_allowed:
        by_default = "manual"
    name = wanted or by_default
    provider_of(context, name)
    return name


def checkout_url(context: Context, subscription: StoredSubscription) -> str | None:
    """Where to pay, while there is something to pay."""
    if subscription.state not in PAYABLE[subscription.payment_provider]:
        return None
    return checkout_links.link(context, subscription.id, context.person.user_id)
