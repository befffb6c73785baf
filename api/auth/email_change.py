"""POST /v1/auth/email | email/confirm: another address for an account.

Nothing changes before the new address has answered, and the old one is told twice:
when it was asked for, and when it is done.
"""

from typing import Any

from litestar import Request, Router, post
from litestar.params import JSONBody

from api import audit
from api.auth import accounts, password_check
from api.auth.confirmation import MailToken
from api.auth.fields import Email, ShownPassword
from api.auth.guards import anyone, signed_in
from api.auth.middleware import IGNORES_CREDENTIALS
from api.bodies import Body
from api.installation import RequestContext
from api.mail import letters, tokens
from api.problems import Problem
from sql.session import act_as


class EmailChange(Body, frozen=True):
    email: Email
    password: ShownPassword


@post("/email", status_code=202, guards=[signed_in()])
async def change_email(
    data: JSONBody[EmailChange], request: Request[Any, Any, Any], context: RequestContext
) -> None:
    """Send a letter to the new address, at most three times an hour.

    The answer is the same where somebody has that address; then there is no letter.
    """
    person = await password_check.check_own(context, request, data.password)
    email = data.email.lower()
    async with context.transaction() as connection:
        if await accounts.by_email(connection, email) is not None:
            return
        token = await tokens.make(connection, person.id, "change_email", email, context.world_now)
        if token is None:
            return
        await letters.write(
            connection, context, "change_email", person.id, person.handle,
            address=email, token=token,
        )  # fmt: skip
        await letters.write(connection, context, "email_change_asked", person.id, person.handle)
        await audit.record(
            connection, context.now, person.id, "account.ask_email_change", str(person.id)
        )


@post("/email/confirm", status_code=204, guards=[anyone], opt={IGNORES_CREDENTIALS: True})
async def confirm_email_change(data: JSONBody[MailToken], context: RequestContext) -> None:
    """Use the address that the letter was sent to from now on."""
    async with context.transaction() as connection:
        proven = await tokens.use(connection, data.token, "change_email", context.world_now)
        await act_as(connection, proven.user_id, context.now)
        person = await accounts.by_id(connection, proven.user_id)
        if person is None:
            raise Problem("invalid_mail_token", "The account is gone.")
        await accounts.set_email(connection, person.id, proven.email, context.world_now)
        # What was sent to the old address sets no password any more.
        await tokens.take_back(connection, person.id, "reset_password", context.world_now)
        await letters.write(
            connection, context, "email_changed", person.id, person.handle, address=person.email
        )
        await audit.record(
            connection, context.now, person.id, "account.change_email", str(person.id)
        )


router = Router("/v1/auth", route_handlers=[change_email, confirm_email_change], tags=["auth"])
