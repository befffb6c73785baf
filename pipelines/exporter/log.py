"""The log: how long it is, and how much of it is public."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from prometheus_client.core import GaugeMetricFamily

from pipelines.exporter.families import gauge, gauges
from sql.coverage import COVERAGE, Coverage

SIGNED: LiteralString = """
select max(c.signed_at),
       (select l.appended_at from transparency.leaf l where l.index = coalesce(max(c.size), 0))
from transparency.checkpoint c
"""


def log(connection: psycopg.Connection[Any], now: datetime) -> Iterator[GaugeMetricFamily]:
    """Leaves, and the ages of what is not covered."""
    row = connection.execute(COVERAGE).fetchone()
    coverage = Coverage(*row) if row else Coverage(0, 0, 0, None, None)
    yield gauges(
        "log_leaves", "Leaves of the log: all, under a checkpoint, under one with its quorum",
        ("covered_by",),
        ((("nothing",), coverage.leaves), (("checkpoint",), coverage.checkpoint_size),
         (("quorum",), coverage.quorum_size)),
    )  # fmt: skip
    signed_at, unsigned_since = connection.execute(SIGNED).fetchone() or (None, None)
    for name, text, since in (
        (
            "log_uncovered_seconds",
            "Age of the oldest leaf without a quorum",
            coverage.uncovered_since,
        ),
        ("log_unsigned_seconds", "Age of the oldest leaf under no checkpoint", unsigned_since),
        ("log_checkpoint_age_seconds", "Since a checkpoint was signed", signed_at),
    ):
        yield gauge(name, f"{text}; 0: none", (now - since).total_seconds() if since else 0)
