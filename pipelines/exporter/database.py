"""The database itself, as any role sees it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from prometheus_client.core import GaugeMetricFamily

from pipelines.exporter.families import gauge, gauges
from sql.clock import system_clock

SIZES: LiteralString = """
select d.datname, pg_database_size(d.oid), s.numbackends
from pg_database d join pg_stat_database s on s.datid = d.oid
where d.datname in (current_database(), %s)
"""
LIMIT: LiteralString = "select current_setting('max_connections')::int, clock_timestamp()"


def database(
    connection: psycopg.Connection[Any], _: datetime, dagster: str
) -> Iterator[GaugeMetricFamily]:
    """Sizes, connections, and how far its clock is from ours."""
    before = system_clock()
    limit, theirs = connection.execute(LIMIT).fetchone() or (0, before)
    after = system_clock()
    rows = connection.execute(SIZES, [dagster]).fetchall()
    yield gauges("database_size_bytes", "On disk", ("database",), (((r[0],), r[1]) for r in rows))
    yield gauges("database_connections", "Open", ("database",), (((r[0],), r[2]) for r in rows))
    yield gauge("database_connections_at_most", "max_connections of the server", limit)
    # Half of the way there and back is the answer's own: a slow network is no wrong clock.
    middle = before + (after - before) / 2
    yield gauge(
        "clock_offset_seconds", "The database's clock less the exporter's",
        (theirs - middle).total_seconds(),
    )  # fmt: skip
