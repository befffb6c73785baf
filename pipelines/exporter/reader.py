"""One reading of everything, kept for some seconds."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

import psycopg
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from psycopg.conninfo import make_conninfo

from pipelines.exporter.dagster import dagster
from pipelines.exporter.database import database
from pipelines.exporter.families import gauge, gauges
from pipelines.exporter.feeds import feeds
from pipelines.exporter.log import log
from pipelines.exporter.machine import machine
from pipelines.exporter.sandboxes import sandboxes
from pipelines.exporter.settings import ExporterSettings
from pipelines.exporter.slots import slots
from pipelines.exporter.waiting import outboxes
from sql.clock import clock_of, system_clock
from sql.roles import conninfo

logger = logging.getLogger("signalbox.exporter")

STATEMENT_MS = 5000
CONNECT_SECONDS = 5

Part = Callable[[psycopg.Connection[Any], datetime], Iterator[GaugeMetricFamily]]


class Reader:
    """Reads when asked, one reading at a time."""

    def __init__(self, settings: ExporterSettings) -> None:
        self._settings = settings
        self._clock = clock_of(settings.environment, settings.demo_clock)
        self._turn = threading.Lock()
        self._kept: tuple[float, bytes] | None = None
        self._parts: dict[str, Part] = {
            "slots": slots,
            "sandboxes": sandboxes,
            "feeds": feeds,
            "log": log,
            "outboxes": outboxes,
            "database": partial(database, dagster=settings.dagster_database),
        }

    def written(self) -> bytes:
        """Everything, in Prometheus' text format; who asks meanwhile is given the same."""
        with self._turn:
            if self._kept is None or time.monotonic() > self._kept[0]:
                text = self._read()
                self._kept = (time.monotonic() + self._settings.exporter_keep_seconds, text)
            return self._kept[1]

    def _read(self) -> bytes:
        began = time.monotonic()
        faults: dict[str, int] = {}
        families = [
            *self._of_database("", self._parts, self._clock(), faults),
            *self._of_database(
                self._settings.dagster_database, {"dagster": dagster}, system_clock(), faults
            ),
            *_attempt("machine", lambda: machine(self._settings, system_clock()), faults),
        ]
        families.append(
            gauges(
                "exporter_part_up", "1 where a part of the figures could be read", ("part",),
                (((part,), 1 - fault) for part, fault in faults.items()),
            )
        )  # fmt: skip
        took = time.monotonic() - began
        families.append(gauge("exporter_read_seconds", "How long this reading took", took))
        return _text(families)

    def _of_database(
        self, name: str, parts: dict[str, Part], now: datetime, faults: dict[str, int]
    ) -> list[GaugeMetricFamily]:
        found: list[GaugeMetricFamily] = []
        label = "dagster" if name else "signalbox"
        try:
            with self._connection(name) as connection:
                for part, read in parts.items():
                    found += _attempt(part, partial(read, connection, now), faults)
        except psycopg.OperationalError as error:
            logger.warning("no answer from database %s: %s", label, error)
            faults |= dict.fromkeys(parts, 1)
            is_up = 0
        else:
            is_up = 1
        text = f"1 while the database of {label} answers"
        return [*found, gauge("database_up" if not name else "dagster_database_up", text, is_up)]

    @contextmanager
    def _connection(self, name: str) -> Iterator[psycopg.Connection[Any]]:
        url = conninfo(self._settings.database_url)
        with psycopg.connect(
            make_conninfo(url, dbname=name) if name else url,
            autocommit=True,
            application_name="signalbox exporter",
            connect_timeout=CONNECT_SECONDS,
        ) as connection:
            connection.execute(f"set statement_timeout = {STATEMENT_MS}")
            connection.execute("set default_transaction_read_only = on")
            yield connection


def _attempt(
    part: str, read: Callable[[], Iterator[GaugeMetricFamily]], faults: dict[str, int]
) -> list[GaugeMetricFamily]:
    """A part's figures; none of them where one cannot be read."""
    try:
        found = list(read())
    except (psycopg.Error, OSError) as error:
        if isinstance(error, psycopg.OperationalError) and not _is_timeout(error):
            raise
        logger.warning("%s: %s", part, error)
        faults[part] = 1
        return []
    faults[part] = 0
    return found


def _is_timeout(error: psycopg.Error) -> bool:
    return isinstance(error, psycopg.errors.QueryCanceled)


class _Read(Collector):
    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> list[GaugeMetricFamily]:
        return self._families


def _text(families: list[GaugeMetricFamily]) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Read(families))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return generate_latest(registry)
