"""POST /v1/auth/register | login | refresh | logout, GET /v1/auth/me."""

import uuid
from typing import Annotated, Any

import msgspec
import psycopg
from litestar import Request, Router, get, post
from litestar.params import JSONBody
from msgspec import Meta

from api import audit
from api.accounts import standing, terms
from api.accounts.standing import Standing
from api.auth import (
    access_tokens,
    accounts,
    confirmation,
    cookies,
    devices,
    login_throttle,
    password_check,
    refresh_tokens,
    second_factor,
    sessions,
)
from api.auth.accounts import User
from api.auth.fields import Email, Handle, NewPassword, ShownCode, ShownPassword, ShownToken
from api.auth.guards import any_credential, anyone
from api.auth.middleware import IGNORES_CREDENTIALS
from api.auth.networks import Seen, seen
from api.bodies import Body
from api.installation import Context, RequestContext, not_signed_in
from api.problems import Problem
from sql.session import act_as

OPT = {IGNORES_CREDENTIALS: True}

AnyRequest = Request[Any, Any, Any]


class Registration(Body, frozen=True):
    """`accepted_terms` is the version of the terms of service that were read, if there are any.

    `keep`: as at login.
    """

    email: Email
    password: NewPassword
    handle: Handle
    accepted_terms: terms.Version | None = None
    keep: cookies.Keep = "answer"


class Login(Body, frozen=True):
    """`totp` is a code of the authenticator, or a recovery code, if the account asks for one.

    `device_token` is what an earlier login on this device answered. With `keep` as `cookie` the
    browser keeps refresh and device token where no script can read them; the answer has neither.
    """

    email: Annotated[str, Meta(max_length=254)]
    password: ShownPassword
    totp: ShownCode | None = None
    device_token: ShownToken | None = None
    keep: cookies.Keep = "answer"


class RefreshToken(Body, frozen=True):
    """Without `refresh_token` the browser's cookie counts."""

    refresh_token: ShownToken | None = None


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """`expires_in` is the access token's life in seconds; `refresh_token` is null in a cookie."""

    access_token: str
    refresh_token: str | None
    token_type: str = "Bearer"  # noqa: S105 - the scheme's name
    expires_in: int = int(access_tokens.LIFETIME.total_seconds())


class SignedIn(Tokens, frozen=True, kw_only=True):
    """`device_token` opens nothing; shown at the next login it spares the person to wait."""

    user: User
    device_token: str | None


@post("/register", guards=[anyone], opt=OPT)
async def register(
    data: JSONBody[Registration], request: AnyRequest, context: RequestContext
) -> SignedIn:
    """Make an account, and send a letter to its address to confirm it."""
    if data.keep == "cookie":
        cookies.demand_own_page(request, context.settings)
    if data.accepted_terms is not None:
        terms.demand_in_force(context, "accepted_terms", data.accepted_terms)
    password_hash = await context.installation.passwords.hash(data.password)
    user = User(uuid.uuid4(), data.handle, data.email.lower(), "member", context.now)
    async with context.transaction() as connection:
        await accounts.create(connection, user, password_hash)
        await act_as(connection, user.id, context.now)
        await audit.record(connection, context.now, user.id, "account.register", user.handle)
        if data.accepted_terms is not None:
            await terms.record(connection, context, user.id, data.accepted_terms)
        await confirmation.ask(connection, context, user.id, user.handle, user.email)
        signed_in = await _sign_in(connection, context, user, seen(request), has_totp=False)
    return _kept(signed_in, data.keep, request, context)


@post("/login", status_code=200, guards=[anyone], opt=OPT)
async def login(data: JSONBody[Login], request: AnyRequest, context: RequestContext) -> SignedIn:
    """Begin a session. Where the account has a second factor, send its code as `totp`."""
    if data.keep == "cookie":
        cookies.demand_own_page(request, context.settings)
    device_token = data.device_token or cookies.device_token_of(request)
    person, attempt = await password_check.check(
        context, request, data.email, data.password, device_token
    )
    signed_in = None
    async with context.installation.transaction(person.id, context.now) as connection:
        if not await accounts.still_opens(connection, person):
            raise password_check.wrong()
        verdict = await second_factor.judge(connection, context, person, data.totp)
        if verdict in ("none", "right"):
            await login_throttle.was_right(connection, attempt)
            signed_in = await _sign_in(
                connection, context, person.shown(), seen(request), has_totp=verdict == "right"
            )
        if verdict == "wrong":
            await password_check.note_failure(connection, context, person)
    if signed_in is not None:
        return _kept(signed_in, data.keep, request, context)
    # Judged after the commit: a failure stays on record, and its attempt counted.
    if verdict == "absent":
        raise Problem("totp_required", "Send the login again with `totp`.")
    raise Problem("invalid_totp", "Send the next code, or a recovery code that was not used.")


