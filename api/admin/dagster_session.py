"""POST, GET and DELETE /v1/admin/dagster/session: operators' way past the door before Dagster.

Theory of operation: Dagster's web server knows no logins, so the proxy before it asks GET
whether to let a request through (`forward_auth` of Caddy, `auth_request` of nginx). What the
browser shows there is a pass in a cookie of its own: signed, for this purpose alone, bound to
the login that it was opened with, and sent to /dagster only. It opens nothing else, and it is
worth nothing any more when that login has ended, when the person is no operator any more, or
after eight hours.
"""

from datetime import timedelta
from typing import Any

from litestar import Request, Response, Router, delete, get, post

from api import audit
from api.auth import access_tokens
from api.auth.access_tokens import InvalidTokenError
from api.auth.cookies import keep_for
from api.auth.guards import anyone, operator
from api.auth.middleware import IGNORES_CREDENTIALS
from api.installation import Installation, RequestContext
from api.problems import Problem

COOKIE = "signalbox_dagster"
PATH = "/dagster"
LIFETIME = timedelta(hours=8)

AnyRequest = Request[Any, Any, Any]


@post("/session", status_code=204, guards=[operator])
async def open_dagster(request: AnyRequest, context: RequestContext) -> None:
    """Let this browser into Dagster for eight hours, or until the login ends."""
    person = context.person
    pass_ = access_tokens.issue(
        context.installation.secret,
        person.user_id,
        context.world_now,
        access_tokens.DAGSTER,
        session_id=person.session_id,
        lifetime=LIFETIME,
    )
    async with context.transaction() as connection:
        await audit.record(
            connection, context.now, person.user_id, "dagster.open", str(person.session_id)
        )
    keep_for(request, context.settings, COOKIE, pass_, LIFETIME, PATH)


@get("/session", status_code=204, guards=[anyone], opt={IGNORES_CREDENTIALS: True})
async def check_dagster(request: AnyRequest, context: RequestContext) -> Response[None]:
    """Whether the cookie of this request opens Dagster; for the proxy before it."""
    if not await _opens(context, request.cookies.get(COOKIE)):
        raise Problem("not_signed_in", "Open Dagster from the operator's desk, at /operator.")
    return Response(None, status_code=204, headers={"Cache-Control": "no-store"})


@delete("/session", guards=[operator])
async def close_dagster(request: AnyRequest, context: RequestContext) -> None:
    """Have this browser forget its way into Dagster."""
    keep_for(request, context.settings, COOKIE, "", timedelta(0), PATH)


async def _opens(context: RequestContext, pass_: str | None) -> bool:
    installation: Installation = context.installation
    if not pass_:
        return False
    try:
        caller = await installation.known_dagster_passes.caller(pass_, context.world_now)
    except InvalidTokenError:
        return False
    if caller is None or not caller.is_operator:
        return False
    return caller.has_totp or not installation.settings.operators_must_have_totp


router = Router(
    "/v1/admin/dagster",
    route_handlers=[open_dagster, check_dagster, close_dagster],
    tags=["admin"],
)
