"""One pin of a slot for all processes of a run.

The shards of a tick may run on several machines, which come to the slot at different
moments, and between two of them another run may have brought bars. The first that asks
pins the slot; the others read what it pinned, and so does a step that is tried again.
"""

from datetime import datetime, timedelta
from typing import Any

import psycopg

from assets.market_data.window import SlotPin, pin

KEEP = """
insert into forecast.slot_pin (dagster_run_id, slot, cutoff, max_batch, pinned_at)
values (%s, %s, %s, %s, %s) on conflict do nothing
"""
KEPT = "select cutoff, max_batch from forecast.slot_pin where dagster_run_id = %s and slot = %s"


def pin_of_run(
    connection: psycopg.Connection[Any],
    slot: datetime,
    feed_delay: timedelta,
    dagster_run_id: str,
    now: datetime,
) -> SlotPin:
    """What the run pinned the slot to; what is committed now, if nobody asked before.

    Args:
        connection: autocommit.
        slot: a full hour, UTC.
        feed_delay: cut-off of the slot, after it.
        dagster_run_id: whose processes share it.
        now: UTC.

    Raises:
        ValueError: as `pin`.
    """
    mine = pin(connection, slot, feed_delay)
    connection.execute(KEEP, [dagster_run_id, slot, mine.cutoff, mine.max_batch, now])
    ((cutoff, max_batch),) = connection.execute(KEPT, [dagster_run_id, slot]).fetchall()
    return SlotPin(slot=slot, cutoff=cutoff, max_batch=max_batch)
