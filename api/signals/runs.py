"""GET .../versions/{version}/runs | logs: every slot, misses and their reasons included."""

from datetime import datetime
from typing import Annotated, Any, Literal, LiteralString, TypeVar

import msgspec
from litestar import Router, get
from litestar.params import FromPath, QueryParameter
from msgspec import Meta

from api.auth.guards import owner_or_operator
from api.forecasts.stored import terms
from api.formats.answers import TABLE, Table
from api.installation import Context, RequestContext
from api.instants import instant
from api.pages import Cursor, Limit, Page, RowId, page_of, read_cursor
from api.rows import fetch_all
from api.signals.lookup import find_signal, find_version

R = TypeVar("R", bound=msgspec.Struct)

LogLimit = Annotated[int, QueryParameter(ge=1, le=100)]
Proven = Literal["live", "late", "missed", "pending", "replayed", "backfilled"]
OnlyProven = Annotated[
    Proven | None, QueryParameter(name="provenance", description="Only these, as `proven`")
]
From = Annotated[datetime | None, QueryParameter(name="from", description="slots at or after")]
To = Annotated[datetime | None, QueryParameter(description="slots before")]


class Run(msgspec.Struct, frozen=True):
    """One slot of a version.

    Attributes:
        provenance: as it was recorded.
        proven: as far as a checkpoint proves it; pending: recorded in time, and not covered yet.
    """

    id: int
    as_of: datetime
    provenance: str
    proven: Proven
    reason: str | None
    recorded_at: datetime
    wall_ms: float
    cpu_ms: float | None
    peak_memory_mb: float | None
    engine: str
    path: str
    input_digest: str | None
    image_digest: str
    leaf_index: int | None
    dagster_run_id: str | None


class RunLog(msgspec.Struct, frozen=True):
    """`log` is what the model wrote to stdout and stderr, cut at 64 KB; `proven` as of a run."""

    id: int
    as_of: datetime
    provenance: str
    proven: Proven
    reason: str | None
    log: str


RUNS: LiteralString = """
select id, slot as as_of, provenance, proven, reason, recorded_at, wall_ms, cpu_ms,
       peak_memory_mb, engine, path, input_digest, image_digest, leaf_index, dagster_run_id
"""
LOGS: LiteralString = "select id, slot as as_of, provenance, proven, reason, log"
NEWEST_FIRST: LiteralString = """
from forecast.slot_record r
cross join lateral forecast.proven_provenance(
  r.provenance, r.slot, r.leaf_index, %(deadline)s, %(now)s) as proven
where version_id = %(version_id)s
  and (%(after_slot)s::timestamptz is null
       or (slot, id) < (%(after_slot)s, %(after_id)s::bigint))
  and (%(proven)s::text is null or proven = %(proven)s)
  and (%(from)s::timestamptz is null or slot >= %(from)s)
  and (%(to)s::timestamptz is null or slot < %(to)s)
order by slot desc, id desc limit %(limit)s
"""


@get("/runs", guards=[owner_or_operator("read", "push")], opt={TABLE: Table(Run)})
async def list_runs(
    provider: FromPath[str],
    name: FromPath[str],
    version: FromPath[str],
    context: RequestContext,
    only: OnlyProven = None,
    from_: From = None,
    to: To = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Run]:
    """Slot by slot, newest first, misses with their reasons."""
    path, filters = (provider, name, version), _filters(only, from_, to)
    rows = await _read(context, path, Run, RUNS + NEWEST_FIRST, filters, limit, cursor)
    return page_of(rows, limit, lambda run: (run.as_of, run.id))


@get("/logs", guards=[owner_or_operator("read", "push")])
async def list_logs(
    provider: FromPath[str],
    name: FromPath[str],
    version: FromPath[str],
    context: RequestContext,
    only: OnlyProven = None,
    from_: From = None,
    to: To = None,
    limit: LogLimit = 10,
    cursor: Cursor = None,
) -> Page[RunLog]:
    """What the model wrote, slot by slot, newest first."""
    path, filters = (provider, name, version), _filters(only, from_, to)
    rows = await _read(context, path, RunLog, LOGS + NEWEST_FIRST, filters, limit, cursor)
    return page_of(rows, limit, lambda run: (run.as_of, run.id))


def _filters(only: Proven | None, from_: datetime | None, to: datetime | None) -> dict[str, Any]:
    return {"proven": only, "from": instant("from", from_), "to": instant("to", to)}


async def _read(
    context: Context,
    path: tuple[str, str, str],
    kind: type[R],
    query: LiteralString,
    filters: dict[str, Any],
    limit: int,
    cursor: str | None,
) -> list[R]:
    provider, name, version = path
    after = read_cursor(cursor, tuple[Annotated[datetime, Meta(tz=True)], RowId])
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        known = await find_version(connection, signal, version)
        values = {
            "version_id": known.id,
            "after_slot": after and after[0],
            "after_id": after and after[1],
            "limit": limit + 1,
        }
        values |= filters | terms(context)
        return await fetch_all(connection, kind, query, values)


router = Router(
    "/v1/signals/{provider:str}/{name:str}/versions/{version:str}",
    route_handlers=[list_runs, list_logs],
    tags=["versions"],
)
