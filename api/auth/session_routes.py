"""GET /v1/auth/sessions, DELETE /v1/auth/sessions/{id}, POST /v1/auth/logout-everywhere."""

import uuid
from typing import Any

from litestar import Request, Router, delete, get, post
from litestar.params import FromPath

from api import audit
from api.auth import cookies, sessions
from api.auth.guards import signed_in
from api.auth.sessions import Session
from api.installation import RequestContext
from api.pages import Page
from api.problems import Problem


@get("/sessions", guards=[signed_in()])
async def list_sessions(context: RequestContext) -> Page[Session]:
    """Where you are signed in, last used first."""
    person = context.person
    async with context.transaction() as connection:
        return Page(
            await sessions.running(connection, person.user_id, person.session_id, context.world_now)
        )


@delete("/sessions/{session_id:uuid}", guards=[signed_in()])
async def end_session(session_id: FromPath[uuid.UUID], context: RequestContext) -> None:
    """End one login; its tokens are refused from now on."""
    user_id = context.person.user_id
    async with context.transaction() as connection:
        if not await sessions.end(connection, user_id, context.world_now, only=session_id):
            raise Problem("not_found", "GET /v1/auth/sessions lists where you are signed in.")
        await audit.record(connection, context.now, user_id, "session.end", str(session_id))


@post("/logout-everywhere", status_code=204, guards=[signed_in()])
async def logout_everywhere(request: Request[Any, Any, Any], context: RequestContext) -> None:
    """End every login, this one too. API keys go on: DELETE /v1/api-keys/{id} revokes them."""
    user_id = context.person.user_id
    async with context.transaction() as connection:
        ended = await sessions.end(connection, user_id, context.world_now)
        await audit.record(
            connection, context.now, user_id, "session.end_all", str(user_id), ended=ended
        )
    cookies.drop_refresh(request, context.settings)


router = Router(
    "/v1/auth", route_handlers=[list_sessions, end_session, logout_everywhere], tags=["auth"]
)
