"""What an event of a payment provider means, in our words; applied by billing.apply_event.

An effect is absolute: it states what is, by the payment provider's own references, and
not what to add. That is why applying one again, or late, changes nothing.
"""

import uuid
from datetime import datetime
from typing import Any

import msgspec


class _Effect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """Of one subscription of ours.

    Attributes:
        user: its subscriber, where the event says so; another one's is left alone.
        external_id: the payment provider's id of the subscription.
        at: when it happened, UTC; None: now.
    """

    subscription: uuid.UUID
    user: uuid.UUID | None = None
    external_id: str | None = None
    at: datetime | None = None


class Paid(_Effect, frozen=True, kw_only=True, tag="paid"):
    """A paid invoice.

    Attributes:
        period_start: half-open with `period_end`; None: the month that is due.
        amount_minor: in money; None: what was agreed.
        credit_minor: of our credit, which the payment provider took off besides.
        fee_minor: what the payment provider keeps.
        card: its fingerprint.
    """

    reference: str
    period_start: datetime | None = None
    period_end: datetime | None = None
    amount_minor: int | None = None
    credit_minor: int = 0
    currency: str | None = None
    fee_minor: int = 0
    card: str | None = None


class Failed(_Effect, frozen=True, kw_only=True, tag="failed"):
    """A payment that was tried; `attempt` is another each time, `reference` the invoice."""

    reference: str
    attempt: str


class Trial(_Effect, frozen=True, kw_only=True, tag="trial"):
    """A trial that began with a card."""

    period_start: datetime
    period_end: datetime
    card: str | None = None


class Renewal(_Effect, frozen=True, kw_only=True, tag="renewal"):
    """Whether the subscription ends with its period."""

    ends: bool


class Ended(_Effect, frozen=True, kw_only=True, tag="ended"):
    """The subscription is over at the payment provider."""


class Refunded(_Effect, frozen=True, kw_only=True, tag="refunded"):
    """Money back; `amount_minor` None: all that is left of the payment."""

    reference: str
    paid_reference: str
    amount_minor: int | None = None


class ChargedBack(_Effect, frozen=True, kw_only=True, tag="charged_back"):
    """A dispute that was lost, and what the payment provider takes for it."""

    reference: str
    paid_reference: str
    amount_minor: int | None = None
    fee_minor: int = 0


Effect = Paid | Failed | Trial | Renewal | Ended | Refunded | ChargedBack


def as_json(effects: list[Effect]) -> list[dict[str, Any]]:
    """As billing.apply_event reads them: what is not known is not there.

    >>> as_json([Renewal(subscription=uuid.UUID(int=1), ends=True)])
    [{'kind': 'renewal', 'subscription': '00000000-0000-0000-0000-000000000001', 'ends': True}]
    """
    built: list[dict[str, Any]] = msgspec.to_builtins(effects)
    return built
