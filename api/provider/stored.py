"""A provider's money as it is stored: sums of their own, and no subscriber's name."""

import uuid
from datetime import date, datetime
from typing import Literal, LiteralString

import msgspec
import psycopg

from api.rows import fetch_all


class Balance(msgspec.Struct, frozen=True):
    """What is owed to the provider, in minor units; negative: owed by them, carried over."""

    currency: str
    balance_minor: int


class SignalSubscribers(msgspec.Struct, frozen=True):
    """How many people have access at this instant."""

    signal: str
    paying: int
    trialing: int


class StatementOfCurrency(msgspec.Struct, frozen=True, kw_only=True):
    """A month in one currency, in minor units: what came to the provider is positive.

    Attributes:
        opening_minor: balance when the month began.
        invoices: how many were paid.
        gross_minor: their sum.
        platform_fee_minor: what the platform kept of it.
        share_minor: what came to the provider, gross less fee.
        refunded_minor: the provider's part of refunds.
        charged_back_minor: the provider's part of chargebacks.
        credited_minor: credit for missed hours.
        other_minor: corrections by the operator.
        paid_out_minor: payouts made within the month, for months before.
        closing_minor: balance when the month ended: the sum of opening and all that follows it.
    """

    currency: str
    opening_minor: int
    invoices: int
    gross_minor: int
    platform_fee_minor: int
    share_minor: int
    refunded_minor: int
    charged_back_minor: int
    credited_minor: int
    other_minor: int
    paid_out_minor: int
    closing_minor: int


class Payout(msgspec.Struct, frozen=True, kw_only=True):
    """A month, settled once per currency.

    Attributes:
        month: its first day.
        balance_minor: owed for the month and all before it.
        amount_minor: paid; zero where the balance was carried over.
        carried: why it was carried over; null: it was paid.
    """

    month: date
    currency: str
    balance_minor: int
    amount_minor: int
    carried: Literal["below_minimum", "negative"] | None
    settled_at: datetime


PAYOUTS: LiteralString = """
select month, currency, balance_minor, amount_minor, carried, settled_at from ledger.payout
where provider_id = %(user_id)s and (%(month)s::date is null or month = %(month)s)
  and (%(after)s::date is null or (month, currency) < (%(after)s, %(after_currency)s))
order by month desc, currency desc limit %(limit)s
"""


async def balances(connection: psycopg.AsyncConnection) -> list[Balance]:
    return await fetch_all(connection, Balance, "select * from ledger.own_balances()", [])


async def signals(connection: psycopg.AsyncConnection) -> list[SignalSubscribers]:
    return await fetch_all(connection, SignalSubscribers, "select * from ledger.own_signals()", [])


async def statement(connection: psycopg.AsyncConnection, month: date) -> list[StatementOfCurrency]:
    query: LiteralString = "select * from ledger.statement(%s)"
    return await fetch_all(connection, StatementOfCurrency, query, [month])


async def payouts(
    connection: psycopg.AsyncConnection,
    user_id: uuid.UUID,
    *,
    month: date | None = None,
    after: tuple[date, str] | None = None,
    limit: int = 100,
) -> list[Payout]:
    """Newest month first, of one month if it is given."""
    from_month, from_currency = after or (None, None)
    values = {"user_id": user_id, "month": month, "after": from_month, "limit": limit}
    return await fetch_all(connection, Payout, PAYOUTS, values | {"after_currency": from_currency})
