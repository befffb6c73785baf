"""GET /v1/admin/runs: slots of every signal, misses and their reasons included."""

from datetime import datetime
from typing import Annotated, Literal, LiteralString

import msgspec
from litestar import get
from litestar.params import QueryParameter

from api.auth.guards import operator
from api.installation import RequestContext
from api.pages import Cursor, Limit, Page, RowId, page_of, read_cursor
from api.rows import fetch_all

Provenance = Literal["live", "late", "missed", "replayed", "backfilled"]


class AnyRun(msgspec.Struct, frozen=True, kw_only=True):
    """One slot of one version, as it was recorded; `reason` says why it was missed."""

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


RUNS: LiteralString = """
select r.id, p.handle || '/' || g.name as signal, v.version, r.slot as as_of, r.provenance,
       r.reason, r.recorded_at, r.wall_ms, r.cpu_ms, r.peak_memory_mb, r.engine, r.path,
       r.leaf_index, r.dagster_run_id
from forecast.slot_record r
join registry.version v on v.id = r.version_id
join registry.signal g on g.id = v.signal_id
join account.user_account p on p.id = g.provider_id
where (%(before)s::bigint is null or r.id < %(before)s)
  and (%(provenance)s::text is null or r.provenance = %(provenance)s)
  and (%(signal)s::text is null or p.handle || '/' || g.name = %(signal)s)
order by r.id desc limit %(limit)s
"""


@get("/v1/admin/runs", guards=[operator], tags=["admin"])
async def list_all_runs(
    context: RequestContext,
    provenance: Annotated[Provenance | None, QueryParameter(description="Only these")] = None,
    signal: Annotated[
        str | None, QueryParameter(max_length=100, description="provider/name")
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[AnyRun]:
    """Last recorded first."""
    values = {
        "before": read_cursor(cursor, RowId),
        "provenance": provenance,
        "signal": signal,
        "limit": limit + 1,
    }
    async with context.transaction() as connection:
        rows = await fetch_all(connection, AnyRun, RUNS, values)
    return page_of(rows, limit, lambda run: run.id)
