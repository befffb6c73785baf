"""POST|GET /v1/signing-keys, DELETE /v1/signing-keys/{signing_key_id}."""

import uuid
from datetime import datetime
from typing import Annotated

import msgspec
import psycopg
from litestar import Router, delete, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from api import audit
from api.auth.guards import signed_in
from api.bodies import Body
from api.installation import RequestContext
from api.pages import Page
from api.problems import FieldError, Problem
from api.rows import fetch_all
from api.signing_keys.public_key import PublicKey, PublicKeyError, parse_public_key


class NewSigningKey(Body, frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=80)]
    public_key: Annotated[str, Meta(min_length=1, max_length=4096)]


class SigningKey(msgspec.Struct, frozen=True):
    id: uuid.UUID
    name: str
    public_key: str
    fingerprint: str
    created_at: datetime
    revoked_at: datetime | None = None


@post("/", guards=[signed_in()])
async def create_signing_key(data: JSONBody[NewSigningKey], context: RequestContext) -> SigningKey:
    """Register an SSH key: pushes signed by it are taken, and kept with their certificate."""
    key = _parsed(data.public_key)
    made = SigningKey(uuid.uuid4(), data.name, key.text, key.fingerprint, context.world_now)
    user_id = context.person.user_id
    async with context.transaction() as connection:
        try:
            await connection.execute(
                "insert into account.signing_key"
                " (id, user_id, name, public_key, fingerprint, created_at)"
                " values (%s, %s, %s, %s, %s, %s)",
                [made.id, user_id, made.name, made.public_key, made.fingerprint, made.created_at],
            )
        except psycopg.errors.UniqueViolation:
            raise Problem(
                "signing_key_taken", "You have registered this key: see GET /v1/signing-keys."
            ) from None
        await audit.record(connection, context.now, user_id, "signing_key.create", made.fingerprint)
    return made


@get("/", guards=[signed_in("read", "push")])
async def list_signing_keys(context: RequestContext) -> Page[SigningKey]:
    """Yours, newest first, revoked ones too."""
    async with context.transaction() as connection:
        rows = await fetch_all(
            connection,
            SigningKey,
            "select id, name, public_key, fingerprint, created_at, revoked_at"
            " from account.signing_key where user_id = %s order by created_at desc, id",
            [context.person.user_id],
        )
    return Page(rows)


@delete("/{signing_key_id:uuid}", guards=[signed_in()])
async def revoke_signing_key(signing_key_id: FromPath[uuid.UUID], context: RequestContext) -> None:
    """Pushes signed by it are declined from now on."""
    user_id = context.person.user_id
    async with context.transaction() as connection:
        changed = await connection.execute(
            "update account.signing_key set revoked_at = coalesce(revoked_at, %s)"
            " where id = %s and user_id = %s returning fingerprint",
            [context.world_now, signing_key_id, user_id],
        )
        row = await changed.fetchone()
        if row is None:
            raise Problem("not_found", "GET /v1/signing-keys lists the keys you have.")
        await audit.record(connection, context.now, user_id, "signing_key.revoke", row[0])


def _parsed(text: str) -> PublicKey:
    try:
        return parse_public_key(text)
    except PublicKeyError as error:
        raise Problem(
            "invalid_request",
            f"public_key: {error}",
            (FieldError("public_key", str(error)),),
        ) from None


router = Router(
    "/v1/signing-keys",
    route_handlers=[create_signing_key, list_signing_keys, revoke_signing_key],
    tags=["signing keys"],
)
