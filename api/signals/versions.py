"""GET .../versions, .../versions/{version}: what was published, greatest version first."""

from datetime import datetime
from typing import Any, Literal, LiteralString

import msgspec
import psycopg
from litestar import Router, get
from litestar.params import FromPath

from api.auth.guards import anyone
from api.formats.answers import ETAG
from api.installation import Context, RequestContext
from api.pages import Page
from api.problems import Problem
from api.rows import fetch_all
from api.signals.lookup import KnownSignal, find_signal


class Difference(msgspec.Struct, frozen=True):
    """A row in which `forecast` and `forecast_history` differ, and its first column that does."""

    as_of: datetime
    symbol: str
    horizon_hours: int
    column: str
    forecast: float | None
    forecast_history: float | None


class LeakReport(msgspec.Struct, frozen=True, kw_only=True):
    """`forecast_history` against `forecast`, from the sandbox at publication.

    `same` speaks of the hours compared only; `reason` says why nothing could be compared.
    """

    verdict: Literal["same", "differs", "not_comparable"]
    reason: str | None
    hours_compared: int
    hours_differing: int
    rows_differing: int
    differences: list[Difference]
    cause: Literal["looks_ahead", "whole_history", "longer_past", "unknown"] | None
    hours_ahead: int | None
    explanation: str | None
    bars: str
    carries_state: bool | None


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What was published, by digests; `why` explains a rejection.

    `scan` is what was known of its packages' weaknesses when it was built, `is_signed` whether
    there is a provenance statement.
    `deterministic` (two fresh runs of one hour gave the same bytes) and `leak_report` are null
    where the version was not examined.
    """

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
    scan: dict[str, Any] | None
    is_signed: bool
    deterministic: bool | None
    leak_report: LeakReport | None


VERSIONS: LiteralString = """
select %(signal)s as signal, version, state, reserved_at, published_at, commit_sha, tree_digest,
       lock_digest, image_digest, manifest, why, scan, provenance is not null as is_signed,
       deterministic, leak_report
from registry.version v
where signal_id = %(signal_id)s and (%(version)s::text is null or version = %(version)s)
  and (published_at is not null or %(sees_unpublished)s)
order by string_to_array(substr(version, 2), '.')::int[] desc
"""


@get("/", guards=[anyone], opt={ETAG: True})
async def list_versions(
    provider: FromPath[str], name: FromPath[str], context: RequestContext
) -> Page[Version]:
    """Newest first, whatever their state."""
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        return Page(await _read(connection, context, signal, None))


@get("/{version:str}", guards=[anyone], opt={ETAG: True})
async def get_version(
    provider: FromPath[str], name: FromPath[str], version: FromPath[str], context: RequestContext
) -> Version:
    """What was built, by digest, and what its examination found."""
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        return await read_version(connection, context, signal, version)


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


async def read_version(
    connection: psycopg.AsyncConnection, context: Context, signal: KnownSignal, version: str
) -> Version:
    """One version of a signal that was found.

    Raises:
        Problem: not_found.
    """
    rows = await _read(connection, context, signal, version)
    if not rows:
        raise Problem(
            "not_found",
            f"{signal.signal} has no version {version};"
            f" GET /v1/signals/{signal.signal}/versions lists them.",
        )
    return rows[0]


router = Router(
    "/v1/signals/{provider:str}/{name:str}/versions",
    route_handlers=[list_versions, get_version],
    tags=["versions"],
)
