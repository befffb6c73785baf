"""An account at Stripe with a clock of its own: what it holds, and what time does to it.

Written from Stripe's documentation of API version 2024-06-20, not from our client: ids,
fields and orders of events are theirs. Its HTTP is in tests/fakes/stripe_server.py.
"""

import itertools
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

HOUR, DAY = 3600, 86400
MINIMUM_CHARGE = 50
# When a failed renewal is tried again, in seconds after the first attempt; then it is given up.
RETRIES = (3 * DAY, 5 * DAY, 7 * DAY)


@dataclass
class Card:
    """A subscriber's card; `is_good` may change at any time."""

    fingerprint: str
    is_good: bool = True


@dataclass
class FakeStripe:
    """All objects by id, as Stripe's API shows them, and the events that tell of them."""

    now: int
    url: str = ""
    objects: dict[str, dict] = field(default_factory=dict)
    events: list[dict] = field(default_factory=list)
    cards: dict[str, Card] = field(default_factory=dict)
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))
    livemode: bool = False

    def add(self, prefix: str, kind: str, **fields) -> dict:
        made = {"id": f"{prefix}_{next(self.numbers):06}", "object": kind, "created": self.now}
        made |= {"livemode": self.livemode, **fields}
        self.objects[made["id"]] = made
        return made

    def tell(self, kind: str, about: dict) -> dict:
        """An event as it would be delivered: with a copy of the object as it is now."""
        data = {"object": dict(about)}
        event = self.add("evt", "event", type=kind, api_version="2024-06-20", data=data)
        self.events.append(event)
        return event

    def all(self, kind: str) -> list[dict]:
        return [one for one in self.objects.values() if one["object"] == kind]

    def check_out(self, form: dict[str, str]) -> dict:
        session = self.add(
            "cs_test", "checkout.session", status="open", subscription=None, form=form
        )
        session["url"] = f"{self.url}/pay/{session['id']}"
        return session

    def pay(self, page: str, card: Card) -> dict | None:
        """A person enters a card at the checkout; None: it was declined."""
        session = self.objects[page.rpartition("/")[2]]
        form = session["form"]
        days = int(form.get("subscription_data[trial_period_days]", 0))
        if not card.is_good:
            return None
        customer = self.add("cus", "customer", balance=0)
        self.cards[customer["id"]] = card
        price = {
            "unit_amount": int(form["line_items[0][price_data][unit_amount]"]),
            "currency": form["line_items[0][price_data][currency]"],
            "product": self.add("prod", "product")["id"],
        }
        prefix = "subscription_data[metadata]["
        metadata = {k[len(prefix) : -1]: v for k, v in form.items() if k.startswith(prefix)}
        until = self.now + days * DAY if days else month_after(self.now)
        subscription = self.add(
            "sub", "subscription", status="trialing" if days else "incomplete",
            customer=customer["id"], metadata=metadata, cancel_at_period_end=False,
            items={"data": [{"id": f"si_{next(self.numbers)}", "price": price}]},
            current_period_start=self.now, current_period_end=until, ended_at=None,
            trial_start=self.now if days else None, trial_end=until if days else None,
            default_payment_method={"card": {"fingerprint": card.fingerprint}}, retry_at=None,
        )  # fmt: skip
        session |= {"status": "complete", "subscription": subscription["id"], "url": None}
        self.tell("checkout.session.completed", session)
        self.tell("customer.subscription.created", subscription)
        start = self.now
        self._collect(subscription, 0 if days else price["unit_amount"], start, until)
        return subscription

    def _collect(self, subscription: dict, amount: int, start: int, end: int) -> None:
        customer = self.objects[subscription["customer"]]
        balance, due = customer["balance"], max(0, amount + customer["balance"])
        # What is too little to charge is owed with the next one.
        due = 0 if due < MINIMUM_CHARGE else due
        customer["balance"] += amount - due
        invoice = self.add(
            "in", "invoice", subscription=subscription["id"], status="open", attempt_count=0,
            starting_balance=balance, ending_balance=customer["balance"], total=amount,
            amount_due=due, amount_paid=0, charge=None, attempted=False,
            currency=subscription["items"]["data"][0]["price"]["currency"],
            lines={"data": [{"period": {"start": start, "end": end}}]},
            status_transitions={"paid_at": None},
        )  # fmt: skip
        subscription["latest_invoice"] = invoice["id"]
        self.attempt(invoice)

    def attempt(self, invoice: dict) -> None:
        """Take the money, or fail to."""
        subscription = self.objects[invoice["subscription"]]
        card = self.cards[subscription["customer"]]
        invoice["attempt_count"] += 1
        if not card.is_good:
            subscription["status"] = "past_due"
            self.tell("invoice.payment_failed", invoice)
            self.tell("customer.subscription.updated", subscription)
            return
        if invoice["amount_due"]:
            fee = self.add(
                "txn", "balance_transaction", fee=invoice["amount_due"] * 29 // 1000 + 30
            )
            charge = self.add(
                "ch", "charge", invoice=invoice["id"], amount=invoice["amount_due"],
                payment_method_details={"card": {"fingerprint": card.fingerprint}},
                balance_transaction=fee,
            )  # fmt: skip
            invoice["charge"] = charge["id"]
        invoice |= {"status": "paid", "amount_paid": invoice["amount_due"]}
        invoice["status_transitions"] = {"paid_at": self.now}
        if subscription["status"] != "trialing" or invoice["total"]:
            subscription["status"] = "active"
        subscription["retry_at"] = None
        self.tell("invoice.paid", invoice)
        self.tell("customer.subscription.updated", subscription)

    def advance(self, to: int) -> None:
        """Let time pass: renewals an hour after their period, retries, and ends."""
        while True:
            due = sorted((self._next(one), one["id"]) for one in self.all("subscription"))
            due = [one for one in due if one[0] <= to]
            if not due:
                self.now = max(self.now, to)
                return
            at, subscription_id = due[0]
            self.now = max(self.now, at)
            self._happen(self.objects[subscription_id])

    def _next(self, subscription: dict) -> int:
        if subscription["status"] not in ("trialing", "active", "past_due"):
            return 1 << 60
        if subscription["retry_at"]:
            return subscription["retry_at"]
        ends = subscription["cancel_at_period_end"]
        return subscription["current_period_end"] + (0 if ends else HOUR)

    def _happen(self, subscription: dict) -> None:
        if subscription["retry_at"]:
            self._retry(subscription)
        elif subscription["cancel_at_period_end"]:
            self.end(subscription)
        else:
            start = subscription["current_period_end"]
            end = month_after(start)
            subscription |= {"current_period_start": start, "current_period_end": end}
            subscription["status"] = "active"
            amount = subscription["items"]["data"][0]["price"]["unit_amount"]
            self._collect(subscription, amount, start, end)
            if subscription["status"] == "past_due":
                subscription |= {"retry_at": self.now + RETRIES[0], "failed_at": self.now}

    def _retry(self, subscription: dict) -> None:
        invoice = self.objects[subscription["latest_invoice"]]
        self.attempt(invoice)
        if subscription["status"] == "active":
            return
        tried = invoice["attempt_count"] - 1
        if tried == len(RETRIES):
            self.end(subscription)
        else:
            subscription["retry_at"] = subscription["failed_at"] + RETRIES[tried]

    def end(self, subscription: dict) -> None:
        subscription |= {"status": "canceled", "ended_at": self.now, "retry_at": None}
        self.tell("customer.subscription.deleted", subscription)

    def change(self, subscription: dict, form: dict[str, str]) -> None:
        if "cancel_at_period_end" in form:
            subscription["cancel_at_period_end"] = form["cancel_at_period_end"] == "true"
        if form.get("trial_end") == "now" and subscription["status"] == "trialing":
            subscription |= {"trial_end": self.now, "current_period_end": self.now}
            self.tell("customer.subscription.updated", subscription)
            self._happen(subscription)
            return
        if "items[0][price_data][unit_amount]" in form:
            price = subscription["items"]["data"][0]["price"]
            price["unit_amount"] = int(form["items[0][price_data][unit_amount]"])
        self.tell("customer.subscription.updated", subscription)

    def refund(self, charge_id: str, amount: int) -> dict:
        charge = self.objects[charge_id]
        refund = self.add("re", "refund", charge=charge_id, amount=amount, status="succeeded")
        self.tell("charge.refunded", charge)
        return refund

    def dispute(self, charge_id: str, status: str = "needs_response") -> dict:
        charge = self.objects[charge_id]
        dispute = self.add(
            "dp", "dispute", charge=charge_id, amount=charge["amount"], status=status,
            balance_transactions=[{"fee": 1500}],
        )  # fmt: skip
        self.tell("charge.dispute.created", dispute)
        return dispute

    def lose(self, dispute: dict) -> None:
        dispute["status"] = "lost"
        self.tell("charge.dispute.closed", dispute)


def month_after(seconds: int) -> int:
    """The same day and time of the next month, or its last day."""
    at = datetime.fromtimestamp(seconds, UTC)
    first = (at.replace(day=1) + timedelta(days=32)).replace(day=1)
    day = min(at.day, monthrange(first.year, first.month)[1])
    return int(first.replace(day=day).timestamp())
