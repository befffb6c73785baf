"""GET .../versions/{version}/provenance | sbom | events, GET /v1/provenance-keys.

Both documents are served as the very bytes that were stored: a signature is over them, and a
leaf of the log holds the hash of the bill of materials.
"""

from datetime import datetime
from typing import LiteralString

import msgspec
import psycopg
from litestar import Response, Router, get
from litestar.params import FromPath

from api.auth.guards import anyone, owner_or_operator
from api.installation import Context, RequestContext
from api.pages import Page
from api.problems import Problem
from api.rows import fetch_all
from api.signals.lookup import find_signal, find_version
from api.signals.versions import read_version


class ProvenanceKey(msgspec.Struct, frozen=True):
    """`key_id` is the sha256 of the Ed25519 key in DER form; `public_key` is PEM."""

    key_id: str
    public_key: str
    since: datetime


class VersionEvent(msgspec.Struct, frozen=True):
    """`actor` is null where the platform itself acted."""

    at: datetime
    to_state: str
    actor: str | None
    why: str


EVENTS: LiteralString = """
select e.at, e.to_state, u.handle as actor, e.why
from registry.version_event e left join account.user_account u on u.id = e.actor_id
where e.version_id = %s order by e.id
"""


@get("/{version:str}/provenance", guards=[anyone], media_type="application/json")
async def get_provenance(
    provider: FromPath[str], name: FromPath[str], version: FromPath[str], context: RequestContext
) -> Response[bytes]:
    """An in-toto statement with SLSA provenance, in a DSSE envelope signed by the platform."""
    return await _document(context, (provider, name, version), "provenance")


@get("/{version:str}/sbom", guards=[anyone], media_type="application/json")
async def get_sbom(
    provider: FromPath[str], name: FromPath[str], version: FromPath[str], context: RequestContext
) -> Response[bytes]:
    """The bill of materials, CycloneDX: every installed wheel by its hash."""
    return await _document(context, (provider, name, version), "sbom")


@get("/{version:str}/events", guards=[owner_or_operator("read", "push")])
async def list_version_events(
    provider: FromPath[str], name: FromPath[str], version: FromPath[str], context: RequestContext
) -> Page[VersionEvent]:
    """Every change of state: when, by whom, and why."""
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        known = await find_version(connection, signal, version)
        return Page(await fetch_all(connection, VersionEvent, EVENTS, [known.id]))


@get("/v1/provenance-keys", guards=[anyone], tags=["versions"])
async def list_provenance_keys(context: RequestContext) -> Page[ProvenanceKey]:
    """Public keys that this platform signed provenance with, newest first."""
    query: LiteralString = (
        "select key_id, public_key, since from registry.signing_key order by since desc, key_id"
    )
    async with context.transaction() as connection:
        return Page(await fetch_all(connection, ProvenanceKey, query, []))


async def _document(context: Context, path: tuple[str, str, str], which: str) -> Response[bytes]:
    provider, name, version = path
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        # Who may not see the version is told that there is none.
        await read_version(connection, context, signal, version)
        text = await _text(connection, signal.id, version, which)
    if text is None:
        raise Problem("not_found", f"{signal.signal} {version} was published without {which}.")
    return Response(text.encode(), media_type="application/json")


async def _text(
    connection: psycopg.AsyncConnection, signal_id: int, version: str, which: str
) -> str | None:
    cursor = await connection.execute(
        "select provenance, sbom from registry.version where signal_id = %s and version = %s",
        [signal_id, version],
    )
    row = await cursor.fetchone()
    documents: dict[str, str | None] = dict(zip(("provenance", "sbom"), row or (), strict=False))
    return documents.get(which)


router = Router(
    "/v1/signals/{provider:str}/{name:str}/versions",
    route_handlers=[get_provenance, get_sbom, list_version_events],
    tags=["versions"],
)
