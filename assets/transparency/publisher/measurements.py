"""What the publisher tells Prometheus: how often it signed, and what keeps it from it now."""

from threading import Thread
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from sql.metrics_server import MetricsServer
from sql.metrics_token import MetricsToken

Fault = Literal["refused", "restored", "signer", "database", "other_publisher", "tree"]


class Measurements:
    """Of one publisher."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._checkpoints = Counter(
            "signalbox_log_checkpoints", "Checkpoints signed", registry=self._registry
        )
        self._faults = Gauge(
            "signalbox_log_fault",
            "1 while this keeps the publisher from its work",
            ("fault",),
            registry=self._registry,
        )
        self.now_at(None)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def signed(self) -> None:
        """A checkpoint was."""
        self._checkpoints.inc()

    def now_at(self, fault: Fault | None) -> None:
        """What is in the way; None: nothing."""
        for known in get_args(Fault):
            self._faults.labels(known).set(known == fault)

    def serve(self, host: str, port: int, token: MetricsToken) -> MetricsServer:
        """Answer in a thread, as long as the process lives."""
        server = MetricsServer(host, port, token, lambda: generate_latest(self._registry))
        Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        return server
