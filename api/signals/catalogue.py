"""Signals as the catalogue shows them, one or many."""

from datetime import datetime
from typing import Any, Literal, LiteralString

import msgspec
import psycopg

from api.installation import Context
from api.performance.stored import Measure
from api.rows import fetch_all


class Offer(msgspec.Struct, frozen=True):
    """`amount_minor` is per month, in cents; slots are public `reveal_after_hours` later."""

    amount_minor: int
    currency: str
    trial_days: int
    reveal_after_hours: int


class Headline(msgspec.Struct, frozen=True, kw_only=True):
    """What was proven live over the whole of its record, as its subscribers received it.

    Attributes:
        as_of: slots before it count; null: nothing was computed yet.
        live_since: first live slot ever.
        live_slots: how many.
        sharpe: annualised, of the declared trading rule after costs.
        max_drawdown: share of the peak, 0 to 1.
        skill: 1 - loss / loss of the best naive baseline.
        hit_rate: right directions, of those that had one.
        reasons: by name, why a number above is null.
        so_far: sharpe, total_return, max_drawdown, skill_with_misses and hit_rate_with_misses of
            the live record however short it is, with intervals; empty: nothing was computed yet.
        afterwards: total_return, sharpe and max_drawdown of replayed and backfilled slots, which
            are hypothetical; empty: nothing was computed yet.
    """

    as_of: datetime | None
    live_since: datetime | None
    live_slots: int
    sharpe: float | None
    max_drawdown: float | None
    skill: float | None
    hit_rate: float | None
    reasons: dict[str, str]
    so_far: dict[str, Measure]
    afterwards: dict[str, Measure]


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of the newest published version; null where none was published yet."""

    signal: str
    provider: str
    name: str
    title: str
    description: str
    visibility: Literal["private", "public"]
    created_at: datetime
    symbols: list[str]
    horizons_hours: list[int]
    target: str | None = None
    version: str | None = None
    state: str | None = None
    live_since: datetime | None = None
    offer: Offer | None = None
    headline: Headline
    is_sample_data: bool
    is_own: bool
    git_url: str


SO_FAR = ("sharpe", "total_return", "max_drawdown", "skill_with_misses", "hit_rate_with_misses")


class Row(Signal, frozen=True, kw_only=True):
    id: int


COLUMNS: LiteralString = """
select g.id, p.handle || '/' || g.name as signal, p.handle as provider, g.name, g.title,
       g.description, g.visibility, g.created_at,
       coalesce(newest.manifest->'forecast'->'symbols', '[]') as symbols,
       coalesce(newest.manifest->'forecast'->'horizons_hours', '[]') as horizons_hours,
       coalesce(newest.manifest->'forecast'->>'target', 'return') as target,
       newest.version, newest.state,
       (select min(v.published_at) from registry.version v where v.signal_id = g.id) as live_since,
       case when offer.amount_minor is not null then jsonb_build_object(
         'amount_minor', offer.amount_minor, 'currency', offer.currency,
         'trial_days', offer.trial_days,
         'reveal_after_hours', offer.reveal_after_hours) end as offer,
       jsonb_build_object(
         'as_of', h.as_of, 'live_since', h.live_since, 'live_slots', coalesce(h.live_slots, 0),
         'sharpe', h.sharpe, 'max_drawdown', h.max_drawdown, 'skill', h.skill,
         'hit_rate', h.hit_rate,
         'reasons', (
           select coalesce(jsonb_object_agg(named.name, coalesce(
                    h.measures->named.name->>'reason', 'nothing was computed yet')), '{}')
           from (values ('sharpe', h.sharpe), ('max_drawdown', h.max_drawdown), ('skill', h.skill),
                        ('hit_rate', h.hit_rate)) as named(name, value)
           where named.value is null),
         'so_far', (
           select coalesce(jsonb_object_agg(one.key, one.value), '{}')
           from jsonb_each(h.measures->'live') as one(key, value)
           where one.key = any (%(so_far)s)),
         'afterwards', (
           select coalesce(jsonb_object_agg(one.key, one.value), '{}')
           from jsonb_each(h.measures->'afterwards') as one(key, value)
           where one.key = any (%(so_far)s))) as headline,
       exists (select 1 from market.instrument i
               where i.is_sample and newest.manifest->'forecast'->'symbols' ? i.symbol)
         as is_sample_data,
       g.provider_id = %(user_id)s is true as is_own,
       %(git_url)s || '/git/' || p.handle || '/' || g.name || '.git' as git_url
"""
SOURCES: LiteralString = """
from registry.signal g
join account.user_account p on p.id = g.provider_id
left join lateral (
  select v.version, v.state, v.manifest from registry.version v
  where v.signal_id = g.id and v.published_at is not null
  order by v.published_at desc, v.id desc limit 1) newest on true
left join lateral (
  select o.amount_minor, o.currency, o.trial_days, o.reveal_after_hours from billing.price o
  where o.signal_id = g.id and o.valid_from <= %(now)s
  order by o.valid_from desc, o.id desc limit 1) offer on true
left join score.performance h
  on h.signal_id = g.id and h.version_id is null and h.period = 'all'
"""


def values_of(context: Context) -> dict[str, Any]:
    return {
        "now": context.now,
        "user_id": context.caller.user_id if context.caller else None,
        "git_url": context.settings.git_url,
        "so_far": list(SO_FAR),
    }


def public(row: Row) -> Signal:
    fields = {name: getattr(row, name) for name in Signal.__struct_fields__}
    return Signal(**fields)


async def one(connection: psycopg.AsyncConnection, context: Context, signal_id: int) -> Signal:
    """A signal that `lookup.find_signal` has found."""
    (found,) = await some(connection, context, [signal_id])
    return found


async def some(
    connection: psycopg.AsyncConnection, context: Context, signal_ids: list[int]
) -> list[Signal]:
    """Several of them, in the order asked for."""
    query: LiteralString = COLUMNS + SOURCES + "where g.id = any (%(ids)s)"
    rows = await fetch_all(connection, Row, query, values_of(context) | {"ids": signal_ids})
    return [public(row) for row in sorted(rows, key=lambda row: signal_ids.index(row.id))]
