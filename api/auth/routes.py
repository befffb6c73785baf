"""POST /v1/auth/register | login | refresh | logout, GET /v1/auth/me."""

import uuid
from typing import Annotated

import msgspec
import psycopg
from litestar import Router, get, post
from litestar.params import JSONBody
from msgspec import Meta

from api import audit
from api.auth import access_tokens, accounts, refresh_tokens
from api.auth.accounts import User
from api.auth.guards import any_credential, anyone
from api.auth.middleware import IGNORES_CREDENTIALS
from api.bodies import Body
from api.installation import Context, RequestContext, not_signed_in
from api.problems import Problem

OPT = {IGNORES_CREDENTIALS: True}

Email = Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$(?!\n)", max_length=254)]
Password = Annotated[str, Meta(min_length=12, max_length=1024)]
Handle = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,38}[a-z0-9]$(?!\n)")]


class Registration(Body, frozen=True):
    email: Email
    password: Password
    handle: Handle


class Login(Body, frozen=True):
    email: Annotated[str, Meta(max_length=254)]
    password: Annotated[str, Meta(max_length=1024)]


class RefreshToken(Body, frozen=True):
    refresh_token: Annotated[str, Meta(max_length=2000)]


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """`expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"  # noqa: S105 - the scheme's name
    expires_in: int = int(access_tokens.LIFETIME.total_seconds())


class SignedIn(Tokens, frozen=True, kw_only=True):
    user: User


@post("/register", guards=[anyone], opt=OPT)
async def register(data: JSONBody[Registration], context: RequestContext) -> SignedIn:
    password_hash = await context.installation.passwords.hash(data.password)
    user = User(uuid.uuid4(), data.handle, data.email.lower(), "member", context.now)
    async with context.transaction() as connection:
        await accounts.create(connection, user, password_hash)
        await audit.record(connection, context.now, user.id, "account.register", user.handle)
        return await _sign_in(connection, context, user)


@post("/login", status_code=200, guards=[anyone], opt=OPT)
async def login(data: JSONBody[Login], context: RequestContext) -> SignedIn:
    async with context.transaction() as connection:
        found = await accounts.by_email(connection, data.email)
    # The connection is back in the pool while the password is being checked.
    password_hash = found.password_hash if found else None
    right = await context.installation.passwords.verify(password_hash, data.password)
    if found is None or not right:
        raise Problem("invalid_credentials", "Check the e-mail address and the password.")
    user = User(found.id, found.handle, found.email, found.role, found.created_at)
    async with context.transaction() as connection:
        return await _sign_in(connection, context, user)


async def _sign_in(connection: psycopg.AsyncConnection, context: Context, user: User) -> SignedIn:
    return SignedIn(
        user=user,
        access_token=_access_token(context, user.id),
        refresh_token=await refresh_tokens.begin_family(connection, user.id, context.world_now),
    )


@post("/refresh", status_code=200, guards=[anyone], opt=OPT)
async def refresh(data: JSONBody[RefreshToken], context: RequestContext) -> Tokens:
    async with context.transaction() as connection:
        result = await refresh_tokens.exchange(connection, data.refresh_token, context.world_now)
    # Judged after the commit: the end of a family must not be rolled back.
    if result.outcome == "reused":
        raise Problem(
            "refresh_token_reused",
            "The token is in two hands, so this login has ended everywhere: sign in again.",
        )
    if result.user_id is None or result.token is None:
        raise Problem("invalid_refresh_token", "Sign in again by POST /v1/auth/login.")
    access_token = _access_token(context, result.user_id)
    return Tokens(access_token=access_token, refresh_token=result.token)


@post("/logout", status_code=204, guards=[anyone], opt=OPT)
async def logout(data: JSONBody[RefreshToken], context: RequestContext) -> None:
    """End a login. Its access token works on for at most ten minutes."""
    async with context.transaction() as connection:
        await refresh_tokens.end(connection, data.refresh_token, context.world_now)


class Me(User, frozen=True):
    """`git_url` is where repositories lie: `{git_url}/git/{handle}/{name}.git`."""

    git_url: str


@get("/me", guards=[any_credential])
async def me(context: RequestContext) -> Me:
    async with context.transaction() as connection:
        user = await accounts.by_id(connection, context.person.user_id)
    if user is None:
        raise not_signed_in()
    git_url = context.settings.git_url
    return Me(user.id, user.handle, user.email, user.role, user.created_at, git_url)


def _access_token(context: Context, user_id: uuid.UUID) -> str:
    return access_tokens.issue(context.installation.secret, user_id, context.world_now)


router = Router("/v1/auth", route_handlers=[register, login, refresh, logout, me], tags=["auth"])
