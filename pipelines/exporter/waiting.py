"""Letters and deliveries to webhooks that are not sent yet."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg
from prometheus_client.core import GaugeMetricFamily

from pipelines.exporter.families import gauges


def outboxes(connection: psycopg.Connection[Any], now: datetime) -> Iterator[GaugeMetricFamily]:
    """What waits; overdue is what nobody tries though its time has come."""
    found = connection.execute("select outbox, waiting, due_at from account.outboxes()").fetchall()
    yield gauges(
        "outbox_waiting", "Letters, and deliveries to webhooks, not sent yet", ("outbox",),
        (((outbox,), waiting) for outbox, waiting, _ in found),
    )  # fmt: skip
    yield gauges(
        "outbox_overdue_seconds", "Since the first of them should have been tried; 0: none is due",
        ("outbox",),
        (((outbox,), max((now - due).total_seconds(), 0) if due else 0)
         for outbox, _, due in found),
    )  # fmt: skip
