"""GET /metrics: what this process does, for Prometheus.

Counted where answers leave the process, hot reads included; the rest is looked up when it
is asked for. Nothing of a person or a signal is in it. Who asks shows the bearer token of
`SIGNALBOX_METRICS_TOKEN_FILE`; without one it is closed in production, open elsewhere.
"""

import hmac
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.types import Message, Send
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from api.auth.guards import anyone
from api.auth.middleware import IGNORES_CREDENTIALS
from api.installation import Installation, RequestContext
from api.problems import Problem
from api.rows import fetch_one
from sql.configuration import ConfigurationError
from sql.coverage import COVERAGE, Coverage

# Litestar adds the charset.
MEDIA_TYPE = CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8")
TOKEN_BYTES_AT_LEAST = 16
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Measurements:
    """Of one API process.

    Args:
        installation: whose pool and listener are looked at.
        streams: how many event streams are open.
    """

    def __init__(self, installation: Installation, streams: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        self._token = _token(installation.settings.metrics_token_file)
        self._is_open = self._token is None and not installation.settings.is_production
        self._answers = Counter(
            "signalbox_api_answers",
            "Answers of routes, by method and status",
            ("method", "status"),
            registry=self.registry,
        )
        self.hot = Counter(
            "signalbox_api_hot_answers",
            "Answers of hot reads, from kept bytes or made for them",
            registry=self.registry,
        )
        self._seconds = Histogram(
            "signalbox_api_answer_seconds",
            "From a request to the beginning of a route's answer",
            buckets=SECONDS,
            registry=self.registry,
        )
        self._leaves = Gauge(
            "signalbox_log_leaves",
            "Leaves of the log: appended, under a signed checkpoint, under one with its quorum",
            ("covered_by",),
            registry=self.registry,
        )
        self._uncovered_s = Gauge(
            "signalbox_log_uncovered_seconds",
            "Age of the oldest leaf that no checkpoint with its quorum covers",
            registry=self.registry,
        )
        self.registry.register(_OfProcess(installation, streams))
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def admits(self, authorization: str) -> bool:
        """Whether a header shows the token."""
        if self._token is None:
            return self._is_open
        return hmac.compare_digest(authorization.encode(), b"Bearer " + self._token)

    def counted(self, method: str, send: Send) -> Send:
        """Passes messages on, and counts the answer when it begins."""
        asked = time.perf_counter()

        async def count(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answers.labels(method, str(int(message["status"]))).inc()
                self._seconds.observe(time.perf_counter() - asked)
            await send(message)

        return count

    def written(self, coverage: Coverage | None, now: datetime) -> bytes:
        """Everything, in Prometheus' text format; `coverage` is of the log at `now`."""
        if coverage is not None:
            since = coverage.uncovered_since
            self._leaves.labels("nothing").set(coverage.leaves)
            self._leaves.labels("checkpoint").set(coverage.checkpoint_size)
            self._leaves.labels("quorum").set(coverage.quorum_size)
            self._uncovered_s.set((now - since).total_seconds() if since else 0)
        return generate_latest(self.registry)


class _OfProcess(Collector):
    """Looked up when asked for."""

    def __init__(self, installation: Installation, streams: Callable[[], int]) -> None:
        self._installation = installation
        self._streams = streams

    def collect(self) -> Iterator[GaugeMetricFamily]:
        pool = self._installation.pool.get_stats()
        for name, text, value in (
            ("streams", "Open streams of events", self._streams()),
            ("listens", "1 while the database is heard", int(self._installation.listener.is_up)),
            ("pool_connections", "Connections to the database", pool.get("pool_size", 0)),
            ("pool_idle_connections", "Of these, unused now", pool.get("pool_available", 0)),
            ("pool_waiting_requests", "Who waits for one", pool.get("requests_waiting", 0)),
        ):
            yield GaugeMetricFamily(f"signalbox_api_{name}", text, value)


@get(
    "/metrics",
    guards=[anyone],
    opt={IGNORES_CREDENTIALS: True},
    tags=["health"],
    media_type=MediaType.TEXT,
)
async def metrics(
    request: Request[Any, Any, Any], context: RequestContext, state: State
) -> Response[bytes]:
    """Prometheus' text format; docs/operations/metrics.md names each."""
    measurements: Measurements = state.measurements
    if not measurements.admits(request.headers.get("authorization", "")):
        raise Problem("invalid_token", "Send the token of SIGNALBOX_METRICS_TOKEN_FILE as Bearer.")
    async with context.transaction() as connection:
        coverage = await fetch_one(connection, Coverage, COVERAGE, [])
    text = measurements.written(coverage, context.now)
    return Response(text, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


def _token(file: str | None) -> bytes | None:
    if not file:
        return None
    path = Path(file)
    token = path.read_bytes().strip() if path.is_file() else b""
    if len(token) < TOKEN_BYTES_AT_LEAST:
        raise ConfigurationError(
            f"SIGNALBOX_METRICS_TOKEN_FILE: {path} is absent or shorter than"
            f" {TOKEN_BYTES_AT_LEAST} bytes; make one: openssl rand -hex 32 > {path}"
        )
    return token
