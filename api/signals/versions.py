"""GET .../versions, .../versions/{version}, POST .../versions/{version}/offline | live."""

from datetime import datetime
from typing import Any, Literal, LiteralString

import msgspec
import psycopg
from litestar import Router, get, post
from litestar.params import FromPath

from api import audit
from api.auth.guards import anyone, owner
from api.installation import Context, RequestContext
from api.pages import Page
from api.problems import Problem
from api.rows import fetch_all
from api.signals.lookup import KnownSignal, find_signal, find_version


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What was published, by digests; `why` explains a rejection."""

    signal: str
    version: str
    state: Literal["building", "live", "offline", "retired", "rejected"]
    reserved_at: datetime
    published_at: datetime | None
    commit_sha: str
    tree_digest: str | None
    lock_digest: str | None
    image_digest: str | None
    manifest: dict[str, Any] | None
    why: str | None


VERSIONS: LiteralString = """
select %(signal)s as signal, version, state, reserved_at, published_at, commit_sha, tree_digest,
       lock_digest, image_digest, manifest, why
from registry.version v
where signal_id = %(signal_id)s and (%(version)s::text is null or version = %(version)s)
  and (published_at is not null or %(sees_unpublished)s)
order by reserved_at desc, id desc
"""


@get("/", guards=[anyone])
async def list_versions(
    provider: FromPath[str], name: FromPath[str], context: RequestContext
) -> Page[Version]:
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        return Page(await _read(connection, context, signal, None))


@get("/{version:str}", guards=[anyone])
async def get_version(
    provider: FromPath[str], name: FromPath[str], version: FromPath[str], context: RequestContext
) -> Version:
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        return await _read_one(connection, context, signal, version)


async def _read(
    connection: psycopg.AsyncConnection, context: Context, signal: KnownSignal, version: str | None
) -> list[Version]:
    caller = context.caller
    sees_unpublished = caller is not None and (
        caller.is_operator or caller.user_id == signal.provider_id
    )
    values = {
        "signal": signal.signal,
        "signal_id": signal.id,
        "version": version,
        "sees_unpublished": sees_unpublished,
    }
    return await fetch_all(connection, Version, VERSIONS, values)


async def _read_one(
    connection: psycopg.AsyncConnection, context: Context, signal: KnownSignal, version: str
) -> Version:
    rows = await _read(connection, context, signal, version)
    if not rows:
        raise Problem(
            "not_found",
            f"{signal.signal} has no version {version};"
            f" GET /v1/signals/{signal.signal}/versions lists them.",
        )
    return rows[0]


@post("/{version:str}/offline", status_code=200, guards=[owner("push")])
async def take_version_offline(
    provider: FromPath[str], name: FromPath[str], version: FromPath[str], context: RequestContext
) -> Version:
    """Stop running a live version from the next slot on."""
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        return await _move(connection, context, signal, version, ("live", "offline"))


@post("/{version:str}/live", status_code=200, guards=[owner("push")])
async def bring_version_live(
    provider: FromPath[str], name: FromPath[str], version: FromPath[str], context: RequestContext
) -> Version:
    """Run an offline version again from the next slot on."""
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        return await _move(connection, context, signal, version, ("offline", "live"))


async def _move(
    connection: psycopg.AsyncConnection,
    context: Context,
    signal: KnownSignal,
    version: str,
    step: tuple[str, str],
) -> Version:
    from_state, to_state = step
    known = await find_version(connection, signal, version)
    moved = await connection.execute(
        "update registry.version set state = %s where id = %s and state = %s",
        [to_state, known.id, from_state],
    )
    if moved.rowcount == 0:
        raise Problem(
            "invalid_state",
            f"{signal.signal} {version} is {known.state};"
            f" only a version that is {from_state} can go {to_state}.",
        )
    await _record_move(connection, context, known.id, f"{signal.signal}@{version}", to_state)
    return await _read_one(connection, context, signal, version)


async def _record_move(
    connection: psycopg.AsyncConnection,
    context: Context,
    version_id: int,
    subject: str,
    to_state: str,
) -> None:
    actor = context.person
    await connection.execute(
        "insert into registry.version_event (version_id, at, actor_id, to_state, why)"
        " values (%s, %s, %s, %s, %s)",
        [version_id, context.now, actor.user_id, to_state, f"by its provider {actor.handle}"],
    )
    await audit.record(connection, context.now, actor.user_id, f"version.{to_state}", subject)


router = Router(
    "/v1/signals/{provider:str}/{name:str}/versions",
    route_handlers=[list_versions, get_version, take_version_offline, bring_version_live],
    tags=["versions"],
)
