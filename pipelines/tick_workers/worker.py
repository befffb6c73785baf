"""The worker's side: takes a shard, holds its lease, runs it as a step of the tick's run."""

from typing import Any

from celery import Celery, Task
from celery.exceptions import Ignore
from celery.states import READY_STATES
from dagster_celery.config import dict_wrapper
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_task

from pipelines.settings import WorkerSettings
from pipelines.tick_workers.broker import broker_url, celery_config
from pipelines.tick_workers.lease import leased


class LeasedTask(Task):  # type: ignore[misc]
    """Runs nothing that another worker is at, or has done."""

    lease_seconds: int
    # A shard's result is all of its events: too long for a line of the log.
    resultrepr_maxsize = 80

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        task_id = self.request.id
        if self.backend.get_state(task_id) in READY_STATES:
            raise Ignore
        with leased(self.backend.client, task_id, self.lease_seconds) as is_mine:
            if not is_mine:
                raise Ignore
            return super().__call__(*args, **kwargs)


def worker_app(settings: WorkerSettings) -> Celery:
    """The Celery app of a worker.

    Raises:
        ConfigurationError: the queue's settings are missing or wrong.
    """
    url, config = broker_url(settings), dict_wrapper(celery_config())
    app = make_app({"broker": url, "backend": url, "config_source": config})
    create_task(app, base=LeasedTask, lease_seconds=settings.lease_seconds)
    return app
