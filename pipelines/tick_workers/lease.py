"""Who is at work on a shard: a key in Redis that ends by itself when nobody renews it."""

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.exceptions import RedisError

logger = logging.getLogger("signalbox.tick_workers")

RENEWALS = 5  # in the time that a lease lasts


def _key(task_id: str) -> str:
    return f"signalbox:lease:{task_id}"


def is_leased(redis: Any, task_id: str) -> bool:
    """Whether a worker is at work on it.

    Raises:
        RedisError: nobody knows.
    """
    return bool(redis.exists(_key(task_id)))


@contextmanager
def leased(redis: Any, task_id: str, seconds: int) -> Iterator[bool]:
    """Hold the lease while the block runs; False when another worker holds it.

    Args:
        redis: a client.
        task_id: what of.
        seconds: how long it lasts when nobody renews it.

    Raises:
        RedisError: it could not be asked for.
    """
    mine = uuid.uuid4().hex
    if not redis.set(_key(task_id), mine, nx=True, ex=seconds):
        yield False
        return
    is_over = threading.Event()
    renewing = threading.Thread(
        target=_renew, args=(redis, task_id, mine, seconds, is_over), name="lease", daemon=True
    )
    renewing.start()
    try:
        yield True
    finally:
        is_over.set()
        renewing.join()


def _renew(redis: Any, task_id: str, mine: str, seconds: int, is_over: threading.Event) -> None:
    """Also makes it anew where Redis lost it; it ends by itself after the work's result."""
    while not is_over.wait(seconds / RENEWALS):
        try:
            redis.set(_key(task_id), mine, ex=seconds)
        except RedisError as error:
            logger.warning("could not renew the lease of %s: %s", task_id, error)
