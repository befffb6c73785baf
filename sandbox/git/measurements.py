"""GET /metrics of the git process: pushes, their steps, and the line in front of the builds."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from sandbox.git.pushes import Pushes
from sandbox.git.refusals import RefusedRequestError
from sandbox.git.report import VARIABLE, Ended, read_report
from sandbox.git.settings import GitSettings
from sandbox.git.turns import Turns
from sql import traces
from sql.metrics_token import MetricsToken

SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Measurements:
    """Of one git process."""

    def __init__(self, settings: GitSettings, pushes: Pushes, turns: Turns) -> None:
        self._token = MetricsToken(settings.metrics_token_file, settings.environment)
        self._registry = CollectorRegistry()
        self._pushes = Counter(
            "signalbox_git_pushes",
            "Pushes by how they ended",
            ("outcome",),
            registry=self._registry,
        )
        for outcome in ("published", "taken", "declined", "failed", "refused", "cut_off"):
            self._pushes.labels(outcome)
        self._steps = Histogram(
            "signalbox_git_push_step_seconds",
            "How long a push's steps took",
            ("step",),
            buckets=SECONDS,
            registry=self._registry,
        )
        for name, text, count in (
            ("pushes_running", "Pushes that run, waiting ones too", lambda: pushes.running),
            ("builds_running", "Builds that have their turn", lambda: turns.running),
            ("builds_waiting", "Builds that wait for theirs", lambda: turns.waiting),
        ):
            Gauge(f"signalbox_git_{name}", text, registry=self._registry).set_function(count)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    @contextmanager
    def push(self) -> Iterator[tuple[str, int]]:
        """Count a push; what its hooks inherit, and the variable that names it to them."""
        ours, theirs = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            with traces.span("push") as span:
                yield VARIABLE, theirs
                span.set(outcome=self._count(ours))
        except RefusedRequestError:
            self._pushes.labels("refused").inc()
            raise
        except BaseException:
            self._count(ours)
            raise
        finally:
            os.close(theirs)
            os.close(ours)

    def written(self, authorization: str) -> bytes:
        """Everything, in Prometheus' text format.

        Raises:
            RefusedRequestError: who asks shows no token.
        """
        if not self._token.admits(authorization):
            raise RefusedRequestError(
                401, "send the token of SIGNALBOX_METRICS_TOKEN_FILE as Bearer"
            )
        return generate_latest(self._registry)

    def _count(self, descriptor: int) -> str:
        outcome: str = "cut_off"
        for one in read_report(descriptor):
            if isinstance(one, Ended):
                outcome = one.outcome
            else:
                self._steps.labels(one.step).observe(one.seconds)
                traces.past(one.step, one.ended - one.seconds, one.ended)
        self._pushes.labels(outcome).inc()
        return outcome
