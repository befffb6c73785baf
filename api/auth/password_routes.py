"""POST /v1/auth/password | password/forgot | password/reset.

Asking for a new password answers at once and the same for every address: whether
somebody has it is found out after the answer.
"""

import logging
from typing import Any

import psycopg
import psycopg_pool
from litestar import Request, Response, Router, post
from litestar.background_tasks import BackgroundTask
from litestar.params import JSONBody

from api import audit
from api.auth import accounts, login_throttle, password_check, sessions
from api.auth.fields import Email, NewPassword, ShownPassword, ShownToken
from api.auth.guards import anyone, signed_in
from api.auth.middleware import IGNORES_CREDENTIALS
from api.bodies import Body
from api.installation import Context, RequestContext
from api.mail import letters, tokens
from api.problems import Problem
from sql.session import act_as

OPT = {IGNORES_CREDENTIALS: True}

logger = logging.getLogger(__name__)


class ForgottenPassword(Body, frozen=True):
    email: Email


class PasswordReset(Body, frozen=True):
    """`token` is what stands behind `=` in the letter's link."""

    token: ShownToken
    password: NewPassword


class PasswordChange(Body, frozen=True):
    old_password: ShownPassword
    new_password: NewPassword


@post("/password/forgot", status_code=202, guards=[anyone], opt=OPT)
async def forget_password(
    data: JSONBody[ForgottenPassword], context: RequestContext
) -> Response[None]:
    """If the address is an account's, a letter goes there, at most three times an hour."""
    return Response(None, background=BackgroundTask(_write_later, context, data.email))


async def _write_later(context: Context, email: str) -> None:
    try:
        await _write_to(context, email)
    except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
        # The answer is given; whoever waits for a letter in vain asks again.
        logger.error("a letter that was asked for was not written: %s", error)  # noqa: TRY400


async def _write_to(context: Context, email: str) -> None:
    async with context.transaction() as connection:
        person = await accounts.by_email(connection, email)
        if person is None:
            return
        await act_as(connection, person.id, context.now)
        token = await tokens.make(
            connection, person.id, "reset_password", person.email, context.world_now
        )
        if token is None:
            return
        await letters.write(
            connection, context, "reset_password", person.id, person.handle, token=token
        )
        await audit.record(connection, context.now, None, "password.forgot", str(person.id))


@post("/password/reset", status_code=204, guards=[anyone], opt=OPT)
async def reset_password(data: JSONBody[PasswordReset], context: RequestContext) -> None:
    """Set a new password; every login ends. A second factor is still asked for."""
    async with context.transaction() as connection:
        proven = await tokens.use(connection, data.token, "reset_password", context.world_now)
        await act_as(connection, proven.user_id, context.now)
        person = await accounts.by_id(connection, proven.user_id)
        if person is None or person.email != proven.email:
            raise Problem("invalid_mail_token", "It was sent to another address: ask anew.")
        # Hashed while the token is held: a token that is none costs no hash.
        password_hash = await context.installation.passwords.hash(data.password)
        await accounts.set_password(connection, person.id, password_hash)
        # Who got the letter has the mailbox.
        await accounts.set_email(connection, person.id, person.email, context.world_now)
        await sessions.end(connection, person.id, context.world_now)
        await login_throttle.forget(connection, context, person.email)
        await letters.write(connection, context, "password_changed", person.id, person.handle)
        await audit.record(connection, context.now, person.id, "password.reset", str(person.id))


@post("/password", status_code=204, guards=[signed_in()])
async def change_password(
    data: JSONBody[PasswordChange], request: Request[Any, Any, Any], context: RequestContext
) -> None:
    """Set a new password; your other logins end, this one goes on."""
    person = await password_check.check_own(context, request, data.old_password)
    password_hash = await context.installation.passwords.hash(data.new_password)
    async with context.transaction() as connection:
        await accounts.set_password(connection, person.id, password_hash)
        await tokens.take_back(connection, person.id, "reset_password", context.world_now)
        await sessions.end(connection, person.id, context.world_now, but=context.person.session_id)
        await letters.write(connection, context, "password_changed", person.id, person.handle)
        await audit.record(connection, context.now, person.id, "password.change", str(person.id))


router = Router(
    "/v1/auth", route_handlers=[forget_password, reset_password, change_password], tags=["auth"]
)
