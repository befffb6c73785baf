"""GET /v1/provider/signals: each of one's own at a glance, private and unpublished ones too."""

from datetime import datetime
from typing import Literal, LiteralString

import msgspec
from litestar import get

from api.auth.guards import signed_in
from api.forecasts.stored import terms
from api.installation import RequestContext
from api.pages import Cursor, Limit, Page, RowId, page_of, read_cursor
from api.rows import fetch_all


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """`why` explains a rejection."""

    version: str
    state: Literal["building", "live", "offline", "retired", "rejected"]
    reserved_at: datetime
    why: str | None


class LastSlot(msgspec.Struct, frozen=True, kw_only=True):
    """The newest due slot on record; `proven` as far as a checkpoint proves it."""

    version: str
    as_of: datetime
    proven: Literal["live", "late", "missed", "pending"]
    reason: str | None


class Earned(msgspec.Struct, frozen=True):
    """In minor units, after the platform's fee and what went back."""

    currency: str
    earned_minor: int


class OwnSignal(msgspec.Struct, frozen=True, kw_only=True):
    """A signal as its provider sees it.

    Attributes:
        live_versions: those that run each hour, newest first.
        last_push: the newest version, whatever became of it; null: nothing was pushed yet.
        last_slot: null: no slot was due yet.
        paying: people with paid access now.
        trialing: people in their trial now.
        earned: this month so far, per currency.
    """

    signal: str
    name: str
    title: str
    visibility: Literal["private", "public"]
    created_at: datetime
    live_versions: list[str]
    last_push: Push | None
    last_slot: LastSlot | None
    paying: int
    trialing: int
    earned: list[Earned]


class _Row(OwnSignal, frozen=True, kw_only=True):
    id: int


OWN: LiteralString = """
select g.id, p.handle || '/' || g.name as signal, g.name, g.title, g.visibility, g.created_at,
       coalesce(run.live_versions, '[]') as live_versions, push.last_push, due.last_slot,
       coalesce(readers.paying, 0) as paying, coalesce(readers.trialing, 0) as trialing,
       coalesce(month.earned, '[]') as earned
from registry.signal g
join account.user_account p on p.id = g.provider_id
left join ledger.own_signals() readers on readers.signal = p.handle || '/' || g.name
left join lateral (
  select jsonb_agg(v.version order by v.published_at desc, v.id desc) as live_versions
  from registry.version v where v.signal_id = g.id and v.state = 'live') run on true
left join lateral (
  select jsonb_build_object('version', v.version, 'state', v.state, 'reserved_at', v.reserved_at,
                            'why', v.why) as last_push
  from registry.version v where v.signal_id = g.id
  order by v.reserved_at desc, v.id desc limit 1) push on true
left join lateral (
  select jsonb_build_object('version', r.version, 'as_of', r.slot, 'reason', r.reason,
           'proven', forecast.proven_provenance(
             r.provenance, r.slot, r.leaf_index, %(deadline)s, %(now)s)) as last_slot
  from (select v.version, newest.* from registry.version v
        cross join lateral (
          select r.slot, r.reason, r.provenance, r.leaf_index from forecast.slot_record r
          where r.version_id = v.id and r.provenance in ('live', 'late', 'missed')
          order by r.slot desc limit 1) newest
        where v.signal_id = g.id
        order by newest.slot desc, v.id desc limit 1) r) due on true
left join lateral (
  select jsonb_agg(jsonb_build_object('currency', e.currency, 'earned_minor', e.earned_minor)
                   order by e.currency) as earned
  from ledger.own_earnings(%(month)s) e where e.signal_id = g.id) month on true
where g.provider_id = %(user_id)s and (%(before)s::bigint is null or g.id < %(before)s)
order by g.id desc limit %(limit)s
"""


@get("/signals", guards=[signed_in("read")])
async def list_own_signals(
    context: RequestContext, limit: Limit = 100, cursor: Cursor = None
) -> Page[OwnSignal]:
    """Your signals, newest first: what runs, the last push and slot, readers, this month."""
    values = terms(context) | {
        "user_id": context.person.user_id,
        "month": context.now.date().replace(day=1),
        "before": read_cursor(cursor, RowId),
        "limit": limit + 1,
    }
    async with context.transaction() as connection:
        rows = await fetch_all(connection, _Row, OWN, values)
    page = page_of(rows, limit, lambda row: row.id)
    return Page([_public(row) for row in page.items], page.next)


def _public(row: _Row) -> OwnSignal:
    return OwnSignal(**{name: getattr(row, name) for name in OwnSignal.__struct_fields__})
