"""Subscriptions in the database, and how they age.

States: incomplete -> trialing | active; trialing -> active | canceled | expired;
active -> past_due | canceled; past_due -> active | canceled. Access ends with
`period_end` whatever the state says; `settle` makes the state say so.
"""

import uuid
from datetime import datetime, timedelta
from typing import Literal, LiteralString

import msgspec
import psycopg

from api.problems import Problem
from api.rows import fetch_all, fetch_one

State = Literal["incomplete", "trialing", "active", "past_due", "canceled", "expired"]

PAYABLE: tuple[State, ...] = ("incomplete", "trialing", "past_due")


class StoredSubscription(msgspec.Struct, frozen=True, kw_only=True):
    id: uuid.UUID
    signal: str
    state: State
    payment_provider: str
    amount_minor: int
    currency: str
    created_at: datetime
    period_start: datetime | None
    period_end: datetime | None
    had_trial: bool
    cancel_at_period_end: bool


class Terms(msgspec.Struct, frozen=True):
    """The newest price of a signal, and whether this person had their trial."""

    price_id: int
    trial_days: int
    had_trial: bool


SUBSCRIPTIONS: LiteralString = """
select s.id, p.handle || '/' || g.name as signal, s.state, s.payment_provider, o.amount_minor,
       o.currency, s.created_at, s.period_start, s.period_end, s.had_trial, s.cancel_at_period_end
from billing.subscription s
join registry.signal g on g.id = s.signal_id
join account.user_account p on p.id = g.provider_id
join billing.price o on o.id = s.price_id
where s.user_id = %(user_id)s and (%(id)s::uuid is null or s.id = %(id)s)
order by s.created_at desc, s.id
"""

TERMS: LiteralString = """
select o.id as price_id, o.trial_days,
       exists (select 1 from billing.subscription s
               where s.signal_id = o.signal_id and s.user_id = %(user_id)s and s.had_trial)
         as had_trial
from billing.price o where o.signal_id = %(signal_id)s and o.valid_from <= %(now)s
order by o.valid_from desc, o.id desc limit 1
"""

SETTLE: LiteralString = """
update billing.subscription
set state = case when cancel_at_period_end then 'canceled'
                 when state = 'trialing' then 'expired' else 'past_due' end
where user_id = %(user_id)s and state in ('trialing', 'active') and period_end <= %(now)s
"""


async def settle(connection: psycopg.AsyncConnection, user_id: uuid.UUID, now: datetime) -> None:
    """End what has ended by `now`."""
    await connection.execute(SETTLE, {"user_id": user_id, "now": now})


async def of_person(
    connection: psycopg.AsyncConnection, user_id: uuid.UUID
) -> list[StoredSubscription]:
    values = {"user_id": user_id, "id": None}
    return await fetch_all(connection, StoredSubscription, SUBSCRIPTIONS, values)


async def one(
    connection: psycopg.AsyncConnection, user_id: uuid.UUID, subscription_id: uuid.UUID
) -> StoredSubscription:
    """A person's own subscription.

    Raises:
        Problem: not_found, also for a subscription of somebody else.
    """
    values = {"user_id": user_id, "id": subscription_id}
    found = await fetch_one(connection, StoredSubscription, SUBSCRIPTIONS, values)
    if found is None:
        raise Problem("not_found", "GET /v1/subscriptions lists the subscriptions you have.")
    return found


async def terms(
    connection: psycopg.AsyncConnection, user_id: uuid.UUID, signal_id: int, now: datetime
) -> Terms | None:
    values = {"user_id": user_id, "signal_id": signal_id, "now": now}
    return await fetch_one(connection, Terms, TERMS, values)


async def open_new(
    connection: psycopg.AsyncConnection,
    user_id: uuid.UUID,
    signal_id: int,
    agreed: Terms,
    now: datetime,
) -> uuid.UUID:
    """A trial where one is due, else an incomplete subscription that waits for its payment.

    Raises:
        psycopg.errors.UniqueViolation: one is open already.
    """
    subscription_id = uuid.uuid4()
    has_trial = agreed.trial_days > 0 and not agreed.had_trial
    period = (now, now + timedelta(days=agreed.trial_days)) if has_trial else (None, None)
    await connection.execute(
        "insert into billing.subscription (id, user_id, signal_id, price_id, state,"
        " payment_provider, created_at, period_start, period_end, had_trial, cancel_at_period_end)"
        " values (%s, %s, %s, %s, %s, 'manual', %s, %s, %s, %s, false)",
        [
            *(subscription_id, user_id, signal_id, agreed.price_id),
            *("trialing" if has_trial else "incomplete", now, *period, has_trial),
        ],
    )
    return subscription_id


async def cancel(connection: psycopg.AsyncConnection, subscription_id: uuid.UUID) -> bool:
    """At the end of the period; at once where nothing was paid for. False: it was over."""
    changed = await connection.execute(
        "update billing.subscription"
        " set cancel_at_period_end = true, state = case when state in ('incomplete', 'past_due')"
        " then 'canceled' else state end"
        " where id = %s and state not in ('canceled', 'expired')",
        [subscription_id],
    )
    return changed.rowcount == 1


async def resume(connection: psycopg.AsyncConnection, subscription_id: uuid.UUID) -> bool:
    """Take a cancellation back. False: there is none to take back."""
    changed = await connection.execute(
        "update billing.subscription set cancel_at_period_end = false"
        " where id = %s and cancel_at_period_end and state in ('trialing', 'active')",
        [subscription_id],
    )
    return changed.rowcount == 1
