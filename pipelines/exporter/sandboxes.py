"""What live versions took of the machine in a day."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg
from prometheus_client.core import GaugeMetricFamily

from pipelines.exporter.families import gauge, gauges

DAY = timedelta(hours=24)
# Labels are bounded: of more versions, those that take the most time are shown.
VERSIONS_AT_MOST = 500
MEGABYTE = 1 << 20

# The provider's name is not read: names of signals may repeat, the version's id does not.
USED: LiteralString = """
select s.name, v.version, v.id::text, r.cpu_ms, r.wall_ms, r.peak_memory_mb
from registry.version v join registry.signal s on s.id = v.signal_id
cross join lateral (
  select avg(cpu_ms) as cpu_ms, max(wall_ms) as wall_ms, max(peak_memory_mb) as peak_memory_mb
  from forecast.slot_record
  where version_id = v.id and slot > %s and provenance in ('live', 'late', 'missed')) r
where v.state = 'live' and r.wall_ms is not null
order by r.cpu_ms desc nulls last, v.id limit %s
"""
STATES = ("building", "live", "offline", "retired", "rejected")
LABELS = ("signal", "version", "version_id")
FIGURES = (
    ("sandbox_cpu_seconds", "Processor time of a run, mean of a day", 3, 0.001),
    ("sandbox_wall_seconds", "Longest run of a day", 4, 0.001),
    ("sandbox_peak_memory_bytes", "Memory that a run held at most, of a day", 5, MEGABYTE),
)


def sandboxes(connection: psycopg.Connection[Any], now: datetime) -> Iterator[GaugeMetricFamily]:
    """By version, and how many versions there are."""
    used = connection.execute(USED, [now - DAY, VERSIONS_AT_MOST]).fetchall()
    for name, text, column, unit in FIGURES:
        yield gauges(
            name, text, LABELS,
            ((row[:3], row[column] * unit) for row in used if row[column] is not None),
        )  # fmt: skip
    counted = dict(
        connection.execute("select state, count(*) from registry.version group by state").fetchall()
    )
    yield gauges(
        "versions", "Versions by state", ("state",),
        (((state,), counted.get(state, 0)) for state in STATES),
    )  # fmt: skip
    row = connection.execute(
        "select min(reserved_at) from registry.version where state = 'building'"
    ).fetchone()
    since = row[0] if row else None
    yield gauge(
        "build_waiting_seconds",
        "Since the oldest push that is not through the gate; 0: none waits",
        (now - since).total_seconds() if since else 0,
    )
