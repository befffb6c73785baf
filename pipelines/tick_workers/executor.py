"""The run's side: hands out shards, and hands out again what was lost."""

import logging
import time
import warnings
from collections.abc import Callable
from typing import Any

import dagster as dg
from billiard.exceptions import WorkerLostError
from celery.exceptions import DuplicateTaskNameWarning
from celery.result import AsyncResult
from dagster._core.execution.retries import RetryMode
from dagster_celery.core_execution_loop import core_celery_execution_loop
from dagster_celery.executor import CeleryExecutor
from dagster_celery.executor import _submit_task as submit_task
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from pipelines.settings import WorkerSettings
from pipelines.tick_workers.broker import broker_url, celery_config
from pipelines.tick_workers.lease import is_leased

logger = logging.getLogger("signalbox.tick_workers")

ATTEMPTS = 5
# A worker that has taken a shard forks a process first, which on a busy machine takes its time.
LEASES_TO_BEGIN = 4
OUT_OF_REACH = (RedisError, KombuError, OSError)


class ShardLostError(RuntimeError):
    """Worker after worker died of a shard; says which, and where to look."""

    def __init__(self, step_key: str) -> None:
        super().__init__(
            f"{step_key} was lost {ATTEMPTS} times: look in the workers' logs for what killed them"
        )


class HandedOut:
    """A shard with the workers, until it has a result; stands in for Celery's."""

    def __init__(
        self, step_key: str, submit: Callable[[], AsyncResult], queue: str, lease_seconds: int
    ) -> None:
        """Hand it out.

        Args:
            step_key: the shard's.
            submit: puts it into the queue.
            queue: whose length tells whether it may still wait there.
            lease_seconds: without any sign of it, it is lost after so long; before a worker
                has begun, after four times as long.
        """
        self._step_key = step_key
        self._lease_seconds = lease_seconds
        self._submit = submit
        self._queue = queue
        self._result: AsyncResult | None = None
        self._attempts = 0
        self._seen = time.monotonic()
        self._has_begun = False
        self._is_given_up = False
        self.ready()

    def ready(self) -> bool:
        """Whether there is a result, or no hope of one; hands it out again where it is lost."""
        try:
            if self._result is not None and self._result.ready():
                if not isinstance(self._result.result, WorkerLostError):
                    return True
                self._result.forget()
                self._result = None
            if self._result is None or self._is_lost(self._result):
                self._hand_out()
        except OUT_OF_REACH as error:
            # Whoever works goes on working meanwhile.
            logger.warning("the queue does not answer, trying again: %s", error)
            self._seen = time.monotonic()
        return self._is_given_up

    def get(self) -> Any:
        """The step's events.

        Raises:
            ShardLostError: it was lost again and again.
            Exception: what the worker raised.
        """
        if self._is_given_up or self._result is None:
            raise ShardLostError(self._step_key)
        return self._result.get()

    def revoke(self) -> None:
        """Have it not begun, if it has not begun."""
        if self._result is not None:
            self._result.revoke()

    def _is_lost(self, result: AsyncResult) -> bool:
        """Neither with a worker nor waiting for one, for as long as a lease lasts."""
        now = time.monotonic()
        if is_leased(result.backend.client, result.id):
            self._seen, self._has_begun = now, True
        elif self._waiting(result.app):
            self._seen = now
        leases = 1 if self._has_begun else LEASES_TO_BEGIN
        return now - self._seen > leases * self._lease_seconds

    def _waiting(self, app: Any) -> int:
        """How many wait in the queue; any of them may be this one."""
        with app.connection_or_acquire() as connection:
            try:
                declared = connection.default_channel.queue_declare(self._queue, passive=True)
            except connection.channel_errors:  # a queue that is empty does not exist
                return 0
        return int(declared.message_count)

    def _hand_out(self) -> None:
        if self._attempts >= ATTEMPTS:
            self._is_given_up = True
            return
        if self._attempts:
            logger.warning("%s was lost with its worker: handing it out again", self._step_key)
        self._result = self._submit()
        self._attempts += 1
        self._seen, self._has_begun = time.monotonic(), False


class SpreadExecutor(CeleryExecutor):
    """As CeleryExecutor, for workers and queues that may die."""

    def __init__(self, url: str, lease_seconds: int) -> None:
        config = celery_config()
        super().__init__(  # type: ignore[no-untyped-call]
            RetryMode.ENABLED, broker=url, backend=url, config_source=config
        )
        self._lease_seconds = lease_seconds

    def execute(self, plan_context: Any, execution_plan: Any) -> Any:
        """Events of the plan, as Dagster's executors yield them."""

        def hand_out(app: Any, plan: Any, step: Any, queue: str, *rest: Any) -> HandedOut:
            def submit() -> AsyncResult:
                # dagster-celery declares its task anew for each step.
                with warnings.catch_warnings(action="ignore", category=DuplicateTaskNameWarning):
                    return submit_task(app, plan, step, queue, *rest)

            return HandedOut(step.key, submit, queue, self._lease_seconds)

        return core_celery_execution_loop(plan_context, execution_plan, step_execution_fn=hand_out)


def spread_executor(settings: WorkerSettings) -> dg.ExecutorDefinition:
    """Spreads a run's steps over the workers of `python -m pipelines.tick_workers`.

    Raises:
        ConfigurationError: the queue's settings are missing or wrong.
    """
    url = broker_url(settings)

    @dg.executor(name="spread", requirements=dg.multiple_process_executor_requirements())
    def spread(_: dg.InitExecutorContext) -> SpreadExecutor:
        return SpreadExecutor(url, settings.lease_seconds)

    return spread
