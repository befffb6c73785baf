"""Finds out who asks, from `Authorization: Bearer`: an access token or an API key.

No header is nobody; a bad one is an error even where nobody would be welcome,
because an answer for nobody would look like an answer for its owner. Routes that
hand out credentials ignore the header: `opt={IGNORES_CREDENTIALS: True}`.
"""

from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from api.api_keys import keys
from api.auth.access_tokens import InvalidTokenError
from api.auth.caller import Caller
from api.installation import Installation
from api.problems import Problem
from sql.clock import system_clock

IGNORES_CREDENTIALS = "ignores_credentials"


class Authentication(ASGIMiddleware):
    scopes = (ScopeType.HTTP,)
    exclude_opt_key = IGNORES_CREDENTIALS

    def __init__(self, installation: Installation) -> None:
        self.installation = installation

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        header = Headers.from_scope(scope).get("authorization")
        scope["user"] = await caller_of(self.installation, header)
        await next_app(scope, receive, send)


async def caller_of(installation: Installation, header: str | None) -> Caller | None:
    """Who shows this header; None: nobody shows any.

    Raises:
        Problem: invalid_token.
    """
    if header is None:
        return None
    credential = credential_in(header)
    if credential is None:
        raise _invalid("Write it as `Authorization: Bearer <access token or API key>`.")
    if credential.startswith(keys.PREFIX):
        return await _holder_of_key(installation, credential)
    return await _holder_of_token(installation, credential)


def credential_in(header: str) -> str | None:
    """What is shown by an `Authorization` header; None: it is not written as it should be."""
    scheme, _, credential = header.partition(" ")
    credential = credential.strip()
    if scheme.lower() != "bearer" or not credential or "\0" in credential:
        return None
    return credential


async def _holder_of_key(installation: Installation, credential: str) -> Caller:
    caller = await installation.known_keys.caller(credential, system_clock())
    if caller is None:
        raise _invalid("The API key is unknown, expired or revoked; make a new one.")
    return caller


async def _holder_of_token(installation: Installation, credential: str) -> Caller:
    try:
        caller = await installation.known_sessions.caller(credential, system_clock())
    except InvalidTokenError:
        raise _invalid("Get a new access token by POST /v1/auth/refresh or login.") from None
    if caller is None:
        raise _invalid("That login has ended; sign in again by POST /v1/auth/login.")
    return caller


def _invalid(detail: str) -> Problem:
    return Problem("invalid_token", detail)
