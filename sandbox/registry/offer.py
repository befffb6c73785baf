"""A signal's price: a row when it is first offered, and a row and a leaf when it changes.

The first offer needs no leaf: it stands in the manifest, whose hash the version's leaf holds.
"""

from datetime import datetime
from typing import Any

import psycopg

from signalbox.manifest import OfferTable
from sql.log import NewLeaf


def changed_offer(
    connection: psycopg.Connection[Any],
    signal_id: int,
    signal: str,
    offer: OfferTable,
    now: datetime,
) -> list[NewLeaf]:
    """Write the offer down where it differs from the last; returns the leaf to append, if any.

    Subscriptions keep the price that they were made under.
    """
    offered = (offer.amount_minor, offer.currency, offer.trial_days, offer.reveal_after_hours)
    last = connection.execute(
        "select amount_minor, currency, trial_days, reveal_after_hours from billing.price"
        " where signal_id = %s order by id desc limit 1",
        [signal_id],
    ).fetchone()
    if last == offered:
        return []
    connection.execute(
        "insert into billing.price (signal_id, amount_minor, currency, trial_days,"
        " reveal_after_hours, valid_from) values (%s, %s, %s, %s, %s, %s)",
        [signal_id, *offered, now],
    )
    if last is None:
        return []
    amount_minor, currency, trial_days, reveal_after_hours = offered
    facts = {
        "sig": signal,
        "amount_minor": amount_minor,
        "currency": currency,
        "trial_days": trial_days,
        "reveal_after_hours": reveal_after_hours,
    }
    return [NewLeaf("price/v1", signal_id, facts)]
