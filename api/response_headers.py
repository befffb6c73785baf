"""Headers of every response: the request's id, and the demo clock when it is in force."""

import re
import uuid

from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.types import BeforeMessageSendHookHandler, Message, Scope

from sql.clock import Clock, DemoClock

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def response_headers(clock: Clock) -> BeforeMessageSendHookHandler:
    """A `before_send` hook; middleware would not see routes that do not exist."""

    async def add_headers(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers = MutableScopeHeaders.from_message(message)
        headers["X-Request-ID"] = request_id(scope)
        headers["X-Content-Type-Options"] = "nosniff"
        if isinstance(clock, DemoClock):
            headers["X-Signalbox-Demo-Clock"] = f"+{int(clock.offset().total_seconds())}s"

    return add_headers


def request_id(scope: Scope) -> str:
    """The client's id if it is harmless, else one of ours; the same for log and answer."""
    state = scope["state"]
    if "request_id" not in state:
        given = Headers.from_scope(scope).get("x-request-id", "")
        state["request_id"] = given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
    return str(state["request_id"])
