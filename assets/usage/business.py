"""The business' figures of a day, from facts that never change: docs/operations/business.md.

Everything is counted from invoices, reversals and the beginnings of trials, and never from
a subscription's state, which is only what it is now: a figure of last month comes out the
same next year. A figure that is not defined is null with a reason, never zero.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, LiteralString

import msgspec
import psycopg

COHORT = timedelta(days=30)

NO_INVOICE = "no invoice was ever paid"
NO_TRIAL = "no trial was ever begun"
NO_COHORT = "no trial ended in these 30 days"
NO_BASE = "nobody paid 30 days before"
NOT_SOLD = "no invoice of this signal was ever paid"

# A period is half-open: at the end of a day, who is paid up to then still was that day.
PAYING: LiteralString = """
select distinct on (i.subscription_id) i.subscription_id, i.currency, i.amount_minor
from ledger.invoice i
where i.paid_at < %(at)s and i.period_start < %(at)s and i.period_end >= %(at)s
  and not exists (
    select from ledger.reversal r where r.invoice_number = i.number and r.happened_at < %(at)s
    having sum(r.amount_minor) >= i.amount_minor - i.credit_minor)
order by i.subscription_id, i.period_start desc, i.number desc
"""

TRIALS: LiteralString = """
select s.id, s.created_at as began, s.created_at + make_interval(days => o.trial_days) as ended,
       (select min(i.paid_at) from ledger.invoice i where i.subscription_id = s.id) as paid_at
from billing.subscription s join billing.price o on o.id = s.price_id
where s.had_trial and s.created_at < %(at)s
"""

REVENUE: LiteralString = """
with moved as (
  select i.signal_id, i.currency, i.paid_at as at, i.amount_minor as amount from ledger.invoice i
  union all
  select i.signal_id, i.currency, r.happened_at, -r.amount_minor
  from ledger.reversal r join ledger.invoice i on i.number = r.invoice_number
)
select g.id as signal_id, m.currency,
       sum(m.amount) filter (where m.at >= %(from)s)::bigint as amount
from registry.signal g left join moved m on m.signal_id = g.id and m.at < %(at)s
where exists (select from billing.price o where o.signal_id = g.id and o.valid_from < %(at)s)
group by g.id, m.currency order by g.id, m.currency
"""

INSERT: LiteralString = """
insert into ledger.metric_day (day, metric, currency, signal_id, value, reason, computed_at)
values (%s, %s, %s, %s, %s, %s, %s)
"""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure; money in minor units of `currency`, shares between 0 and 1."""

    metric: str
    value: float | None
    reason: str | None = None
    currency: str | None = None
    signal_id: int | None = None


def end_of(day: date) -> datetime:
    """Where a day ends, exclusive, UTC."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def figures_of(connection: psycopg.Connection[Any], day: date) -> list[Figure]:
    """Every figure of the end of `day` (UTC)."""
    at = end_of(day)
    return [
        *_recurring(connection, at),
        *_trials(connection, at),
        _churn(connection, at),
        *_revenue(connection, at),
    ]


def store(
    connection: psycopg.Connection[Any], day: date, figures: Sequence[Figure], now: datetime
) -> None:
    """Add the figures of a day; those that were stored before stay, and count no more."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            INSERT,
            [
                (day, one.metric, one.currency, one.signal_id, one.value, one.reason, now)
                for one in figures
            ],
        )


def _recurring(connection: psycopg.Connection[Any], at: datetime) -> list[Figure]:
    """`active`, and `mrr` of every currency that anybody ever paid in."""
    paying = connection.execute(PAYING, {"at": at}).fetchall()
    sold = connection.execute(
        "select distinct currency from ledger.invoice where paid_at < %s order by 1", [at]
    ).fetchall()
    if not sold:
        return [_null("active", NO_INVOICE), _null("mrr", NO_INVOICE)]
    return [
        Figure(metric="active", value=len(paying)),
        *(
            Figure(
                metric="mrr",
                currency=currency,
                value=sum(amount for _, one, amount in paying if one == currency),
            )
            for (currency,) in sold
        ),
    ]


def _trials(connection: psycopg.Connection[Any], at: datetime) -> list[Figure]:
    """`trials` that run, and `conversion` of those that ended in the last 30 days."""
    trials = connection.execute(TRIALS, {"at": at}).fetchall()
    if not trials:
        return [_null("trials", NO_TRIAL), _null("conversion", NO_COHORT)]
    unpaid = [ended for _, _, ended, paid_at in trials if paid_at is None or paid_at >= at]
    running = Figure(metric="trials", value=sum(ended >= at for ended in unpaid))
    cohort = [paid_at for _, _, ended, paid_at in trials if at - COHORT <= ended < at]
    if not cohort:
        return [running, _null("conversion", NO_COHORT)]
    paid = sum(paid_at is not None and paid_at < at for paid_at in cohort)
    return [running, Figure(metric="conversion", value=paid / len(cohort))]


def _churn(connection: psycopg.Connection[Any], at: datetime) -> Figure:
    """Of those who paid 30 days before, the share that does not any more."""
    before, now = (
        {row[0] for row in connection.execute(PAYING, {"at": instant})}
        for instant in (at - COHORT, at)
    )
    if not before:
        return _null("churn", NO_BASE)
    return Figure(metric="churn", value=len(before - now) / len(before))


def _revenue(connection: psycopg.Connection[Any], at: datetime) -> list[Figure]:
    """`revenue` of the day per signal on offer: invoices less what went back."""
    values = {"at": at, "from": at - timedelta(days=1)}
    return [
        Figure(metric="revenue", signal_id=signal_id, currency=currency, value=amount or 0)
        if currency
        else Figure(metric="revenue", signal_id=signal_id, value=None, reason=NOT_SOLD)
        for signal_id, currency, amount in connection.execute(REVENUE, values)
    ]


def _null(metric: str, reason: str) -> Figure:
    return Figure(metric=metric, value=None, reason=reason)
