"""Where the queue is, and how it is spoken to."""

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from dagster_celery.config import DEFAULT_CONFIG, TASK_EXECUTE_PLAN_NAME

from pipelines.schedules import RUN_SECONDS
from pipelines.settings import WorkerSettings
from sql.configuration import ConfigurationError

SCHEMES = ("redis", "rediss")
TIMEOUT_SECONDS = 5.0


def broker_url(settings: WorkerSettings) -> str:
    """The queue's URL with its password.

    Raises:
        ConfigurationError: it is not set, is no Redis, or its password cannot be read.
    """
    url = urlsplit(settings.celery_broker or "")
    if url.scheme not in SCHEMES or not url.hostname:
        raise ConfigurationError(
            "SIGNALBOX_CELERY_BROKER is not redis://HOST:PORT/NUMBER (or rediss://), without a"
            " password: that stands in the file of SIGNALBOX_CELERY_PASSWORD_FILE"
        )
    if url.password:
        raise ConfigurationError(
            "SIGNALBOX_CELERY_BROKER has a password in it: put it into a file, and name that in"
            " SIGNALBOX_CELERY_PASSWORD_FILE"
        )
    if settings.celery_password_file is None:
        return urlunsplit(url)
    try:
        password = Path(settings.celery_password_file).read_text().strip()
    except OSError as error:
        raise ConfigurationError(f"SIGNALBOX_CELERY_PASSWORD_FILE: {error}") from None
    user = quote(url.username or "", safe="")
    netloc = f"{user}:{quote(password, safe='')}@{url.netloc.rpartition('@')[2]}"
    return urlunsplit(url._replace(netloc=netloc))


def celery_config() -> dict[str, Any]:
    """Celery's settings, the same for who hands out shards and for who takes them."""
    connection = {
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_keepalive": True,
    }
    return {
        **DEFAULT_CONFIG,
        "broker_transport_options": {"visibility_timeout": RUN_SECONDS, **connection},
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "redis_socket_timeout": TIMEOUT_SECONDS,
        "redis_socket_connect_timeout": TIMEOUT_SECONDS,
        "result_expires": RUN_SECONDS,
        # What a run that has ended left in the queue is not begun.
        "task_annotations": {TASK_EXECUTE_PLAN_NAME: {"expires": RUN_SECONDS}},
        # A shard waits in the queue, where a free worker finds it, and not with a busy one.
        "worker_disable_prefetch": True,
        # A shard loads the definitions anew, as a run worker does, and leaves nothing behind.
        "worker_max_tasks_per_child": 1,
        "worker_hijack_root_logger": False,
    }
