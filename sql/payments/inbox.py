"""The inbox of payment events, as statements that any connection can execute.

The API takes events in over an asynchronous connection, the nightly reconciliation over a
plain one; what they execute is the same.
"""

from datetime import datetime, timedelta
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from sql.payments.effects import Effect, as_json

Statement = tuple[LiteralString, dict[str, Any]]

STORE: LiteralString = """
insert into billing.payment_event (provider, external_id, kind, received_at, payload)
values (%(provider)s, %(event)s, %(kind)s, %(now)s, %(payload)s)
on conflict (provider, external_id) do nothing
"""
APPLY: LiteralString = (
    "select billing.apply_event(%(provider)s, %(event)s, %(effects)s, %(now)s, %(grace)s)"
)


def store(
    provider: str, event: str, kind: str, payload: dict[str, Any], now: datetime
) -> Statement:
    """Keep an event, whatever comes of it; no row where it is kept already."""
    values = {"provider": provider, "event": event, "kind": kind, "now": now}
    return STORE, values | {"payload": Jsonb(payload)}


def apply(
    provider: str, event: str, effects: list[Effect], now: datetime, grace: timedelta
) -> Statement:
    """Give a kept event its turn; the one value tells whether anything changed."""
    values = {"provider": provider, "event": event, "now": now, "grace": grace}
    return APPLY, values | {"effects": Jsonb(as_json(effects))}
