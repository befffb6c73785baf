"""The inbox of payment events: each is stored once, and has its effect once.

Providers deliver an event twice, and people press a button twice. The unique
(provider, external_id) decides who was first; only that one has an effect, in
the same transaction.
"""

import uuid
from datetime import datetime
from typing import Annotated, Literal, LiteralString

import msgspec
import psycopg
from msgspec import Meta
from psycopg.types.json import Jsonb

from api import audit
from sql.session import act_as


class PaymentEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a payment provider tells us.

    Attributes:
        id: the payment provider's id of the event.
        user_id: the subscriber.
    """

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    kind: Literal["checkout.paid"]
    subscription_id: uuid.UUID
    user_id: uuid.UUID


# A payment during the trial buys the month after it; a late one begins now.
PAID: LiteralString = """
update billing.subscription
set state = 'active', cancel_at_period_end = false,
    period_start = case when state = 'trialing' and period_end > %(now)s
                        then period_start else %(now)s end,
    period_end = case when state = 'trialing' and period_end > %(now)s
                      then period_end else %(now)s end + interval '1 month'
where id = %(id)s and user_id = %(user_id)s
  and (state in ('incomplete', 'trialing', 'past_due')
       or (state = 'active' and period_end <= %(now)s))
"""


async def receive(
    connection: psycopg.AsyncConnection, provider: str, event: PaymentEvent, now: datetime
) -> bool:
    """Store an event and apply it; whether it changed anything."""
    await act_as(connection, event.user_id, now)
    stored = await connection.execute(
        "insert into billing.payment_event (provider, external_id, kind, received_at, payload)"
        " values (%s, %s, %s, %s, %s) on conflict (provider, external_id) do nothing",
        [provider, event.id, event.kind, now, Jsonb(msgspec.to_builtins(event))],
    )
    if stored.rowcount == 0:
        return False
    values = {"id": event.subscription_id, "user_id": event.user_id, "now": now}
    paid = await connection.execute(PAID, values)
    await audit.record(
        connection,
        now,
        None,
        event.kind,
        str(event.subscription_id),
        # An event may name somebody who does not exist.
        owner_id=event.user_id if paid.rowcount == 1 else None,
        provider=provider,
        event=event.id,
        had_effect=paid.rowcount == 1,
    )
    return paid.rowcount == 1
