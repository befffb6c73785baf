"""A subscriber's invoices as they are stored; row-level security shows each to them alone."""

import uuid
from datetime import datetime
from typing import Literal, LiteralString

import msgspec
import psycopg

from api.problems import Problem
from api.rows import fetch_all, fetch_one


class Invoice(msgspec.Struct, frozen=True, kw_only=True):
    """A paid period, `[period_start, period_end)`. Amounts are in minor units of `currency`.

    Attributes:
        amount_minor: price of the period.
        credit_minor: of it, paid by credit for missed hours.
        refunded_minor: what went back, by refunds and by chargebacks.
    """

    number: str
    issued_at: datetime
    paid_at: datetime
    signal: str
    subscription_id: uuid.UUID
    period_start: datetime
    period_end: datetime
    amount_minor: int
    credit_minor: int
    refunded_minor: int
    currency: str
    payment_provider: str


class InvoiceLine(msgspec.Struct, frozen=True):
    """What is invoiced; credit is negative."""

    description: str
    amount_minor: int


class InvoiceReversal(msgspec.Struct, frozen=True):
    kind: Literal["refund", "chargeback"]
    amount_minor: int
    happened_at: datetime


class InvoiceDetail(Invoice, frozen=True, kw_only=True):
    """An invoice with its lines, and what went back of it, in order."""

    subscriber: str
    lines: list[InvoiceLine]
    reversals: list[InvoiceReversal]


class _Row(Invoice, frozen=True, kw_only=True):
    subscriber: str


INVOICES: LiteralString = """
select i.number, i.issued_at, i.paid_at, p.handle || '/' || g.name as signal, i.subscription_id,
       i.period_start, i.period_end, i.amount_minor, i.credit_minor, i.currency, i.payment_provider,
       coalesce((select sum(r.amount_minor) from ledger.reversal r
                 where r.invoice_number = i.number), 0)::bigint as refunded_minor,
       u.handle as subscriber
from ledger.invoice i
join registry.signal g on g.id = i.signal_id
join account.user_account p on p.id = i.provider_id
join account.user_account u on u.id = i.user_id
where i.user_id = %(user_id)s and (%(number)s::text is null or i.number = %(number)s)
  and (%(year)s::int is null or (i.year, i.sequence) < (%(year)s, %(sequence)s))
order by i.year desc, i.sequence desc limit %(limit)s
"""

LINES: LiteralString = """
select description, amount_minor from ledger.invoice_line
where invoice_number = %(number)s order by position
"""

REVERSALS: LiteralString = """
select kind, amount_minor, happened_at from ledger.reversal
where invoice_number = %(number)s order by id
"""


async def of_person(
    connection: psycopg.AsyncConnection,
    user_id: uuid.UUID,
    after: tuple[int, int] | None,
    limit: int,
) -> list[Invoice]:
    """Newest first, from after (year, sequence) on, at most `limit`."""
    year, sequence = after or (None, None)
    values = {"user_id": user_id, "number": None, "year": year, "sequence": sequence}
    return await fetch_all(connection, Invoice, INVOICES, values | {"limit": limit})


async def one(
    connection: psycopg.AsyncConnection, user_id: uuid.UUID, number: str
) -> InvoiceDetail:
    """A person's own invoice.

    Raises:
        Problem: not_found, also for an invoice of somebody else.
    """
    values = {"user_id": user_id, "number": number, "year": None, "sequence": None, "limit": 1}
    row = await fetch_one(connection, _Row, INVOICES, values)
    if row is None:
        raise Problem("not_found", "GET /v1/invoices lists the invoices you have.")
    return InvoiceDetail(
        **msgspec.structs.asdict(row),
        lines=await fetch_all(connection, InvoiceLine, LINES, values),
        reversals=await fetch_all(connection, InvoiceReversal, REVERSALS, values),
    )
