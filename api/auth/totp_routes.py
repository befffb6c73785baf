"""POST /v1/auth/totp | totp/confirm | totp/disable: a second factor beside the password."""

from typing import Any

import msgspec
import psycopg
from litestar import Request, Router, post
from litestar.params import JSONBody

from api import audit
from api.auth import accounts, login_throttle, password_check, second_factor, sessions, totp
from api.auth.fields import ShownCode, ShownPassword
from api.auth.guards import signed_in
from api.bodies import Body
from api.installation import RequestContext
from api.mail import letters
from api.problems import Problem

ISSUER = "Signalbox"


class TotpEnrolment(Body, frozen=True):
    password: ShownPassword


class TotpConfirmation(Body, frozen=True):
    code: ShownCode


class TotpRemoval(Body, frozen=True):
    """`code` may be a recovery code."""

    password: ShownPassword
    code: ShownCode


class TotpSecret(msgspec.Struct, frozen=True):
    """Shown this once: base32, and the same as an authenticator reads it from a QR code."""

    secret: str
    otpauth_uri: str


class RecoveryCodes(msgspec.Struct, frozen=True):
    """Shown this once: each signs in once in place of a lost authenticator."""

    recovery_codes: list[str]


@post("/totp", status_code=201, guards=[signed_in()])
async def enrol_totp(
    data: JSONBody[TotpEnrolment], request: Request[Any, Any, Any], context: RequestContext
) -> TotpSecret:
    """A new secret; nothing is asked for until it is confirmed by a code."""
    person = await password_check.check_own(context, request, data.password)
    async with context.transaction() as connection:
        try:
            secret = await second_factor.enrol(connection, context, person.id)
        except psycopg.errors.UniqueViolation:
            raise Problem(
                "totp_enabled", "Disable it by POST /v1/auth/totp/disable before enrolling another."
            ) from None
        await audit.record(connection, context.now, person.id, "totp.enrol", str(person.id))
    return TotpSecret(totp.base32(secret), totp.otpauth_uri(secret, person.handle, ISSUER))


@post("/totp/confirm", status_code=200, guards=[signed_in()])
async def confirm_totp(data: JSONBody[TotpConfirmation], context: RequestContext) -> RecoveryCodes:
    """From now on signing in takes a code; logins without one end, this one goes on."""
    person = context.person
    async with context.transaction() as connection:
        # A login that found no second factor would else begin after the others have ended.
        await accounts.hold(connection, person.user_id)
        is_right = await second_factor.confirm(connection, context, person.user_id, data.code)
        if is_right is None:
            raise Problem("totp_not_enabled", "Enrol by POST /v1/auth/totp first.")
        if not is_right:
            raise Problem("invalid_totp", "Send the code that the authenticator shows now.")
        codes = await second_factor.new_recovery_codes(connection, person.user_id)
        await sessions.end(connection, person.user_id, context.world_now, but=person.session_id)
        await connection.execute(
            "update account.session set has_totp = true where id = %s", [person.session_id]
        )
        await letters.write(connection, context, "totp_enabled", person.user_id, person.handle)
        await audit.record(
            connection, context.now, person.user_id, "totp.enable", str(person.user_id)
        )
    return RecoveryCodes(codes)


@post("/totp/disable", status_code=204, guards=[signed_in()])
async def disable_totp(
    data: JSONBody[TotpRemoval], request: Request[Any, Any, Any], context: RequestContext
) -> None:
    """From now on the password alone signs in."""
    person, attempt = await password_check.check_own_first(context, request, data.password)
    async with context.transaction() as connection:
        verdict = await second_factor.judge(connection, context, person, data.code)
        if verdict == "right":
            await login_throttle.was_right(connection, attempt)
            await second_factor.remove(connection, person.id)
            await letters.write(connection, context, "totp_disabled", person.id, person.handle)
            await audit.record(connection, context.now, person.id, "totp.disable", str(person.id))
            return
    if verdict == "none":
        raise Problem("totp_not_enabled", "There is nothing to disable.")
    raise Problem("invalid_totp", "Send the code that the authenticator shows now.")


router = Router("/v1/auth", route_handlers=[enrol_totp, confirm_totp, disable_totp], tags=["auth"])
