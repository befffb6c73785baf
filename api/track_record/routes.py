"""GET .../track-record, GET /v1/reproduction: what was owed, what became of it, what can be proved.

Nothing here is chosen by a window or hidden by a state: every version that was ever pushed
stays listed with what it owed, also when it is offline, retired or was rejected, so that a
new name of a version does not make its family younger.
"""

from datetime import datetime, timedelta
from typing import Literal, LiteralString

import msgspec
from litestar import Router, get
from litestar.params import FromPath

from api.auth.guards import anyone
from api.forecasts.stored import revealed_until
from api.formats.answers import TABLE, Table
from api.installation import RequestContext
from api.performance.stored import NOT_COMPUTED, Measure
from api.rows import fetch_all
from api.signals.lookup import find_signal


class Reproduction(msgspec.Struct, frozen=True, kw_only=True):
    """Logged forecasts, drawn by chance and run again.

    Attributes:
        reproduced: how many gave the same bytes.
        total: how many were run again.
        rate: reproduced / total; null when nothing was run again yet.
        reason: why the rate is null.
        last_at: when the newest was run again.
    """

    reproduced: int
    total: int
    rate: float | None
    reason: str | None
    last_at: datetime | None


class VersionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What one version owed; see `TrackRecord`.

    Attributes:
        pushed_at: when its push began.
        published_at: null: it was rejected.
        total_return: of the trading rule over all its live slots; as are sharpe (for a year),
            deflated_sharpe (a probability) and max_drawdown (share of the peak).
        hit_rate_with_misses: over all its due slots; as is skill_with_misses.
        reason: why the first of them that is null is null; GET .../performance?version= has each.
    """

    version: str
    state: Literal["live", "offline", "retired", "rejected"]
    pushed_at: datetime
    published_at: datetime | None
    due: int
    live: int
    late: int
    missed: int
    pending: int
    unopened: int
    total_return: float | None = None
    sharpe: float | None = None
    deflated_sharpe: float | None = None
    max_drawdown: float | None = None
    hit_rate_with_misses: float | None = None
    skill_with_misses: float | None = None
    reason: str | None = None


class TrackRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All slots that a signal ever owed.

    Attributes:
        since: the first of them.
        due: live, late, missed and pending ones, as far as it can be proven.
        missed: without an answer that counts, unopened ones among them.
        pending: recorded in time, and not covered by a checkpoint yet.
        unopened: of the missed, slots whose leaf commits to an answer that can no longer be shown.
        revealed_until: logged slots before it are public.
        trials: versions that the provider ever pushed, of all signals, rejected ones too.
        measures: of the family, as its subscribers received it; null: none yet.
        versions: newest first, whatever their state.
    """

    signal: str
    since: datetime | None
    due: int
    live: int
    late: int
    missed: int
    pending: int
    unopened: int
    revealed_until: datetime | None
    reproduction: Reproduction
    trials: int
    measures: dict[str, Measure] | None
    versions: list[VersionRecord]


class _Row(VersionRecord, frozen=True, kw_only=True):
    since: datetime | None


class _Trials(msgspec.Struct, frozen=True):
    trials: int


class _Measures(msgspec.Struct, frozen=True):
    version: str | None
    measures: dict[str, Measure]


class _Tried(msgspec.Struct, frozen=True):
    reproduced: int
    total: int
    last_at: datetime | None


VERSIONS: LiteralString = """
with lost as (select id from forecast.unopened(%(signal_id)s) as lost(id)),
slot as (
  select r.version_id, r.slot, lost.id is not null as is_unopened,
         case when lost.id is not null then 'missed' else forecast.proven_provenance(
           r.provenance, r.slot, r.leaf_index, %(deadline)s, %(now)s) end as provenance
  from forecast.slot_record r
  join registry.version v on v.id = r.version_id
  left join lost on lost.id = r.id
  where v.signal_id = %(signal_id)s and r.provenance in ('live', 'late', 'missed'))
select v.version, v.state, v.reserved_at as pushed_at, v.published_at, min(slot.slot) as since,
       count(slot.slot) as due,
       count(*) filter (where slot.provenance = 'live') as live,
       count(*) filter (where slot.provenance = 'late') as late,
       count(*) filter (where slot.provenance = 'missed') as missed,
       count(*) filter (where slot.provenance = 'pending') as pending,
       count(*) filter (where slot.is_unopened) as unopened
from registry.version v left join slot on slot.version_id = v.id
where v.signal_id = %(signal_id)s and v.state <> 'building'
group by v.id order by v.reserved_at desc, v.id desc
"""

