"""GET /v1/admin/business: the figures of a day, and what should be looked at."""

from datetime import date, datetime
from typing import Annotated, Literal, LiteralString

import msgspec
from litestar import Router, get
from litestar.params import QueryParameter

from api.auth.guards import operator
from api.installation import RequestContext
from api.rows import fetch_all


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure; docs/operations/business.md defines each.

    Attributes:
        currency: of money, which is in minor units; null: no money.
        signal: of revenue; null: of the whole installation.
        value: null where it is not defined.
        reason: why the value is null.
    """

    metric: str
    currency: str | None
    signal: str | None
    value: float | None
    reason: str | None


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator should look at.

    Attributes:
        flag: related_account: provider and subscriber paid by one card.
        subject: an invoice, or a provider's id.
    """

    flag: Literal["related_account", "negative_balance"]
    subject: str
    provider: str
    currency: str
    amount_minor: int
    since: datetime


class Business(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the end of a day, UTC.

    Attributes:
        day: null: none was computed yet.
        computed_at: when the newest of the figures was.
    """

    day: date | None
    computed_at: datetime | None
    figures: list[Figure]
    flagged: list[Flag]


class _Row(Figure, frozen=True, kw_only=True):
    day: date
    computed_at: datetime


FIGURES: LiteralString = """
select distinct on (m.metric, m.currency, g.id)
       m.day, m.metric, m.currency, p.handle || '/' || g.name as signal, m.value, m.reason,
       m.computed_at
from ledger.metric_day m
left join registry.signal g on g.id = m.signal_id
left join account.user_account p on p.id = g.provider_id
where m.day = coalesce(%(day)s, (select max(day) from ledger.metric_day))
order by m.metric, m.currency, g.id, m.id desc
"""

FLAGGED: LiteralString = """
select f.flag, f.subject, p.handle as provider, f.currency, f.amount_minor, f.since
from ledger.flags_for_operator() f join account.user_account p on p.id = f.party
"""


@get("/business", guards=[operator])
async def admin_business(
    context: RequestContext,
    day: Annotated[date | None, QueryParameter(description="The newest by default")] = None,
) -> Business:
    """Revenue, churn, trials and conversion, day by day."""
    async with context.transaction() as connection:
        rows = await fetch_all(connection, _Row, FIGURES, {"day": day})
        flagged = await fetch_all(connection, Flag, FLAGGED, {})
    return Business(
        day=rows[0].day if rows else None,
        computed_at=max((row.computed_at for row in rows), default=None),
        figures=[_public(row) for row in rows],
        flagged=flagged,
    )


def _public(row: _Row) -> Figure:
    return Figure(**{name: getattr(row, name) for name in Figure.__struct_fields__})


router = Router("/v1/admin", route_handlers=[admin_business], tags=["admin"])
