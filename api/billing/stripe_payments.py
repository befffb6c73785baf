"""The payment provider `stripe`, which keeps cards, collects, and tries again by itself."""

import asyncio
import logging

from api.billing.stripe_checkout import back, session_form
from api.installation import Context
from api.problems import Problem
from api.subscriptions.stored import StoredSubscription
from sql.payments.errors import PaymentProviderError, RefusedError
from sql.payments.stripe.client import StripeClient

logger = logging.getLogger(__name__)


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
        try:
            theirs = await asyncio.to_thread(self._client.subscription, subscription.external_id)
            return (
                await asyncio.to_thread(self._client.portal, theirs.customer, back(self._context))
            ).url
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
