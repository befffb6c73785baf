"""What every request shares, and what one request knows: who asks, and when."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from litestar import Request
from litestar.datastructures import State
from litestar.di import NamedDependency
from psycopg_pool import AsyncConnectionPool

from api.auth import access_tokens
from api.auth.caller import Caller
from api.auth.known_keys import KnownKeys
from api.auth.known_sessions import KnownSessions
from api.auth.passwords import Passwords
from api.auth.remembered import CHANNEL as CREDENTIALS
from api.hot.channels import ENTITLEMENTS, SIGNALS
from api.limits.limits import Limits
from api.listener import EVENTS, Listener
from api.problems import Problem
from api.settings import ApiSettings, read_secret
from sql.clock import Clock, clock_of, system_clock
from sql.payments.stripe.account import StripeAccount, open_account
from sql.roles import conninfo
from sql.session import act_as

Pool = AsyncConnectionPool[psycopg.AsyncConnection]

# Under this name a request's state holds the connection of the transaction that it is part of.
OUTER_TRANSACTION = "outer_transaction"


@dataclass(frozen=True)
class Installation:
    """Held in `app.state.installation` for the life of the process.

    Attributes:
        stripe: None without an account there.
    """

    settings: ApiSettings
    secret: bytes
    clock: Clock
    pool: Pool
    passwords: Passwords
    listener: Listener
    known_keys: KnownKeys
    known_sessions: KnownSessions
    known_dagster_passes: KnownSessions
    limits: Limits
    stripe: StripeAccount | None = None

    @asynccontextmanager
    async def transaction(
        self, user_id: uuid.UUID | None, now: datetime
    ) -> AsyncIterator[psycopg.AsyncConnection]:
        """One transaction as a person; commits unless something raises."""
        async with self.pool.connection() as connection:
            await act_as(connection, user_id, now)
            yield connection


@dataclass(frozen=True)
class Context:
    """One request.

    Attributes:
        now: the platform's instant, which a demo clock may run ahead.
        world_now: the world's instant; credentials live by it.
        outer: open transaction that all of this request's are part of; None: each is its own.
    """

    installation: Installation
    caller: Caller | None
    now: datetime
    world_now: datetime
    outer: psycopg.AsyncConnection | None = None

    @property
    def settings(self) -> ApiSettings:
        return self.installation.settings

    @property
    def person(self) -> Caller:
        """Who is signed in.

        Raises:
            Problem: not_signed_in.
        """
        if self.caller is None:
            raise not_signed_in()
        return self.caller

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[psycopg.AsyncConnection]:
        user_id = self.caller.user_id if self.caller else None
        async with self.transaction_as(user_id) as connection:
            yield connection

    @asynccontextmanager
    async def transaction_as(
        self, user_id: uuid.UUID | None
    ) -> AsyncIterator[psycopg.AsyncConnection]:
        """A transaction as somebody else than who asks, where the route has made sure."""
        if self.outer is None:
            async with self.installation.transaction(user_id, self.now) as connection:
                yield connection
            return
        async with self.outer.transaction():
            await act_as(self.outer, user_id, self.now)
            yield self.outer
            # What a commit would find wrong, the route is to hear of.
            await self.outer.execute("set constraints all immediate")
        await self.outer.execute("set constraints all deferred")


RequestContext = NamedDependency[Context]
"""How a route asks for its context: `context: RequestContext`."""


def not_signed_in() -> Problem:
    return Problem(
        "not_signed_in",
        "Send `Authorization: Bearer ...` with an access token of POST /v1/auth/login"
        " or an API key of POST /v1/api-keys.",
    )


def install(settings: ApiSettings) -> Installation:
    """Everything a process needs, with the pool still closed."""
    pool: Pool = AsyncConnectionPool(
        conninfo(settings.database_url),
        open=False,
        min_size=2,
        max_size=settings.database_connections,
        timeout=5,
        kwargs={"options": "-c timezone=UTC -c statement_timeout=15000"},
    )
    clock = clock_of(settings.environment, settings.demo_clock)
    secret = read_secret(settings)
    channels = (CREDENTIALS, SIGNALS, ENTITLEMENTS, *EVENTS)
    listener = Listener(conninfo(settings.database_url), channels)
    return Installation(
        settings=settings,
        secret=secret,
        clock=clock,
        pool=pool,
        listener=listener,
        known_keys=KnownKeys(pool, listener, settings.environment),
        known_sessions=KnownSessions(pool, listener, secret),
        known_dagster_passes=KnownSessions(pool, listener, secret, access_tokens.DAGSTER),
        limits=Limits(settings, pool, clock),
        passwords=Passwords(settings.password_hashes),
        stripe=open_account(
            settings.stripe_url, settings.stripe_key_file, settings.stripe_webhook_secret_file
        ),
    )


async def provide_context(request: Request[Any, Any, Any], state: State) -> Context:
    """Dependency `context` of the routes."""
    installation: Installation = state.installation
    return Context(
        installation=installation,
        caller=request.scope.get("user"),
        now=installation.clock(),
        world_now=system_clock(),
        outer=request.scope["state"].get(OUTER_TRANSACTION),
    )
