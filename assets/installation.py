"""The resource that every asset is handed: this installation's parts.

Assets say what exists; where the database and the sandbox are is decided by the
process, once, in `pipelines`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from sandbox.registry.image import ImageStore
from sandbox.runner.engine import Engine
from sql.clock import Clock
from sql.payments.stripe.client import StripeClient

Connect = Callable[[], psycopg.Connection[Any]]


@dataclass(frozen=True)
class Installation:
    """What a run worker works with.

    Attributes:
        connect: a new autocommit connection as `signalbox_worker`.
        engine: where models run; raises SandboxUnavailableError when none answers.
        images: the store that versions were built into.
        clock: the platform's now, UTC.
        feed_delay: cut-off of a slot, after the slot.
        live_deadline: a forecast recorded by then is live, after the slot.
        api_url: where people look, for links in metadata.
        memory_budget_mb: of all sandboxes of a tick together, by their manifests;
            None: a third of the machine's.
        stripe: the payment provider to reconcile with; None: there is none.
        grace: access after a paid period whose renewal failed.
    """

    connect: Connect
    engine: Callable[[], Engine]
    images: ImageStore
    clock: Clock
    feed_delay: timedelta
    live_deadline: timedelta
    api_url: str
    memory_budget_mb: int | None = None
    stripe: StripeClient | None = None
    grace: timedelta = timedelta(days=3)

    def cutoff(self, slot: datetime) -> datetime:
        """Bars available by then are visible at `slot`."""
        return slot + self.feed_delay
