"""GET /v1/provider/summary | payouts | statements/{month}: what a provider earns; signals too."""

from datetime import date
from typing import Annotated

import msgspec
from litestar import Router, get
from litestar.params import PathParameter
from msgspec import Meta

from api.auth.guards import signed_in
from api.installation import RequestContext
from api.months import PATTERN, month_of
from api.pages import Cursor, Limit, Page, page_of, read_cursor
from api.provider import stored
from api.provider.own_signals import list_own_signals
from api.provider.stored import Balance, Payout, SignalSubscribers, StatementOfCurrency
from sql.clock import end_of_month

Currency = Annotated[str, Meta(max_length=3)]


class ProviderSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Now: balances, who reads, and the month so far."""

    balances: list[Balance]
    signals: list[SignalSubscribers]
    this_month: list[StatementOfCurrency]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A month by when the money moved; what is told late changes it until it is settled.

    Attributes:
        month: its first day.
        is_over: false: the month still runs.
        payouts: its settlement, once per currency; empty: not settled yet.
    """

    month: date
    is_over: bool
    currencies: list[StatementOfCurrency]
    payouts: list[Payout]


@get("/summary", guards=[signed_in("read")])
async def provider_summary(context: RequestContext) -> ProviderSummary:
    """What is open, and what subscriptions bring in, by currency and signal."""
    async with context.transaction() as connection:
        return ProviderSummary(
            balances=await stored.balances(connection),
            signals=await stored.signals(connection),
            this_month=await stored.statement(connection, context.now.date().replace(day=1)),
        )


@get("/payouts", guards=[signed_in("read")])
async def list_provider_payouts(
    context: RequestContext, limit: Limit = 100, cursor: Cursor = None
) -> Page[Payout]:
    """Your settled months, newest first."""
    after = read_cursor(cursor, tuple[date, Currency])
    async with context.transaction() as connection:
        found = await stored.payouts(
            connection, context.person.user_id, after=after, limit=limit + 1
        )
    return page_of(found, limit, lambda payout: (payout.month, payout.currency))


@get("/statements/{month:str}", guards=[signed_in("read")])
async def provider_statement(
    month: Annotated[str, PathParameter(pattern=PATTERN)], context: RequestContext
) -> Statement:
    """A month such as 2026-01, per currency."""
    first = month_of("month", month)
    async with context.transaction() as connection:
        return Statement(
            month=first,
            is_over=end_of_month(first) <= context.now,
            currencies=await stored.statement(connection, first),
            payouts=await stored.payouts(connection, context.person.user_id, month=first),
        )


router = Router(
    "/v1/provider",
    route_handlers=[provider_summary, list_own_signals, list_provider_payouts, provider_statement],
    tags=["provider"],
)
