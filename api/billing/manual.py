"""The payment provider `manual`, in which no money moves."""

from api.problems import Problem
from api.settings import ApiSettings
from api.subscriptions.stored import StoredSubscription


def demand_allowed(settings: ApiSettings) -> None:
    """Refuse where real money is expected.

    Raises:
        Problem: manual_payments_disabled.
    """
    if not settings.manual_payments_allowed:
        raise Problem(
            "manual_payments_disabled",
            "This is a production installation without a payment provider; its operator may set"
            " SIGNALBOX_ALLOW_MANUAL_PAYMENTS=true.",
        )


class ManualPayments:
    """As api/billing/providers.py asks for; nobody outside is to be told."""

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
