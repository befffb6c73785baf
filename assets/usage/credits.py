"""Credit for missed hours: who paid for a period gets back what of it was not delivered.

Rule (docs/subscriber/credits.md): of a paid period's full hours, those at which no version
of the signal answered live are missed, also those at which its provider had taken it
offline or the platform was down. Credit = what was paid and not refunded x missed / hours,
rounded up to a whole minor unit. One credit per invoice, by its reference.
"""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, LiteralString

import dagster as dg
import msgspec
import psycopg
from psycopg.rows import class_row

from assets.installation import Installation
from assets.transparency.asset import KEY as LOG

KEY = dg.AssetKey(["usage", "credits"])
# Nothing is live that is recorded later, and a worker that stood still for long still finds it.
SETTLED_AFTER = timedelta(hours=1)
LOOKED_BACK = timedelta(days=90)

DUE: LiteralString = """
with ended as (
  select i.number, i.subscription_id, i.signal_id, i.period_end,
         date_trunc('hour', i.period_start + interval '1 hour - 1 microsecond', 'UTC') as first,
         i.amount_minor - coalesce((select sum(r.amount_minor) from ledger.reversal r
                                    where r.invoice_number = i.number), 0) as amount
  from ledger.invoice i
  where i.period_end <= %(until)s and i.period_end > %(since)s
    and not exists (select from ledger.entry e
                    where e.kind = 'credit' and e.reference = 'missed-hours:' || i.number)
), counted as (
  select d.*,
         (select count(*) from generate_series(d.first, d.period_end - interval '1 microsecond',
                                               interval '1 hour')) as hours,
         (select count(distinct r.slot) from forecast.slot_record r
          join registry.version v on v.id = r.version_id
          where v.signal_id = d.signal_id and r.provenance = 'live'
            and r.slot >= d.first and r.slot < d.period_end) as live
  from ended d
)
select number, subscription_id, period_end, hours, hours - live as missed,
       ceil(amount * (hours - live) / hours)::bigint as amount_minor
from counted where live < hours and amount > 0 order by period_end, number
"""

CREDIT: LiteralString = "select ledger.credit(%s, %s, %s, %s, %s, %s)"


class MissedHours(msgspec.Struct, frozen=True, kw_only=True):
    """A paid period that ended with hours missing.

    Attributes:
        number: its invoice.
        hours: full hours in the period.
        amount_minor: what they are worth, in minor units of the invoice's currency.
    """

    number: str
    subscription_id: uuid.UUID
    period_end: datetime
    hours: int
    missed: int
    amount_minor: int


def credit_missed_hours(connection: psycopg.Connection[Any], now: datetime) -> list[MissedHours]:
    """Credit every paid period that ended an hour ago or earlier and was not credited yet.

    Args:
        connection: autocommit, as `signalbox_worker`.
        now: UTC.
    """
    until = now - SETTLED_AFTER
    with connection.cursor(row_factory=class_row(MissedHours)) as cursor:
        due = cursor.execute(DUE, {"until": until, "since": until - LOOKED_BACK}).fetchall()
    for one in due:
        why = f"{one.missed} of {one.hours} hours missed"
        connection.execute(
            CREDIT,
            [
                *(one.subscription_id, f"missed-hours:{one.number}", one.amount_minor, why),
                *(one.period_end, now),
            ],
        )
    return due


def credits_asset(partitions: dg.PartitionsDefinition[Any]) -> dg.AssetsDefinition:
    """The asset `usage/credits`, one partition a day."""

    @dg.asset(
        key=KEY,
        partitions_def=partitions,
        deps=[LOG],
        group_name="usage",
        kinds={"postgres"},
        owners=["team:operator"],
        required_resource_keys={"installation"},
        description=(
            "Credit to subscribers for hours of a paid period at which their signal did not answer"
            " live, borne by its provider; given once per invoice when the period has ended, and"
            " used up by the subscriber's next invoices."
        ),
    )
    def credits_(context: dg.AssetExecutionContext) -> Iterator[Any]:
        installation: Installation = context.resources.installation
        with installation.connect() as connection:
            given = credit_missed_hours(connection, installation.clock())
        yield dg.MaterializeResult(
            metadata={
                "credits": len(given),
                "missed_hours": sum(one.missed for one in given),
                "invoices": ", ".join(one.number for one in given),
            }
        )

    return credits_
