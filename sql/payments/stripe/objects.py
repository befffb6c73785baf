"""Stripe's objects, as far as we read them; of API version `client.VERSION`. Times are Unix."""

import msgspec


class Object(msgspec.Struct, frozen=True, kw_only=True):
    """What an event speaks of."""

    object: str
    id: str = ""


class EventData(msgspec.Struct, frozen=True):
    object: Object


class Event(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    type: str
    created: int
    livemode: bool
    data: EventData


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A Checkout session; `url` while it is open."""

    id: str
    url: str | None = None
    subscription: str | None = None


class PortalSession(msgspec.Struct, frozen=True, kw_only=True):
    url: str


class Card(msgspec.Struct, frozen=True, kw_only=True):
    fingerprint: str | None = None


class PaymentMethod(msgspec.Struct, frozen=True, kw_only=True):
    card: Card | None = None


class Price(msgspec.Struct, frozen=True, kw_only=True):
    unit_amount: int
    currency: str
    product: str


class Item(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    price: Price


class Items(msgspec.Struct, frozen=True, kw_only=True):
    data: list[Item]


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """With `default_payment_method` expanded."""

    id: str
    status: str
    customer: str
    metadata: dict[str, str]
    cancel_at_period_end: bool
    items: Items
    trial_start: int | None = None
    trial_end: int | None = None
    ended_at: int | None = None
    latest_invoice: str | None = None
    default_payment_method: PaymentMethod | None = None


class Period(msgspec.Struct, frozen=True, kw_only=True):
    start: int
    end: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    period: Period


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    data: list[Line]


class Transitions(msgspec.Struct, frozen=True, kw_only=True):
    paid_at: int | None = None


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """`balance` below zero is credit that its next invoice takes off, in minor units."""

    id: str
    balance: int = 0


class Invoice(msgspec.Struct, frozen=True, kw_only=True):
    """`starting_balance` and `ending_balance`: the customer's, around this invoice."""

    id: str
    status: str
    amount_paid: int
    currency: str
    attempt_count: int
    lines: Lines
    status_transitions: Transitions
    subscription: str | None = None
    charge: str | None = None
    starting_balance: int = 0
    ending_balance: int | None = None

    @property
    def credit_used(self) -> int:
        """Minor units that were not charged because the customer had credit."""
        if self.ending_balance is None:
            return 0
        return max(0, self.ending_balance - self.starting_balance)


class BalanceTransaction(msgspec.Struct, frozen=True, kw_only=True):
    fee: int = 0


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """With `balance_transaction` expanded."""

    id: str
    invoice: str | None = None
    payment_method_details: PaymentMethod | None = None
    balance_transaction: BalanceTransaction | None = None


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    amount: int
    status: str
    created: int
    charge: str | None = None


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    amount: int
    status: str
    created: int
    charge: str
    balance_transactions: list[BalanceTransaction] = []
