"""The limits of one installation: what is counted, for whom, and who is told to wait.

Theory of operation: two things are counted. Requests, before their route runs, for each
class of route (`table.py`) and asker: the account where one is known, else the address.
And strays: answers 401, 404 and 405, also of addresses that no route has, for each asker
and route. Who has strayed too often on a route is refused there beforehand, because an
answer that is no refusal would tell what exists. Other routes, and other people at the
same address who are signed in, are not concerned.

Bad credentials are a kind of their own, counted for the address. Where they were too
many, API keys that this process has never seen good are not looked up any more.
"""

import math

import psycopg
from psycopg_pool import AsyncConnectionPool

from api.addresses import Addresses
from api.auth.caller import Caller
from api.limits.plans import Plans
from api.limits.store import PostgresStore, ProcessStore, Store, Taken
from api.limits.table import RouteClass, per_minute, strays_per_minute
from api.problems import Problem
from api.settings import ApiSettings
from sql.clock import Clock

BLOCKED_AT_MOST = 100_000
CREDENTIALS = "credentials"
NO_ROUTE = "no route"


class Limits:
    """Counts and refuses; where limits are off there is none of it."""

    def __init__(
        self,
        settings: ApiSettings,
        pool: AsyncConnectionPool[psycopg.AsyncConnection],
        clock: Clock,
    ) -> None:
        self._environment = settings.environment
        self._store: Store = (
            PostgresStore(pool) if settings.rate_limits == "postgres" else ProcessStore()
        )
        self._plans = Plans(pool, clock)
        self._blocked_until: dict[tuple[str, str], float] = {}
        self.addresses = Addresses(settings.trusted_proxies)

    async def take(
        self, route_class: RouteClass, asker: str, caller: Caller | None, now: float
    ) -> tuple[int, Taken]:
        """Count a request: its limit, and what is left of it.

        Raises:
            Problem: rate_limited.
        """
        plan = await self._plans.of(caller, now)
        limit = per_minute(route_class, plan, self._environment)
        taken = await self._store.take(f"{route_class} {asker}", limit, now)
        if not taken.allowed:
            raise too_many(f"{limit} requests a minute of this kind", taken.next_in_s)
        return limit, taken

    async def stray(self, asker: str, where: str, now: float) -> Problem | None:
        """Count a stray; the problem to answer instead, where they are too many."""
        limit = strays_per_minute(self._environment)
        taken = await self._store.take(f"stray {where} {asker}", limit, now)
        if taken.allowed:
            return None
        # Beforehand nobody knows that an address has no route, and 429 hides nothing there.
        if where != NO_ROUTE:
            if len(self._blocked_until) >= BLOCKED_AT_MOST:
                self._blocked_until.clear()
            self._blocked_until[asker, where] = now + taken.next_in_s
        return too_many(f"{limit} wrong requests a minute", taken.next_in_s)

    @property
    def is_refusing(self) -> bool:
        """Whether anybody at all has strayed too often lately."""
        return bool(self._blocked_until)

    def refusal(self, asker: str, where: str, now: float) -> Problem | None:
        """The problem of who has strayed too often there, and should wait still."""
        until = self._blocked_until.get((asker, where))
        if until is None:
            return None
        if until <= now:
            del self._blocked_until[asker, where]
            return None
        return too_many(
            f"{strays_per_minute(self._environment)} wrong requests a minute", until - now
        )


def asker_of(caller: Caller | None, address: str) -> str:
    """For whom is counted."""
    return f"account {caller.user_id}" if caller else f"address {address}"


def too_many(what: str, wait_s: float) -> Problem:
    """The problem of a limit, with Retry-After."""
    seconds = max(math.ceil(wait_s), 1)
    return Problem(
        "rate_limited",
        f"The limit is {what}: wait {seconds} s; docs/operations/limits.md has them all.",
        retry_after_s=seconds,
    )
