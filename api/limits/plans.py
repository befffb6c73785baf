"""Which plan's limits a person has: looked up once a minute."""

import uuid
from typing import LiteralString

import psycopg
from psycopg_pool import AsyncConnectionPool

from api.auth.caller import Caller
from api.limits.table import Plan
from sql.clock import Clock
from sql.session import act_as

TTL_S = 60.0
PEOPLE_AT_MOST = 100_000

IS_PAYING: LiteralString = """
select exists (select from billing.subscription s
               where s.user_id = %s and s.state in ('active', 'past_due') and s.period_end > %s)
"""


class Plans:
    """Plans of people, each as it was at most a minute ago; `clock` is the platform's."""

    def __init__(self, pool: AsyncConnectionPool[psycopg.AsyncConnection], clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._known: dict[uuid.UUID, tuple[Plan, float]] = {}

    async def of(self, caller: Caller | None, now: float) -> Plan:
        """The plan of who asks.

        Args:
            caller: None: nobody known.
            now: seconds since 1970, UTC, by the world's clock.
        """
        if caller is None:
            return "anonymous"
        if caller.is_operator:
            return "operator"
        known = self._known.get(caller.user_id)
        if known is not None and abs(now - known[1]) < TTL_S:
            return known[0]
        return await self._look_up(caller.user_id, now)

    async def _look_up(self, user_id: uuid.UUID, now: float) -> Plan:
        platform_now = self._clock()
        async with self._pool.connection() as connection:
            await act_as(connection, user_id, platform_now)
            found = await connection.execute(IS_PAYING, [user_id, platform_now])
            row = await found.fetchone()
        plan: Plan = "subscriber" if row and row[0] else "member"
        if len(self._known) >= PEOPLE_AT_MOST:
            self._known.clear()
        self._known[user_id] = (plan, now)
        return plan
