"""POST .../versions/{version}/offline | live | retire: what a provider does with a version.

The API may not write versions, events or leaves. One function of the database does all three
together, and knows who may and from which state (docs/decisions/0014).
"""

from typing import Annotated, Literal

import psycopg
from litestar import Router, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from api import audit
from api.auth.guards import owner
from api.bodies import Body
from api.installation import Context, RequestContext
from api.problems import Problem
from api.signals.lookup import KnownSignal, KnownVersion, find_signal, find_version
from api.signals.versions import Version, read_version

State = Literal["live", "offline", "retired"]
FROM = {"live": "offline", "offline": "live", "retired": "live or offline"}


class Reason(Body, frozen=True):
    """Why, for people; shown in the version's events."""

    why: Annotated[str, Meta(max_length=500)] = ""


@post("/{version:str}/offline", status_code=200, guards=[owner("push")])
async def take_version_offline(
    provider: FromPath[str],
    name: FromPath[str],
    version: FromPath[str],
    context: RequestContext,
    data: JSONBody[Reason | None] = None,
) -> Version:
    """Stop running a live version from the next slot on."""
    return await _move(context, provider, name, version, "offline", data)


@post("/{version:str}/live", status_code=200, guards=[owner("push")])
async def bring_version_live(
    provider: FromPath[str],
    name: FromPath[str],
    version: FromPath[str],
    context: RequestContext,
    data: JSONBody[Reason | None] = None,
) -> Version:
    """Run an offline version again from the next slot on."""
    return await _move(context, provider, name, version, "live", data)


@post("/{version:str}/retire", status_code=200, guards=[owner("push")])
async def retire_version(
    provider: FromPath[str],
    name: FromPath[str],
    version: FromPath[str],
    context: RequestContext,
    data: JSONBody[Reason | None] = None,
) -> Version:
    """End a version for good; its record stays, and the log gets a leaf that says so."""
    return await _move(context, provider, name, version, "retired", data)


async def _move(
    context: Context, provider: str, name: str, version: str, to: State, data: Reason | None
) -> Version:
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        known = await find_version(connection, signal, version)
        await move(connection, context, signal, known, to, data.why if data else "")
        return await read_version(connection, context, signal, version)


async def move(
    connection: psycopg.AsyncConnection,
    context: Context,
    signal: KnownSignal,
    version: KnownVersion,
    to: State,
    why: str,
) -> None:
    """Change a version's state, with its event and, when it is retired, its leaf.

    Raises:
        Problem: invalid_state.
    """
    actor = context.person
    label = f"{signal.signal}@{version.version}"
    try:
        await connection.execute(
            "select registry.move_version(%s, %s, %s)",
            [version.id, to, why or f"by its provider {actor.handle}"],
        )
    except psycopg.errors.CheckViolation as error:
        said = error.diag.message_primary
        hint = error.diag.message_hint
        raise Problem(
            "invalid_state",
            f"{label} is {version.state}: {said}. {hint}"
            if hint
            else f"{label} is {version.state}; only a version that is {FROM[to]} can go {to}.",
        ) from None
    await audit.record(connection, context.now, actor.user_id, f"version.{to}", label)


router = Router(
    "/v1/signals/{provider:str}/{name:str}/versions",
    route_handlers=[take_version_offline, bring_version_live, retire_version],
    tags=["versions"],
)