SHOWN = (
    "total_return", "sharpe", "deflated_sharpe", "max_drawdown", "hit_rate_with_misses",
    "skill_with_misses",
)  # fmt: skip

TRIALS: LiteralString = """
select count(*) as trials from registry.version v join registry.signal g on g.id = v.signal_id
where g.provider_id = %(provider_id)s
"""

# Of the signal (no version) and of each version: what tells a record's worth.
MEASURES: LiteralString = """
select v.version, shown.measures
from score.performance p left join registry.version v on v.id = p.version_id
cross join lateral (
  select jsonb_object_agg(one.key, one.value) as measures
  from jsonb_each(p.measures->'live') as one(key, value)
  where one.key = any (%(shown)s)) shown
where p.signal_id = %(signal_id)s and p.period = 'all' and shown.measures is not null
"""

TRIED: LiteralString = """
select count(*) filter (where t.result = 'reproduced') as reproduced, count(*) as total,
       max(t.reproduced_at) as last_at
from transparency.reproduction t
join transparency.leaf l on l.index = t.leaf_index
where %(signal_id)s::bigint is null or l.signal_id = %(signal_id)s
"""


@get("/track-record", guards=[anyone], opt={TABLE: Table(VersionRecord, "versions")})
async def get_track_record(
    provider: FromPath[str], name: FromPath[str], context: RequestContext
) -> TrackRecord:
    """Every slot it ever owed, by version, misses included; and how many were reproduced."""
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        values = {
            "signal_id": signal.id,
            "provider_id": signal.provider_id,
            "shown": list(SHOWN),
            "deadline": timedelta(minutes=context.settings.live_deadline_minutes),
            "now": context.now,
        }
        rows = await fetch_all(connection, _Row, VERSIONS, values)
        tried = await fetch_all(connection, _Tried, TRIED, values)
        trials = await fetch_all(connection, _Trials, TRIALS, values)
        measured = await fetch_all(connection, _Measures, MEASURES, values)
        until = await revealed_until(connection, signal.id, context.now)
    measures = {one.version: one.measures for one in measured}
    return TrackRecord(
        signal=signal.signal,
        since=min((row.since for row in rows if row.since), default=None),
        due=sum(row.due for row in rows),
        live=sum(row.live for row in rows),
        late=sum(row.late for row in rows),
        missed=sum(row.missed for row in rows),
        pending=sum(row.pending for row in rows),
        unopened=sum(row.unopened for row in rows),
        revealed_until=until if signal.visibility == "public" else None,
        reproduction=_rate(tried[0]),
        trials=trials[0].trials,
        measures=measures.get(None),
        versions=[_public(row, measures.get(row.version)) for row in rows],
    )


@get("/v1/reproduction", guards=[anyone], tags=["performance"])
async def get_reproduction(context: RequestContext) -> Reproduction:
    """Of all signals here: logged forecasts that were run again, and how many gave the same."""
    async with context.transaction() as connection:
        tried = await fetch_all(connection, _Tried, TRIED, {"signal_id": None})
    return _rate(tried[0])


def _rate(tried: _Tried) -> Reproduction:
    return Reproduction(
        reproduced=tried.reproduced,
        total=tried.total,
        rate=tried.reproduced / tried.total if tried.total else None,
        reason=None if tried.total else "no logged forecast was run again yet",
        last_at=tried.last_at,
    )


def _public(row: _Row, measures: dict[str, Measure] | None) -> VersionRecord:
    counted = {name: getattr(row, name) for name in VersionRecord.__struct_fields__}
    if row.published_at is None:
        return VersionRecord(**counted | {"reason": "it was rejected, and answered nothing"})
    if measures is None:
        return VersionRecord(**counted | {"reason": NOT_COMPUTED})
    shown = [measures[name] for name in SHOWN]
    return VersionRecord(
        **counted
        | {name: measures[name].value for name in SHOWN}
        | {"reason": next((one.reason for one in shown if one.value is None), None)}
    )


router = Router(
    "/v1/signals/{provider:str}/{name:str}",
    route_handlers=[get_track_record],
    tags=["performance"],
)
