"""GET|POST /v1/signals/{provider}/{name}/offers: prices there were; a new one, with its notice."""

from datetime import datetime, timedelta
from typing import Annotated, LiteralString

import msgspec
import psycopg
from litestar import Router, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from api import audit
from api.accounts.standing import demand_good_standing
from api.auth.guards import owner, owner_or_operator
from api.bodies import Body
from api.installation import Context, RequestContext
from api.instants import instant
from api.pages import Cursor, Limit, Page, RowId, page_of, read_cursor
from api.problems import Problem, invalid_field
from api.rows import fetch_all
from api.signals.lookup import find_signal

NOTICE = timedelta(days=30)


class NewOffer(Body, frozen=True, kw_only=True):
    """A price a month, for whoever subscribes from now on.

    Attributes:
        amount_minor: in cents.
        effective_from: also propose it to those who subscribe already, for periods that begin
            from then on, 30 days from now or later; null: they are not asked.
        ends_old_terms: who does not consent ends with the period then, instead of keeping the
            old price.
    """

    amount_minor: Annotated[int, Meta(ge=0, le=10**9)]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)")]
    trial_days: Annotated[int, Meta(ge=0, le=30)] = 0
    effective_from: datetime | None = None
    ends_old_terms: bool = False


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    amount_minor: int
    currency: str
    trial_days: int
    effective_from: datetime | None
    ends_old_terms: bool


class PastOffer(Offer, frozen=True, kw_only=True):
    """An offer as it was made; slots made under it are public `reveal_after_hours` later."""

    valid_from: datetime
    reveal_after_hours: int


OFFERS: LiteralString = """
select o.id, o.amount_minor, o.currency, o.trial_days, o.valid_from, o.reveal_after_hours,
       p.effective_from, coalesce(p.ends_old_terms, false) as ends_old_terms
from billing.price o left join billing.proposal p on p.price_id = o.id
where o.signal_id = %s and (%s::bigint is null or o.id < %s) order by o.id desc limit %s
"""


@get("/{provider:str}/{name:str}/offers", guards=[owner_or_operator("read")])
async def list_offers(
    provider: FromPath[str],
    name: FromPath[str],
    context: RequestContext,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[PastOffer]:
    """Every offer there was, the one that binds new subscribers first."""
    before = read_cursor(cursor, RowId)
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        values = [signal.id, before, before, limit + 1]
        rows = await fetch_all(connection, PastOffer, OFFERS, values)
    return page_of(rows, limit, lambda offer: offer.id)


@post("/{provider:str}/{name:str}/offers", guards=[owner()])
async def create_offer(
    provider: FromPath[str],
    name: FromPath[str],
    data: JSONBody[NewOffer],
    context: RequestContext,
) -> Offer:
    """The manifest's offer is made again when it next changes: write the price there too."""
    since = instant("effective_from", data.effective_from)
    if since is not None and since - context.now < NOTICE:
        raise Problem("notice_too_short", f"Send {context.now + NOTICE:%Y-%m-%dT%H:%M}Z or later.")
    if data.ends_old_terms and since is None:
        raise Problem("notice_too_short", "Old terms end with notice: send effective_from.")
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        await demand_good_standing(connection, context)
        offer_id = await _make(connection, context, signal.id, data, since)
        await audit.record(
            connection,
            context.now,
            context.person.user_id,
            "offer.create",
            signal.signal,
            amount_minor=data.amount_minor,
            currency=data.currency,
            ends_old_terms=data.ends_old_terms,
        )
    return Offer(
        id=offer_id,
        amount_minor=data.amount_minor,
        currency=data.currency,
        trial_days=data.trial_days,
        effective_from=since,
        ends_old_terms=data.ends_old_terms,
    )


async def _make(
    connection: psycopg.AsyncConnection,
    context: Context,
    signal_id: int,
    offer: NewOffer,
    since: datetime | None,
) -> int:
    try:
        found = await connection.execute(
            "select billing.make_offer(%s, %s, %s, %s, %s, %s, %s)",
            [
                *(signal_id, offer.amount_minor, offer.currency, offer.trial_days, since),
                *(offer.ends_old_terms, context.now),
            ],
        )
    except psycopg.errors.NoDataFound:
        raise Problem("no_offer", "Publish a version first: its manifest makes the offer.") from (
            None
        )
    except psycopg.errors.CheckViolation as error:
        if error.diag.constraint_name != "proposal_currency":
            raise
        raise invalid_field("currency", str(error.diag.message_primary)) from None
    row = await found.fetchone()
    assert row is not None  # noqa: S101 - a function always answers
    return int(row[0])


router = Router("/v1/signals", route_handlers=[list_offers, create_offer], tags=["signals"])
