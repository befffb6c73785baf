"""GET /v1/admin/runs: slots of every signal, misses and their reasons included."""

from datetime import datetime
from typing import Annotated, Literal, LiteralString, get_args

import msgspec
from litestar import get
from litestar.params import QueryParameter

from api.auth.guards import operator
from api.installation import RequestContext
from api.instants import instant
from api.pages import Cursor, Limit, Page, RowId, page_of, read_cursor
from api.problems import invalid_field
from api.rows import fetch_all

Provenance = Literal["live", "late", "missed", "replayed", "backfilled"]


class AnyRun(msgspec.Struct, frozen=True, kw_only=True):
    """One slot of one version, as it was recorded.

    Attributes:
        reason: why it was missed.
        run_again_at: of a missed slot: when it was run again and answered. It stays missed: that
            answer is `replayed`, a record of its own without a leaf.
    """

    id: int
    signal: str
    version: str
    as_of: datetime
    provenance: Provenance
    reason: str | None
    recorded_at: datetime
    wall_ms: float
    cpu_ms: float | None
    peak_memory_mb: float | None
    engine: str
    path: str
    leaf_index: int | None
    dagster_run_id: str | None
    run_again_at: datetime | None


RUNS: LiteralString = """
select r.id, p.handle || '/' || g.name as signal, v.version, r.slot as as_of, r.provenance,
       r.reason, r.recorded_at, r.wall_ms, r.cpu_ms, r.peak_memory_mb, r.engine, r.path,
       r.leaf_index, r.dagster_run_id,
       (select x.recorded_at from forecast.slot_record x
        where r.provenance = 'missed' and x.version_id = r.version_id and x.slot = r.slot
          and x.provenance = 'replayed') as run_again_at
from forecast.slot_record r
join registry.version v on v.id = r.version_id
join registry.signal g on g.id = v.signal_id
join account.user_account p on p.id = g.provider_id
where (%(before)s::bigint is null or r.id < %(before)s)
  and (%(provenances)s::text[] is null or r.provenance = any(%(provenances)s))
  and (%(signal)s::text is null or p.handle || '/' || g.name = %(signal)s)
  and (%(version)s::text is null or v.version = %(version)s)
  and (%(from)s::timestamptz is null or r.slot >= %(from)s)
  and (%(to)s::timestamptz is null or r.slot < %(to)s)
order by r.id desc limit %(limit)s
"""


@get("/v1/admin/runs", guards=[operator], tags=["admin"])
async def list_all_runs(
    context: RequestContext,
    provenance: Annotated[
        str | None, QueryParameter(max_length=60, description="Only these; by commas")
    ] = None,
    signal: Annotated[
        str | None, QueryParameter(max_length=100, description="provider/name")
    ] = None,
    version: Annotated[str | None, QueryParameter(max_length=40)] = None,
    from_: Annotated[
        datetime | None, QueryParameter(name="from", description="as_of at or after")
    ] = None,
    to: Annotated[datetime | None, QueryParameter(description="as_of before")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[AnyRun]:
    """Last recorded first."""
    values = {
        "before": read_cursor(cursor, RowId),
        "provenances": _provenances(provenance),
        "signal": signal,
        "version": version,
        "from": instant("from", from_),
        "to": instant("to", to),
        "limit": limit + 1,
    }
    async with context.transaction() as connection:
        rows = await fetch_all(connection, AnyRun, RUNS, values)
    return page_of(rows, limit, lambda run: run.id)


def _provenances(written: str | None) -> list[str] | None:
    if written is None:
        return None
    names, known = written.split(","), get_args(Provenance)
    for name in names:
        if name not in known:
            raise invalid_field("provenance", f"{name!r} is none of {', '.join(known)}")
    return names
