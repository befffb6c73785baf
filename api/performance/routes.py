"""GET .../performance: scores of what was live, apart from what was run afterwards.

`live` is the headline: recorded by the deadline, and covered by a checkpoint whose
quorum was reached by then, so that a stranger can check it. What ran late, in
replay or before publication stands beside it and never in it. A number that cannot
be computed is null with a reason, never zero.

Groups are counted at the time of asking. `measures` are computed once an hour, by `as_of`:
the row of a signal without `version` is what its subscribers received, slot by slot.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, LiteralString

import msgspec
from litestar import Router, get
from litestar.params import FromPath, FromQuery, QueryParameter

from api.auth.guards import anyone
from api.formats.answers import ETAG
from api.installation import Context, RequestContext
from api.performance.stored import (
    NOT_COMPUTED,
    Measured,
    StoredPerformance,
    stored_performance,
)
from api.rows import fetch_all
from api.signals.lookup import KnownSignal, find_signal, find_version

Window = Literal["30d", "90d", "all"]
DUE = ("live", "late", "missed", "pending")
DAYS: dict[Window, int | None] = {"30d": 30, "90d": 90, "all": None}


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of one provenance.

    Attributes:
        count: slots answered.
        resolved: of these, slots with at least one outcome.
        scored_forecasts: forecasts with an outcome; the means are over them.
        mean_absolute_error: in the unit of the target.
        root_mean_squared_error: in the unit of the target.
        hit_rate: right directions, of the forecasts that had one.
        abstentions: scored forecasts in which the model or the market had no direction.
        reason: why the scores are null.
        hit_rate_reason: why the hit rate is null.
    """

    count: int = 0
    resolved: int = 0
    scored_forecasts: int = 0
    mean_absolute_error: float | None = None
    root_mean_squared_error: float | None = None
    hit_rate: float | None = None
    abstentions: int = 0
    reason: str | None = None
    hit_rate_reason: str | None = None


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """Scores by provenance, as far as it can be proven.

    Attributes:
        due: slots that had to be answered: live, late, missed and pending ones.
        missed: of these, slots without an answer.
        pending: of these, slots recorded in time that no checkpoint covers yet; they
            become live or late and are not scored before.
        unopened: of the missed, slots whose leaf commits to an answer that can no longer be shown.
        as_of: the measures are of slots before it.
        computed_at: when they were computed.
        live_since: the first slot ever that was proven live, by then.
        measures: of the window; null: not computed yet.
        measures_reason: why the measures are null.
        definitions: where each measure is defined.
    """

    signal: str
    window: Window
    version: str | None
    target: str | None
    due: int
    missed: int
    pending: int
    unopened: int
    live: Group
    late: Group
    replayed: Group
    backfilled: Group
    live_deadline_minutes: int
    is_sample_data: bool
    as_of: datetime | None
    computed_at: datetime | None
    live_since: datetime | None
    measures: Measured | None
    measures_reason: str | None
    definitions: str = "/v1/metrics"


class _Row(msgspec.Struct, frozen=True):
    provenance: str
    count: int
    unopened: int
    resolved: int
    scored_forecasts: int
    abstentions: int
    mean_absolute_error: float | None
    root_mean_squared_error: float | None
    hit_rate: float | None


GROUPS: LiteralString = """
with slot as (
  select r.id, lost.id is not null as is_unopened,
         case when lost.id is not null then 'missed' else forecast.proven_provenance(
           r.provenance, r.slot, r.leaf_index, %(deadline)s, %(now)s) end as provenance
  from forecast.slot_record r
  join registry.version v on v.id = r.version_id
  left join forecast.unopened(%(signal_id)s) as lost(id) on lost.id = r.id
  where v.signal_id = %(signal_id)s
    and (%(version_id)s::bigint is null or v.id = %(version_id)s)
    and (%(since)s::timestamptz is null or r.slot >= %(since)s)),
newest as (
  select distinct on (s.slot_record_id, s.instrument_id, s.horizon_hours)
         s.slot_record_id, s.absolute_error, s.squared_error, s.hit
  from score.score s join slot on slot.id = s.slot_record_id
  order by s.slot_record_id, s.instrument_id, s.horizon_hours, s.outcome_batch_id desc)
select slot.provenance, count(distinct slot.id) as count,
       count(distinct slot.id) filter (where slot.is_unopened) as unopened,
       count(distinct newest.slot_record_id) as resolved,
       count(newest.slot_record_id) as scored_forecasts,
       count(newest.slot_record_id) - count(newest.hit) as abstentions,
       avg(newest.absolute_error) as mean_absolute_error,
       sqrt(avg(newest.squared_error)) as root_mean_squared_error,
       avg(newest.hit::int)::float8 as hit_rate
from slot left join newest on newest.slot_record_id = slot.id
group by slot.provenance
"""

