"""GET /metrics: what this process does, for Prometheus.

Counted where answers leave the process, hot reads included; the rest is looked up when it
is asked for. Nothing of a person or a signal is in it. Who asks shows the bearer token of
`SIGNALBOX_METRICS_TOKEN_FILE`; without one it is closed in production, open elsewhere.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.types import Message, Send
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from api.auth.guards import anyone
from api.auth.middleware import IGNORES_CREDENTIALS
from api.installation import Installation
from api.problems import Problem
from sql.metrics_token import MetricsToken

# Litestar adds the charset.
MEDIA_TYPE = CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8")
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Measurements:
    """Of one API process.

    Args:
        installation: whose pool and listener are looked at.
        streams: how many event streams are open.
    """

    def __init__(self, installation: Installation, streams: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        settings = installation.settings
        self.token = MetricsToken(settings.metrics_token_file, settings.environment)
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
        self.registry.register(_OfProcess(installation, streams))
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def counted(self, method: str, send: Send) -> Send:
        """Passes messages on, and counts the answer when it begins."""
        asked = time.perf_counter()

        async def count(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answers.labels(method, str(int(message["status"]))).inc()
                self._seconds.observe(time.perf_counter() - asked)
            await send(message)

        return count

    def written(self) -> bytes:
        """Everything, in Prometheus' text format."""
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
async def metrics(request: Request[Any, Any, Any], state: State) -> Response[bytes]:
    """Prometheus' text format; docs/operations/metrics.md names each."""
    measurements: Measurements = state.measurements
    if not measurements.token.admits(request.headers.get("authorization", "")):
        raise Problem("invalid_token", "Send the token of SIGNALBOX_METRICS_TOKEN_FILE as Bearer.")
    text = measurements.written()
    return Response(text, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})
