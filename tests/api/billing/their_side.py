"""What Stripe holds, for the lives of test_machine.py: subscriptions, invoices, what they mean."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from sql.payments.effects import ChargedBack, Ended, Failed, Paid, Refunded, Renewal, Trial

PRICE, FEE = 2900, 100


@dataclass
class Invoice:
    """One of Stripe's; `back` is what of it was refunded, by reference."""

    reference: str
    start: datetime
    end: datetime
    paid: bool
    attempts: int = 1
    back: dict[str, int] = field(default_factory=dict)
    lost: bool = False


@dataclass
class Theirs:
    """A subscription at Stripe."""

    ours: uuid.UUID
    external_id: str
    card: str
    trial: tuple[datetime, datetime] | None
    invoices: list[Invoice] = field(default_factory=list)
    ends: bool = False
    ended_at: datetime | None = None

    def effects(self, heard="all"):
        """As sql/payments/stripe/observe.py would read it now, of what was heard of."""
        who = {"subscription": self.ours, "external_id": self.external_id}
        said = []
        if self.trial and not self.invoices and not self.ended_at:
            start, end = self.trial
            said.append(Trial(**who, period_start=start, period_end=end, card=self.card))
        chosen = {"all": self.invoices, "first": self.invoices[:1], "last": self.invoices[-1:]}
        for one in chosen.get(heard, []):
            said += self.of_invoice(one, who)
        if self.ended_at:
            return [*said, Ended(**who, at=self.ended_at)]
        return [*said, Renewal(**who, ends=self.ends)]

    def of_invoice(self, one, who):
        if not one.paid:
            attempt = f"{one.reference}:{one.attempts}"
            return [Failed(**who, reference=one.reference, attempt=attempt)]
        paid = Paid(
            **who, reference=one.reference, period_start=one.start, period_end=one.end,
            amount_minor=PRICE, currency="EUR", fee_minor=FEE, at=one.start, card=self.card,
        )  # fmt: skip
        back = [
            Refunded(**who, reference=key, paid_reference=one.reference, amount_minor=amount)
            for key, amount in one.back.items()
        ]
        lost = [ChargedBack(**who, reference=f"dp_{one.reference}", paid_reference=one.reference)]
        return [paid, *back, *(lost if one.lost else [])]
