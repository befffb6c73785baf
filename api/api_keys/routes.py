"""POST|GET /v1/api-keys, PATCH|DELETE /v1/api-keys/{key_id}."""

from datetime import datetime, timedelta
from typing import Annotated, LiteralString

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from api import audit
from api.accounts.standing import demand_good_standing
from api.api_keys.keys import PREFIX
from api.auth.caller import Scope
from api.auth.guards import signed_in
from api.bodies import Body
from api.installation import Context, RequestContext
from api.pages import Page
from api.problems import Problem
from api.rows import fetch_all
from sql.api_key import new_key

Name = Annotated[str, Meta(min_length=1, max_length=80)]


class NewApiKey(Body, frozen=True):
    name: Name
    scopes: Annotated[set[Scope], Meta(min_length=1)]
    expires_in_days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class NewName(Body, frozen=True):
    name: Name


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """`prefix` is how the key begins: by it you know which one stands in a program's settings."""

    id: str
    prefix: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


COLUMNS: LiteralString = """
select id, name, scopes, created_at, expires_at, revoked_at, last_used_at from account.api_key
"""


class ApiKeyWithSecret(ApiKey, frozen=True, kw_only=True):
    """`key` is shown this once."""

    key: str


@post("/", guards=[signed_in()])
async def create_api_key(data: JSONBody[NewApiKey], context: RequestContext) -> ApiKeyWithSecret:
    """Its `key` is shown this once; only its digest is stored."""
    made = new_key(context.settings.environment)
    days = data.expires_in_days
    expires_at = context.world_now + timedelta(days=days) if days else None
    scopes: list[str] = sorted(data.scopes)
    user_id = context.person.user_id
    async with context.transaction() as connection:
        await demand_good_standing(connection, context)
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
        prefix=_prefix(context, made.id),
        name=data.name,
        scopes=scopes,
        created_at=context.world_now,
        expires_at=expires_at,
        key=made.text,
    )


@get("/", guards=[signed_in("read")])
async def list_api_keys(context: RequestContext) -> Page[ApiKey]:
    """Yours, newest first, revoked and expired ones too; no secret is shown again."""
    async with context.transaction() as connection:
        rows = await fetch_all(
            connection, _Row, f"{COLUMNS} where user_id = %s order by created_at desc, id",
            [context.person.user_id],
        )  # fmt: skip
    return Page([_shown(context, row) for row in rows])


@patch("/{key_id:str}", guards=[signed_in()])
async def rename_api_key(
    key_id: FromPath[str], data: JSONBody[NewName], context: RequestContext
) -> ApiKey:
    """Nothing else of a key can be changed."""
    user_id = context.person.user_id
    async with context.transaction() as connection:
        await connection.execute(
            "update account.api_key set name = %s where id = %s and user_id = %s",
            [data.name, key_id, user_id],
        )
        found = await fetch_all(
            connection, _Row, f"{COLUMNS} where id = %s and user_id = %s", [key_id, user_id]
        )
        if not found:
            raise _unknown_key()
        await audit.record(connection, context.now, user_id, "api_key.rename", key_id)
    return _shown(context, found[0])


@delete("/{key_id:str}", guards=[signed_in()])
async def revoke_api_key(key_id: FromPath[str], context: RequestContext) -> None:
    """It is refused from the next request on."""
    user_id = context.person.user_id
    async with context.transaction() as connection:
        changed = await connection.execute(
            "update account.api_key set revoked_at = coalesce(revoked_at, %s)"
            " where id = %s and user_id = %s",
            [context.world_now, key_id, user_id],
        )
        if changed.rowcount == 0:
            raise _unknown_key()
        await audit.record(connection, context.now, user_id, "api_key.revoke", key_id)
    # The notice of the database comes a moment later; here it holds with the answer.
    context.installation.known_keys.forget(user_id)


def _prefix(context: Context, key_id: str) -> str:
    return f"{PREFIX}{context.settings.environment}_{key_id}"


def _shown(context: Context, row: _Row) -> ApiKey:
    return ApiKey(**msgspec.structs.asdict(row), prefix=_prefix(context, row.id))


def _unknown_key() -> Problem:
    return Problem("not_found", "GET /v1/api-keys lists the keys you have.")


router = Router(
    "/v1/api-keys",
    route_handlers=[create_api_key, list_api_keys, rename_api_key, revoke_api_key],
    tags=["api keys"],
)
