"""POST /v1/auth/confirm | confirm/resend: the address of an account is its person's."""

import uuid

import psycopg
from litestar import Router, post
from litestar.params import JSONBody

from api import audit
from api.auth import accounts
from api.auth.fields import ShownToken
from api.auth.guards import anyone, signed_in
from api.auth.middleware import IGNORES_CREDENTIALS
from api.bodies import Body
from api.installation import Context, RequestContext, not_signed_in
from api.mail import letters, tokens
from api.problems import Problem
from sql.session import act_as


class MailToken(Body, frozen=True):
    """`token` is what stands behind `=` in the letter's link."""

    token: ShownToken


@post("/confirm", status_code=204, guards=[anyone], opt={IGNORES_CREDENTIALS: True})
async def confirm_email(data: JSONBody[MailToken], context: RequestContext) -> None:
    """Confirm the address that the letter was sent to; the link works once."""
    async with context.transaction() as connection:
        proven = await tokens.use(connection, data.token, "confirm_email", context.world_now)
        await act_as(connection, proven.user_id, context.now)
        person = await accounts.by_id(connection, proven.user_id)
        if person is None or person.email != proven.email:
            raise Problem("invalid_mail_token", "It was sent to another address: ask anew.")
        await accounts.set_email(connection, person.id, person.email, context.world_now)
        await audit.record(
            connection, context.now, person.id, "account.confirm_email", str(person.id)
        )


@post("/confirm/resend", status_code=202, guards=[signed_in()])
async def resend_confirmation(context: RequestContext) -> None:
    """Send the letter again, at most three times an hour; never to a confirmed address."""
    async with context.transaction() as connection:
        person = await accounts.by_id(connection, context.person.user_id)
        if person is None:
            raise not_signed_in()
        if not person.email_confirmed:
            await ask(connection, context, person.id, person.handle, person.email)


async def ask(
    connection: psycopg.AsyncConnection,
    context: Context,
    user_id: uuid.UUID,
    handle: str,
    email: str,
) -> None:
    """Write to a person, as whom the connection acts, for confirmation of their address."""
    token = await tokens.make(connection, user_id, "confirm_email", email, context.world_now)
    if token is not None:
        await letters.write(connection, context, "confirm_email", user_id, handle, token=token)


router = Router("/v1/auth", route_handlers=[confirm_email, resend_confirmation], tags=["auth"])
