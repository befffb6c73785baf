"""Stripe's HTTP API, as far as we use it; blocking: the API calls it in a thread."""

from collections.abc import Iterator
from typing import Any, TypeVar

import httpx
import msgspec

from sql.payments.errors import RefusedError, UnavailableError
from sql.payments.stripe.objects import (
    Charge,
    Customer,
    Dispute,
    Invoice,
    Object,
    PortalSession,
    Refund,
    Session,
    Subscription,
)

# Later versions moved the period and the charge elsewhere; objects.py is of this one.
VERSION = "2024-06-20"
PAGE = 100
CLIENT_ERRORS = range(400, 500)
TRY_AGAIN = (409, 429)

T = TypeVar("T")
Form = dict[str, str]


class StripeClient:
    """One account at Stripe.

    Attributes:
        livemode: real money moves; by the key.
    """

    def __init__(self, url: str, key: str) -> None:
        self.livemode = "_live_" in key
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}", "Stripe-Version": VERSION},
            timeout=10,
            # Settings of the machine must not send the key elsewhere.
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def session(self, session_id: str) -> Session:
        return self._ask("GET", f"/v1/checkout/sessions/{session_id}", Session)

    def subscription(self, subscription_id: str) -> Subscription:
        form = {"expand[]": "default_payment_method"}
        return self._ask("GET", f"/v1/subscriptions/{subscription_id}", Subscription, form)

    def customer(self, customer_id: str) -> Customer:
        return self._ask("GET", f"/v1/customers/{customer_id}", Customer)

    def invoice(self, invoice_id: str) -> Invoice:
        return self._ask("GET", f"/v1/invoices/{invoice_id}", Invoice)

    def charge(self, charge_id: str) -> Charge:
        form = {"expand[]": "balance_transaction"}
        return self._ask("GET", f"/v1/charges/{charge_id}", Charge, form)

    def refund(self, refund_id: str) -> Refund:
        return self._ask("GET", f"/v1/refunds/{refund_id}", Refund)

    def dispute(self, dispute_id: str) -> Dispute:
        return self._ask("GET", f"/v1/disputes/{dispute_id}", Dispute)

    def refunds_of(self, charge_id: str) -> list[Refund]:
        return list(self._all("/v1/refunds", Refund, {"charge": charge_id}))

    def subscriptions(self) -> Iterator[Subscription]:
        """All there are, also those that are over."""
        form = {"status": "all", "expand[]": "data.default_payment_method"}
        return self._all("/v1/subscriptions", Subscription, form)

    def invoices(self, since: int) -> Iterator[Invoice]:
        return self._all("/v1/invoices", Invoice, {"created[gte]": str(since)})

    def refunds(self, since: int) -> Iterator[Refund]:
        return self._all("/v1/refunds", Refund, {"created[gte]": str(since)})

    def disputes(self, since: int) -> Iterator[Dispute]:
        return self._all("/v1/disputes", Dispute, {"created[gte]": str(since)})

    def check_out(self, form: Form, key: str) -> Session:
        return self._ask("POST", "/v1/checkout/sessions", Session, form, key)

    def portal(self, customer: str, return_url: str) -> PortalSession:
        form = {"customer": customer, "return_url": return_url}
        return self._ask("POST", "/v1/billing_portal/sessions", PortalSession, form)

    def change(self, subscription_id: str, form: Form) -> Subscription:
        whole = form | {"expand[]": "default_payment_method"}
        return self._ask("POST", f"/v1/subscriptions/{subscription_id}", Subscription, whole)

    def end(self, subscription_id: str) -> None:
        self._ask("DELETE", f"/v1/subscriptions/{subscription_id}", Object)

    def give_back(self, charge_id: str, amount_minor: int, key: str) -> Refund:
        form = {"charge": charge_id, "amount": str(amount_minor)}
        return self._ask("POST", "/v1/refunds", Refund, form, key)

    def credit(self, customer_id: str, amount_minor: int, currency: str, key: str) -> None:
        """Take `amount_minor` off what the customer is invoiced next."""
        form = {"amount": str(-amount_minor), "currency": currency.lower()}
        path = f"/v1/customers/{customer_id}/balance_transactions"
        self._ask("POST", path, Object, form, key)

    def _all(self, path: str, kind: type[T], form: Form) -> Iterator[T]:
        after: Form = {}
        while True:
            page = self._ask("GET", path, dict[str, Any], form | after | {"limit": str(PAGE)})
            yield from (msgspec.convert(one, kind) for one in page["data"])
            if not page["has_more"]:
                return
            after = {"starting_after": page["data"][-1]["id"]}

    def _ask(
        self,
        method: str,
        path: str,
        kind: type[T],
        form: Form | None = None,
        key: str | None = None,
    ) -> T:
        """The answer to one request; what is created under a key is created once.

        Raises:
            UnavailableError: try again later.
            RefusedError: it would be refused again.
        """
        headers = {"Idempotency-Key": key} if key else {}
        values = {"data" if method == "POST" else "params": form}
        try:
            answer = self._http.request(method, path, headers=headers, **values)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            raise UnavailableError(f"Stripe does not answer: {type(error).__name__}") from error
        if answer.status_code in CLIENT_ERRORS and answer.status_code not in TRY_AGAIN:
            raise RefusedError(f"Stripe refuses {method} {path}: {_message(answer)}")
        if not answer.is_success:
            raise UnavailableError(f"Stripe answers {answer.status_code} to {method} {path}")
        return msgspec.json.decode(answer.content, type=kind)


def _message(answer: httpx.Response) -> str:
    """Stripe's own words for people; its answer holds more, which is not for logs."""
    try:
        return str(answer.json()["error"]["message"])[:200]
    except (ValueError, KeyError, TypeError):
        return str(answer.status_code)
