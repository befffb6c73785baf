"""The payment provider `manual`, in which no money moves."""

from api.problems import Problem
from api.settings import ApiSettings


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