async def _sign_in(
    connection: psycopg.AsyncConnection,
    context: Context,
    user: User,
    device: Seen,
    *,
    has_totp: bool,
) -> SignedIn:
    now, secret = context.world_now, context.installation.secret
    session_id = await sessions.begin(connection, user.id, now, device, has_totp=has_totp)
    await audit.record(connection, context.now, user.id, "session.begin", str(session_id))
    return SignedIn(
        user=user,
        access_token=access_tokens.issue(secret, user.id, now, session_id=session_id),
        refresh_token=await refresh_tokens.hand_out(connection, session_id, user.id, now),
        device_token=devices.issue(secret, user.id, now),
    )


def _kept(
    signed_in: SignedIn, where: cookies.Keep, request: AnyRequest, context: Context
) -> SignedIn:
    """The answer; what the browser keeps is not in it."""
    if where == "answer":
        return signed_in
    for name, token in (
        (cookies.REFRESH, signed_in.refresh_token),
        (cookies.DEVICE, signed_in.device_token),
    ):
        cookies.keep(request, context.settings, name, token or "")
    return msgspec.structs.replace(signed_in, refresh_token=None, device_token=None)


@post("/refresh", status_code=200, guards=[anyone], opt=OPT)
async def refresh(
    data: JSONBody[RefreshToken], request: AnyRequest, context: RequestContext
) -> Tokens:
    """Exchange a refresh token, once, for the next pair; a second use ends the login.

    Without `refresh_token` it is the browser's cookie that is exchanged, and its successor is
    set as the cookie.
    """
    shown = data.refresh_token
    token = shown if shown is not None else cookies.refresh_token_of(request, context.settings)
    async with context.transaction() as connection:
        result = await refresh_tokens.exchange(
            connection,
            token,
            context.world_now,
            seen(request),
            cookies.LEEWAY if shown is None else refresh_tokens.NO_LEEWAY,
        )
    if shown is None and result.token is None:
        cookies.drop_refresh(request, context.settings)
    # Judged after the commit: the end of a family must not be rolled back.
    if result.outcome == "reused":
        raise Problem(
            "refresh_token_reused",
            "The token is in two hands, so this login has ended everywhere: sign in again.",
        )
    if result.user_id is None or result.token is None:
        raise Problem("invalid_refresh_token", "Sign in again by POST /v1/auth/login.")
    access_token = access_tokens.issue(
        context.installation.secret, result.user_id, context.world_now, session_id=result.session_id
    )
    if shown is None:
        cookies.keep(request, context.settings, cookies.REFRESH, result.token)
        return Tokens(access_token=access_token, refresh_token=None)
    return Tokens(access_token=access_token, refresh_token=result.token)


@post("/logout", status_code=204, guards=[anyone], opt=OPT)
async def logout(
    data: JSONBody[RefreshToken], request: AnyRequest, context: RequestContext
) -> None:
    """End a session; its access tokens are refused from now on. A browser's cookie is cleared."""
    shown = data.refresh_token
    token = shown if shown is not None else cookies.refresh_token_of(request, context.settings)
    async with context.transaction() as connection:
        await refresh_tokens.end(connection, token, context.world_now)
    if shown is None:
        cookies.drop_refresh(request, context.settings)


class Me(User, frozen=True):
    """`git_url` is where repositories lie: `{git_url}/git/{handle}/{name}.git`.

    `standing` is `good`, or the code of the problem that spending and publishing meet.
    """

    git_url: str
    email_confirmed: bool
    has_totp: bool
    standing: Standing


@get("/me", guards=[any_credential])
async def me(context: RequestContext) -> Me:
    """Who the credential stands for."""
    async with context.transaction() as connection:
        user = await accounts.by_id(connection, context.person.user_id)
        if user is None:
            raise not_signed_in()
        return Me(
            *(user.id, user.handle, user.email, user.role, user.created_at),
            git_url=context.settings.git_url,
            email_confirmed=user.email_confirmed,
            has_totp=await second_factor.is_enabled(connection, user.id),
            standing=await standing.standing(connection, context),
        )


router = Router("/v1/auth", route_handlers=[register, login, refresh, logout, me], tags=["auth"])
