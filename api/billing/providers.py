"""Payment providers, as subscriptions see them.

`manual` is a page of ours on which no money moves; `stripe` keeps cards, collects and tries
again by itself. What they have to say comes through the inbox, whichever it is.
"""

import asyncio
import logging
from typing import Literal, Protocol

from api.billing import checkout_links
from api.billing.manual import demand_allowed
from api.billing.stripe_checkout import session_form
from api.installation import Context
from api.problems import Problem
from api.subscriptions.stored import State, StoredSubscription
from sql.payments.errors import PaymentProviderError, RefusedError
from sql.payments.stripe.client import StripeClient

logger = logging.getLogger(__name__)

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


class ManualPayments:
    """No money moves."""

    async def page(self, subscription: StoredSubscription) -> str | None:  # noqa: ARG002
        return None

    async def portal(self, subscription: StoredSubscription) -> str | None:  # noqa: ARG002
        return None

    async def end_with_period(self, subscription: StoredSubscription) -> None:
        pass

    async def go_on(self, subscription: StoredSubscription) -> None:
        pass

    async def refund(self, payment: str, amount_minor: int, key: str) -> bool:  # noqa: ARG002
        return False


class StripePayments:
    """Stripe's Checkout for the first payment, its portal afterwards."""

    def __init__(self, context: Context, client: StripeClient) -> None:
        self._context = context
        self._client = client

    async def page(self, subscription: StoredSubscription) -> str | None:
        if subscription.state != "incomplete":
            return await self.portal(subscription)
        form = await session_form(self._context, subscription)
        # Another link within the hour leads to the same session: one cannot pay in two.
        key = f"checkout:{subscription.id}:{self._context.world_now:%Y-%m-%dT%H}"
        try:
            return (await asyncio.to_thread(self._client.check_out, form, key)).url
        except PaymentProviderError as error:
            raise _unavailable(error) from error

    async def portal(self, subscription: StoredSubscription) -> str | None:
        if subscription.external_id is None:
            return None
        back = self._context.settings.api_url
        try:
            theirs = await asyncio.to_thread(self._client.subscription, subscription.external_id)
            return (await asyncio.to_thread(self._client.portal, theirs.customer, back)).url
        except PaymentProviderError as error:
            raise _unavailable(error) from error

    async def end_with_period(self, subscription: StoredSubscription) -> None:
        if subscription.external_id is None:
            return
        try:
            if subscription.state in ("canceled", "expired"):
                await asyncio.to_thread(self._client.end, subscription.external_id)
            else:
                form = {"cancel_at_period_end": "true"}
                await asyncio.to_thread(self._client.change, subscription.external_id, form)
        except PaymentProviderError:
            logger.warning("%s: its end is told to Stripe at night", subscription.id, exc_info=True)

    async def go_on(self, subscription: StoredSubscription) -> None:
        if subscription.external_id is None:
            return
        form = {"cancel_at_period_end": "false"}
        try:
            await asyncio.to_thread(self._client.change, subscription.external_id, form)
        except PaymentProviderError as error:
            raise _unavailable(error) from error

    async def refund(self, payment: str, amount_minor: int, key: str) -> bool:
        try:
            invoice = await asyncio.to_thread(self._client.invoice, payment)
            if invoice.charge is None:
                raise Problem("not_refundable", f"{payment} was paid without a charge.")
            await asyncio.to_thread(self._client.give_back, invoice.charge, amount_minor, key)
        except RefusedError as error:
            raise Problem("not_refundable", str(error)) from error
        except PaymentProviderError as error:
            raise _unavailable(error) from error
        return True


def _unavailable(error: PaymentProviderError) -> Problem:
    logger.error("%s", error)
    return Problem("payment_provider_unavailable", "Nothing was changed; try again in a minute.")


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
