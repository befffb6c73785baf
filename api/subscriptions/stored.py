"""Subscriptions in the database, and what is done with them.

How they move from state to state is the database's (sql/functions/subscription_*.sql): a
trigger refuses every other way. Access ends with `period_end`, or `grace_until` where that
is later, whatever the state says; `settle` makes the state say so.
"""

import uuid
from datetime import datetime
from typing import Literal, LiteralString

import msgspec
import psycopg

from api.problems import Problem
from api.rows import fetch_all, fetch_one

State = Literal["incomplete", "trialing", "active", "past_due", "canceled", "expired"]


class Proposal(msgspec.Struct, frozen=True):
    """A new price that awaits an answer.

    Attributes:
        effective_from: periods that begin from then on cost it.
        ends_old_terms: without consent the subscription ends with its period then.
    """

    amount_minor: int
    currency: str
    effective_from: datetime
    ends_old_terms: bool


class SubscriptionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a subscriber is shown.

    Attributes:
        grace_until: access until then, although the renewal failed or is being collected.
        due_minor: what the next period costs, credit taken off.
    """

    id: uuid.UUID
    signal: str
    state: State
    payment_provider: str
    amount_minor: int
    currency: str
    created_at: datetime
    period_start: datetime | None
    period_end: datetime | None
    grace_until: datetime | None
    had_trial: bool
    cancel_at_period_end: bool
    due_minor: int
    proposal: Proposal | None


class StoredSubscription(SubscriptionFacts, frozen=True, kw_only=True):
    """And what only we need to know.

    Attributes:
        external_id: the payment provider's id of it.
    """

    user_id: uuid.UUID
    external_id: str | None


class Terms(msgspec.Struct, frozen=True):
    """The newest price of a signal."""

    price_id: int


SUBSCRIPTIONS: LiteralString = """
select s.id, s.user_id, p.handle || '/' || g.name as signal, s.state, s.payment_provider,
       s.external_id, o.amount_minor, o.currency, s.created_at, s.period_start, s.period_end,
       s.grace_until, s.had_trial, s.cancel_at_period_end,
       billing.due_minor(s.id, %(now)s) as due_minor,
       (select jsonb_build_object('amount_minor', n.amount_minor, 'currency', n.currency,
                                  'effective_from', d.effective_from,
                                  'ends_old_terms', d.ends_old_terms)
        from billing.open_proposal(s.id, %(now)s) d join billing.price n on n.id = d.price_id)
         as proposal
from billing.subscription s
join registry.signal g on g.id = s.signal_id
join account.user_account p on p.id = g.provider_id
join billing.price o on o.id = s.price_id
where s.user_id = %(user_id)s and (%(id)s::uuid is null or s.id = %(id)s)
order by s.created_at desc, s.id
"""

TERMS: LiteralString = """
select o.id as price_id from billing.price o
where o.signal_id = %(signal_id)s and o.valid_from <= %(now)s
order by o.valid_from desc, o.id desc limit 1
"""


async def settle(connection: psycopg.AsyncConnection, user_id: uuid.UUID, now: datetime) -> None:
    """End what has ended by `now`."""
    await connection.execute("select billing.settle(%s, %s)", [user_id, now])


async def of_person(
    connection: psycopg.AsyncConnection, user_id: uuid.UUID, now: datetime
) -> list[StoredSubscription]:
    values = {"user_id": user_id, "id": None, "now": now}
    return await fetch_all(connection, StoredSubscription, SUBSCRIPTIONS, values)


async def one(
    connection: psycopg.AsyncConnection,
    user_id: uuid.UUID,
    subscription_id: uuid.UUID,
    now: datetime,
) -> StoredSubscription:
    """A person's own subscription.

    Raises:
        Problem: not_found, also for a subscription of somebody else.
    """
    values = {"user_id": user_id, "id": subscription_id, "now": now}
    found = await fetch_one(connection, StoredSubscription, SUBSCRIPTIONS, values)
    if found is None:
        raise Problem("not_found", "GET /v1/subscriptions lists the subscriptions you have.")
    return found


async def terms(connection: psycopg.AsyncConnection, signal_id: int, now: datetime) -> Terms | None:
    values = {"signal_id": signal_id, "now": now}
    return await fetch_one(connection, Terms, TERMS, values)


async def open_new(
    connection: psycopg.AsyncConnection,
    signal_id: int,
    payment_provider: str,
    email_mark: bytes,
    now: datetime,
) -> uuid.UUID:
    """A trial where one is due, else an incomplete subscription that waits for its payment.

    Raises:
        psycopg.errors.UniqueViolation: one is open already.
    """
    row = await (
        await connection.execute(
            "select billing.open_subscription(%s, %s, %s, %s)",
            [signal_id, payment_provider, email_mark, now],
        )
    ).fetchone()
    assert row is not None  # noqa: S101 - a function always answers
    return uuid.UUID(str(row[0]))


async def cancel(
    connection: psycopg.AsyncConnection, subscription_id: uuid.UUID, now: datetime
) -> bool:
    """At the end of the period; at once where nothing is paid for. False: it was over."""
    return await _did(connection, "select billing.cancel(%s, %s)", [subscription_id, now])


async def resume(connection: psycopg.AsyncConnection, subscription_id: uuid.UUID) -> bool:
    """Take a cancellation back. False: there is none to take back."""
    return await _did(connection, "select billing.resume(%s)", [subscription_id])


async def consent(
    connection: psycopg.AsyncConnection, subscription_id: uuid.UUID, now: datetime
) -> bool:
    """Accept the newest proposal. False: there is none."""
    query: LiteralString = "select billing.consent(%s, %s) is not null"
    return await _did(connection, query, [subscription_id, now])


async def _did(
    connection: psycopg.AsyncConnection, query: LiteralString, values: list[object]
) -> bool:
    row = await (await connection.execute(query, values)).fetchone()
    return bool(row and row[0])
