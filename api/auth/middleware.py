"""Finds out who asks, from `Authorization: Bearer`: an access token or an API key.

No header is nobody; a bad one is an error even where nobody would be welcome,
because an answer for nobody would look like an answer for its owner. Routes that
hand out credentials ignore the header: `opt={IGNORES_CREDENTIALS: True}`.
"""

import uuid

from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from api.api_keys import keys
from api.auth import access_tokens
from api.auth.caller import Caller
from api.installation import Installation
from api.problems import Problem
from sql.clock import system_clock

IGNORES_CREDENTIALS = "ignores_credentials"

# A login that was ended, and every one that a changed password ended, is refused at once.
PERSON_OF_SESSION = (
    "select u.handle, u.role, s.has_totp"
    " from account.user_account u join account.session s on s.user_id = u.id"
    " where u.id = %s and s.id = %s and s.ended_at is null and u.deleted_at is null"
)


class Authentication(ASGIMiddleware):
    scopes = (ScopeType.HTTP,)
    exclude_opt_key = IGNORES_CREDENTIALS

    def __init__(self, installation: Installation) -> None:
        self.installation = installation

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        scope["user"] = await self._caller(Headers.from_scope(scope).get("authorization"))
        await next_app(scope, receive, send)

    async def _caller(self, header: str | None) -> Caller | None:
        if header is None:
            return None
        scheme, _, credential = header.partition(" ")
        credential = credential.strip()
        if scheme.lower() != "bearer" or not credential or "\0" in credential:
            raise _invalid("Write it as `Authorization: Bearer <access token or API key>`.")
        if credential.startswith(keys.PREFIX):
            return await self._holder_of_key(credential)
        return await self._holder_of_token(credential)

    async def _holder_of_key(self, credential: str) -> Caller:
        caller = await self.installation.known_keys.caller(credential, system_clock())
        if caller is None:
            raise _invalid("The API key is unknown, expired or revoked; make a new one.")
        return caller

    async def _holder_of_token(self, credential: str) -> Caller:
        now = system_clock()
        try:
            shown = access_tokens.verify_session(self.installation.secret, credential, now)
        except access_tokens.InvalidTokenError:
            raise _invalid("Get a new access token by POST /v1/auth/refresh or login.") from None
        caller = await self._person(*shown)
        if caller is None:
            raise _invalid("That login has ended; sign in again by POST /v1/auth/login.")
        return caller

    async def _person(self, user_id: uuid.UUID, session_id: uuid.UUID) -> Caller | None:
        async with self.installation.transaction(user_id, system_clock()) as connection:
            found = await connection.execute(PERSON_OF_SESSION, [user_id, session_id])
            row = await found.fetchone()
        if row is None:
            return None
        handle, role, has_totp = row
        return Caller(user_id, handle, role, session_id=session_id, has_totp=has_totp)


def _invalid(detail: str) -> Problem:
    return Problem("invalid_token", detail)
