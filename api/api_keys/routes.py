"""POST|GET /v1/api-keys, DELETE /v1/api-keys/{key_id}."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from litestar import Router, delete, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from api import audit
from api.auth.caller import Scope
from api.auth.guards import signed_in
from api.bodies import Body
from api.installation import RequestContext
from api.pages import Page
from api.problems import Problem
from api.rows import fetch_all
from sql.api_key import new_key


class NewApiKey(Body, frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=80)]
    scopes: Annotated[set[Scope], Meta(min_length=1)]
    expires_in_days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class ApiKey(msgspec.Struct, frozen=True):
    id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


class ApiKeyWithSecret(ApiKey, frozen=True, kw_only=True):
    """`key` is shown this once."""

    key: str


@post("/", guards=[signed_in()])
async def create_api_key(data: JSONBody[NewApiKey], context: RequestContext) -> ApiKeyWithSecret:
    made = new_key(context.settings.environment)
    days = data.expires_in_days
    expires_at = context.world_now + timedelta(days=days) if days else None
    scopes: list[str] = sorted(data.scopes)
    user_id = context.person.user_id
    async with context.transaction() as connection:
        await connection.execute(
            "insert into account.api_key"
            " (id, user_id, name, secret_sha256, scopes, created_at, expires_at)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            [
                *(made.id, user_id, data.name, made.secret_sha256),
                *(scopes, context.world_now, expires_at),
            ],
        )
        await audit.record(connection, context.now, user_id, "api_key.create", made.id)
    return ApiKeyWithSecret(
        id=made.id,
        name=data.name,
        scopes=scopes,
        created_at=context.world_now,
        expires_at=expires_at,
        key=made.text,
    )


@get("/", guards=[signed_in("read")])
async def list_api_keys(context: RequestContext) -> Page[ApiKey]:
    async with context.transaction() as connection:
        rows = await fetch_all(
            connection,
            ApiKey,
            "select id, name, scopes, created_at, expires_at, revoked_at, last_used_at"
            " from account.api_key where user_id = %s order by created_at desc, id",
            [context.person.user_id],
        )
    return Page(rows)


@delete("/{key_id:str}", guards=[signed_in()])
async def revoke_api_key(key_id: FromPath[str], context: RequestContext) -> None:
    user_id = context.person.user_id
    async with context.transaction() as connection:
        changed = await connection.execute(
            "update account.api_key set revoked_at = coalesce(revoked_at, %s)"
            " where id = %s and user_id = %s",
            [context.world_now, key_id, user_id],
        )
        if changed.rowcount == 0:
            raise Problem("not_found", "GET /v1/api-keys lists the keys you have.")
        await audit.record(connection, context.now, user_id, "api_key.revoke", key_id)


router = Router(
    "/v1/api-keys",
    route_handlers=[create_api_key, list_api_keys, revoke_api_key],
    tags=["api keys"],
)