FACTS: LiteralString = """
select newest.manifest->'forecast'->>'target' as target,
       exists (select 1 from market.instrument i
               where i.is_sample and newest.manifest->'forecast'->'symbols' ? i.symbol)
         as is_sample_data
from (select v.manifest from registry.version v
      where v.signal_id = %(signal_id)s and v.published_at is not null
        and (%(version_id)s::bigint is null or v.id = %(version_id)s)
      order by v.published_at desc, v.id desc limit 1) newest
"""


class _Facts(msgspec.Struct, frozen=True):
    target: str | None = None
    is_sample_data: bool = False


@get("/performance", guards=[anyone], opt={ETAG: True})
async def get_performance(
    provider: FromPath[str],
    name: FromPath[str],
    context: RequestContext,
    window: FromQuery[Window] = "30d",
    version: Annotated[str | None, QueryParameter(max_length=40)] = None,
) -> Performance:
    """Live, late, replayed and backfilled slots apart; an unknown number is null, with a reason."""
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        known = await find_version(connection, signal, version) if version else None
        values = {
            "signal_id": signal.id,
            "version_id": known.id if known else None,
            "since": _since(window, context.now),
            "deadline": timedelta(minutes=context.settings.live_deadline_minutes),
            "now": context.now,
        }
        rows = await fetch_all(connection, _Row, GROUPS, values)
        facts = await fetch_all(connection, _Facts, FACTS, values)
        stored = await stored_performance(
            connection, signal.id, known.id if known else None, window
        )
    return _performance(context, signal, window, version, rows, (facts or [_Facts()])[0], stored)


def _since(window: Window, now: datetime) -> datetime | None:
    days = DAYS[window]
    return None if days is None else now - timedelta(days=days)


def _performance(
    context: Context,
    signal: KnownSignal,
    window: Window,
    version: str | None,
    rows: list[_Row],
    facts: _Facts,
    stored: StoredPerformance | None,
) -> Performance:
    counts = {row.provenance: row.count for row in rows}
    groups: dict[str, Any] = {
        provenance: _group(provenance, [row for row in rows if row.provenance == provenance])
        for provenance in ("live", "late", "replayed", "backfilled")
    }
    return Performance(
        signal=signal.signal,
        window=window,
        version=version,
        target=facts.target,
        due=sum(counts.get(provenance, 0) for provenance in DUE),
        missed=counts.get("missed", 0),
        pending=counts.get("pending", 0),
        unopened=sum(row.unopened for row in rows),
        live_deadline_minutes=context.settings.live_deadline_minutes,
        is_sample_data=facts.is_sample_data,
        as_of=stored.as_of if stored else None,
        computed_at=stored.computed_at if stored else None,
        live_since=stored.live_since if stored else None,
        measures=stored.measures if stored else None,
        measures_reason=None if stored else NOT_COMPUTED,
        **groups,
    )


def _group(provenance: str, rows: list[_Row]) -> Group:
    if not rows:
        return _unscored(f"no {provenance} slot in this window", count=0)
    row = rows[0]
    if row.scored_forecasts == 0:
        return _unscored("no outcome is known yet", count=row.count)
    return Group(
        count=row.count,
        resolved=row.resolved,
        scored_forecasts=row.scored_forecasts,
        mean_absolute_error=row.mean_absolute_error,
        root_mean_squared_error=row.root_mean_squared_error,
        hit_rate=row.hit_rate,
        abstentions=row.abstentions,
        hit_rate_reason="no forecast had a direction" if row.hit_rate is None else None,
    )


def _unscored(reason: str, count: int) -> Group:
    return Group(count=count, reason=reason, hit_rate_reason=reason)


router = Router(
    "/v1/signals/{provider:str}/{name:str}",
    route_handlers=[get_performance],
    tags=["performance"],
)
