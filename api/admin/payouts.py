"""POST /v1/admin/payouts: settle a month of every provider, each once."""

from datetime import date
from typing import Annotated, Literal, LiteralString

import msgspec
from litestar import Router, post
from litestar.params import JSONBody
from msgspec import Meta

from api import audit
from api.auth.guards import operator
from api.bodies import Body
from api.installation import RequestContext
from api.months import PATTERN, month_of
from api.problems import Problem
from api.rows import fetch_all
from sql.clock import end_of_month


class PayoutRun(Body, frozen=True):
    """`month` such as 2026-01; it has to be over."""

    month: Annotated[str, Meta(pattern=PATTERN)]


class ProviderPayout(msgspec.Struct, frozen=True, kw_only=True):
    """What one provider's month came to; see `Payout`."""

    provider: str
    currency: str
    balance_minor: int
    amount_minor: int
    carried: Literal["below_minimum", "negative"] | None


class PayoutRunResult(msgspec.Struct, frozen=True):
    month: date
    payouts: list[ProviderPayout]


SETTLE: LiteralString = """
select u.handle as provider, p.currency, p.balance_minor, p.amount_minor, p.carried
from ledger.payouts(%(month)s, %(now)s, %(now)s) p
join account.user_account u on u.id = p.provider_id
order by u.handle, p.currency
"""


@post("/", status_code=200, guards=[operator])
async def run_payouts(data: JSONBody[PayoutRun], context: RequestContext) -> PayoutRunResult:
    """Called again it answers the same: a provider's month is settled once per currency."""
    month = month_of("month", data.month)
    if end_of_month(month) > context.now:
        raise Problem(
            "month_not_over", f"{data.month} ends at {end_of_month(month):%Y-%m-%d} 00:00 UTC."
        )
    async with context.transaction() as connection:
        values = {"month": month, "now": context.now}
        payouts = await fetch_all(connection, ProviderPayout, SETTLE, values)
        await audit.record(
            connection,
            context.now,
            context.person.user_id,
            "payouts.run",
            data.month,
            paid=sum(payout.amount_minor > 0 for payout in payouts),
            carried=sum(payout.amount_minor == 0 for payout in payouts),
        )
    return PayoutRunResult(month, payouts)


router = Router("/v1/admin/payouts", route_handlers=[run_payouts], tags=["admin"])
