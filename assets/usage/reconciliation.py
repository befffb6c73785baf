"""Each night: what the payment provider has, against what we have.

Webhooks are lost. What Stripe has made since the last comparison is read from its API and
goes through the inbox like an event, so that what was lost has its effect, and what was not
has none. Then each of its subscriptions is told what ours says, where they differ.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import psycopg
from psycopg.rows import class_row

from sql.payments import inbox
from sql.payments.effects import Effect
from sql.payments.stripe.client import StripeClient
from sql.payments.stripe.credit import OurCredit, tell_credit
from sql.payments.stripe.observe import NAME, of_charge, of_dispute, of_invoice, of_subscription
from sql.payments.stripe.tell import OURS, OurSubscription, tell

# An invoice is tried again for a week after it was made.
CREDIT = """
select billing.usable_credit(%s) as usable_minor, billing.is_booked(%s, %s) as newest_is_booked
"""
OVERLAP = timedelta(days=10)
LONG_AGO = timedelta(days=400)


@dataclass
class Comparison:
    """One night's result.

    Attributes:
        lost: what had not reached us, and has its effect now.
        told: what Stripe had not heard of us.
    """

    compared: int = 0
    lost: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def reconcile(
    connection: psycopg.Connection[Any], stripe: StripeClient, now: datetime, grace: timedelta
) -> Comparison:
    """Compare, apply what was lost, tell what was not heard, and write down how many.

    Raises:
        PaymentProviderError: nothing is written down; what was applied stays.
    """
    since = _since(connection, now)
    found = Comparison()
    for subject, effects in _changed(stripe, int(since.timestamp())):
        found.compared += 1
        if effects and _apply(connection, subject, effects, now, grace):
            found.lost.append(subject)
    for theirs in stripe.subscriptions():
        found.compared += 1
        effects = of_subscription(stripe, theirs)
        if not effects:
            continue
        if _apply(connection, theirs.id, effects, now, grace):
            found.lost.append(theirs.id)
        ours = _ours(connection, effects[0])
        if ours is not None:
            found.told += tell(stripe, theirs, ours)
            found.told += tell_credit(stripe, theirs, _credit_of(connection, effects[0]))
    _write_down(connection, found, since, now)
    return found


def _since(connection: psycopg.Connection[Any], now: datetime) -> datetime:
    row = connection.execute(
        "select max(until) from billing.reconciliation where provider = %s", [NAME]
    ).fetchone()
    last: datetime | None = row[0] if row else None
    return last - OVERLAP if last else now - LONG_AGO


def _changed(stripe: StripeClient, since: int) -> Iterator[tuple[str, list[Effect]]]:
    for invoice in stripe.invoices(since):
        yield invoice.id, of_invoice(stripe, invoice)
    for refund in stripe.refunds(since):
        yield refund.id, of_charge(stripe, refund.charge)
    for dispute in stripe.disputes(since):
        yield dispute.id, of_dispute(stripe, dispute)


def _apply(
    connection: psycopg.Connection[Any],
    subject: str,
    effects: list[Effect],
    now: datetime,
    grace: timedelta,
) -> bool:
    """Through the inbox; what changes nothing leaves no row there."""
    said = hashlib.sha256(msgspec.json.encode(effects)).hexdigest()[:16]
    event = f"reconciled:{subject}:{said}"
    changed = False
    with connection.transaction() as transaction:
        payload = {"object": subject}
        connection.execute(*inbox.store(NAME, event, "reconciled", payload, now))
        row = connection.execute(*inbox.apply(NAME, event, effects, now, grace)).fetchone()
        changed = bool(row and row[0])
        if not changed:
            raise psycopg.Rollback(transaction)
    return changed


def _ours(connection: psycopg.Connection[Any], effect: Effect) -> OurSubscription | None:
    with connection.cursor(row_factory=class_row(OurSubscription)) as cursor:
        return cursor.execute(OURS, {"id": effect.subscription}).fetchone()


def _credit_of(
    connection: psycopg.Connection[Any], effect: Effect
) -> Callable[[str | None], OurCredit]:
    def ask(newest: str | None) -> OurCredit:
        with connection.cursor(row_factory=class_row(OurCredit)) as cursor:
            values = [effect.subscription, NAME, newest]
            found = cursor.execute(CREDIT, values).fetchone()
        return found or OurCredit(0, newest_is_booked=True)

    return ask


def _write_down(
    connection: psycopg.Connection[Any], found: Comparison, since: datetime, now: datetime
) -> None:
    connection.execute(
        "insert into billing.reconciliation (provider, since, until, compared, lost, pushed)"
        " values (%s, %s, %s, %s, %s, %s)",
        [NAME, since, now, found.compared, len(found.lost), len(found.told)],
    )
