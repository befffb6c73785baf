"""Subscriptions that ended, said so in time.

Access never waits for this, nor does a subscriber who looks: it is for those whom events
and reminders have to reach.
"""

from datetime import datetime
from typing import Any

import psycopg


def settle_all(connection: psycopg.Connection[Any], now: datetime) -> int:
    """End what has ended by `now` (UTC); how many changed their state."""
    row = connection.execute("select billing.settle(null, %s)", [now]).fetchone()
    return int(row[0]) if row else 0
