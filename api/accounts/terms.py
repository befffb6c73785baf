"""GET|POST /v1/account/terms: the terms of service in force, accepted by the version read."""

import uuid
from typing import Annotated

import msgspec
import psycopg
from litestar import get, post
from litestar.params import JSONBody
from msgspec import Meta

from api import audit
from api.auth.guards import anyone, signed_in
from api.bodies import Body
from api.installation import Context, RequestContext
from api.problems import Problem, invalid_field

Version = Annotated[str, Meta(min_length=1, max_length=40)]


class AcceptedTerms(Body, frozen=True):
    version: Version


class Terms(msgspec.Struct, frozen=True):
    """`version` is null where there are no terms of service."""

    version: str | None


@get("/v1/account/terms", guards=[anyone], tags=["account"])
async def show_terms(context: RequestContext) -> Terms:
    """Which terms are in force: what `accepted_terms` of a registration has to name."""
    return Terms(context.settings.terms_version or None)


@post("/v1/account/terms", status_code=204, guards=[signed_in()], tags=["account"])
async def accept_terms(data: JSONBody[AcceptedTerms], context: RequestContext) -> None:
    """Accept the version in force; accepting it twice is accepting it once."""
    demand_in_force(context, "version", data.version)
    async with context.transaction() as connection:
        await record(connection, context, context.person.user_id, data.version)


def demand_in_force(context: Context, field: str, version: str) -> None:
    """Only the terms in force can be accepted.

    Raises:
        Problem: invalid_request.
    """
    in_force = context.settings.terms_version
    if not in_force:
        raise Problem("invalid_request", "There are no terms of service here to accept.")
    if version != in_force:
        raise invalid_field(field, f"the terms in force are version {in_force}")


async def record(
    connection: psycopg.AsyncConnection, context: Context, user_id: uuid.UUID, version: str
) -> None:
    """Keep who accepted what, and when; the connection acts as that person."""
    added = await connection.execute(
        "insert into account.terms_acceptance (user_id, version, accepted_at) values (%s, %s, %s)"
        " on conflict do nothing",
        [user_id, version, context.world_now],
    )
    if added.rowcount:
        await audit.record(connection, context.now, user_id, "account.accept_terms", version)
