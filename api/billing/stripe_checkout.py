"""What Stripe's Checkout is asked to collect."""

from api.installation import Context
from api.subscriptions.stored import StoredSubscription
from sql.payments.stripe.observe import OURS


def back(context: Context) -> str:
    """Where people go on after a page of Stripe's."""
    return f"{context.settings.api_url}/subscriptions"


async def session_form(context: Context, subscription: StoredSubscription) -> dict[str, str]:
    """A monthly subscription at the price agreed, with the trial that is due.

    The card is not known yet: one that had the trial ends it again (sql/payments/stripe/tell.py).
    """
    form = {
        "mode": "subscription",
        "success_url": back(context),
        "cancel_url": back(context),
        "client_reference_id": str(subscription.id),
        "payment_method_collection": "always",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": subscription.currency.lower(),
        "line_items[0][price_data][unit_amount]": str(subscription.amount_minor),
        "line_items[0][price_data][recurring][interval]": "month",
        "line_items[0][price_data][product_data][name]": f"Signalbox: {subscription.signal}",
        f"subscription_data[metadata][{OURS}]": str(subscription.id),
    }
    if days := await _trial_days(context, subscription):
        form["subscription_data[trial_period_days]"] = str(days)
    return form


async def _trial_days(context: Context, subscription: StoredSubscription) -> int:
    async with context.installation.transaction(subscription.user_id, context.now) as connection:
        found = await connection.execute(
            "select o.trial_days from billing.subscription s"
            " join billing.price o on o.id = s.price_id"
            " where s.id = %s and billing.trial_is_free(s.signal_id, s.user_id, s.email_mark)",
            [subscription.id],
        )
        row = await found.fetchone()
    return int(row[0]) if row else 0
