"""What the sandboxes did at the slots of 24 hours, by engine and path."""

from datetime import datetime
from typing import LiteralString

import msgspec
import psycopg

from api.rows import fetch_all


class Sandboxes(msgspec.Struct, frozen=True, kw_only=True):
    """Runs in one engine, by one path; 95 of 100 took no longer than `..._p95`.

    Attributes:
        engine: docker or embedded.
        path: cold, forked, or replay.
        answered: by provenance live, late, replayed or backfilled.
        missed: due slots without an answer; replayed ones leave no record.
        cpu_ms_p50: null where no run's was measured, as is cpu_ms_p95.
        peak_memory_mb: MiB of the biggest; null likewise.
        last_at: when the newest of these runs was recorded.
    """

    engine: str
    path: str
    runs: int
    answered: int
    missed: int
    wall_ms_p50: float
    wall_ms_p95: float
    cpu_ms_p50: float | None
    cpu_ms_p95: float | None
    peak_memory_mb: float | None
    last_at: datetime


USED: LiteralString = """
select r.engine, r.path, count(*) as runs,
       count(*) filter (where r.provenance <> 'missed') as answered,
       count(*) filter (where r.provenance = 'missed') as missed,
       percentile_cont(0.5) within group (order by r.wall_ms) as wall_ms_p50,
       percentile_cont(0.95) within group (order by r.wall_ms) as wall_ms_p95,
       percentile_cont(0.5) within group (order by r.cpu_ms) as cpu_ms_p50,
       percentile_cont(0.95) within group (order by r.cpu_ms) as cpu_ms_p95,
       max(r.peak_memory_mb) as peak_memory_mb, max(r.recorded_at) as last_at
from forecast.slot_record r where r.slot >= %(since)s
group by r.engine, r.path order by r.engine, r.path
"""


async def sandboxes(connection: psycopg.AsyncConnection, since: datetime) -> list[Sandboxes]:
    """Those used at slots from `since` on."""
    return await fetch_all(connection, Sandboxes, USED, {"since": since})
