"""Where requests are counted: around all routes for strays, before each route for its class."""

from typing import Any, cast

from litestar import Request
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPResponseStartEvent, HTTPScope, Message, Receive, Scope, Send

from api.api_keys.keys import PREFIX
from api.auth.known_keys import KnownKeys
from api.auth.middleware import IGNORES_CREDENTIALS
from api.exception_handlers import answer
from api.limits.limits import CREDENTIALS, NO_ROUTE, Limits, asker_of
from api.limits.store import Taken
from api.limits.table import class_of
from api.problems import Problem
from sql.clock import system_clock

STRAYS = (401, 404, 405)
COUNTED = "rate_limit"


class RouteLimits(ASGIMiddleware):
    """Inside authentication: counts a request for its account, and refuses it beforehand."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        template = scope["path_template"]
        route_class = class_of(template, cast("HTTPScope", scope)["method"])
        if route_class is not None:
            caller = scope.get("user")
            now = system_clock().timestamp()
            asker = asker_of(caller, self.limits.addresses.of(scope))
            refusal = self.limits.refusal(asker, template, now)
            if refusal is not None:
                raise refusal
            scope["state"][COUNTED] = await self.limits.take(route_class, asker, caller, now)
        await next_app(scope, receive, send)


class Strays:
    """Around the whole app: also where no route and no middleware is reached."""

    def __init__(self, app: ASGIApp, limits: Limits, known_keys: KnownKeys) -> None:
        self._app = app
        self._limits = limits
        self._known_keys = known_keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        refusal = self._refused_credential(scope)
        if refusal is not None:
            await _send(refusal, scope, receive, send)
            return
        await self._app(scope, receive, self._counting(scope, receive, send))

    def _refused_credential(self, scope: Scope) -> Problem | None:
        if not self._limits.is_refusing:
            return None
        now = system_clock().timestamp()
        refusal = self._limits.refusal(self._address(scope), CREDENTIALS, now)
        if refusal is None:
            return None
        credential = Headers.from_scope(scope).get("authorization", "").partition(" ")[2].strip()
        if not credential.startswith(PREFIX) or self._known_keys.has_seen(credential):
            return None
        return refusal

    def _counting(self, scope: Scope, receive: Receive, send: Send) -> Send:
        """Passes an answer on, with its headers; or the refusal in its place."""
        is_replaced = False

        async def counting(message: Message) -> None:
            nonlocal is_replaced
            if message["type"] == "http.response.start":
                if message["status"] in STRAYS:
                    refusal = await self._stray(scope)
                    if refusal is not None:
                        is_replaced = True
                        await _send(refusal, scope, receive, send)
                        return
                _add_headers(message, scope)
            if not is_replaced:
                await send(message)

        return counting

    async def _stray(self, scope: Scope) -> Problem | None:
        where: str = scope.get("path_template", NO_ROUTE)
        if _is_bad_credential(scope):
            asker, where = self._address(scope), CREDENTIALS
        else:
            asker = asker_of(scope.get("user"), self._limits.addresses.of(scope))
        return await self._limits.stray(asker, where, system_clock().timestamp())

    def _address(self, scope: Scope) -> str:
        return asker_of(None, self._limits.addresses.of(scope))


def _is_bad_credential(scope: Scope) -> bool:
    """Whether authentication ended the request: it leaves a user, or None, where it did not."""
    left = cast("dict[str, Any]", scope)
    handler = left.get("route_handler")
    return handler is not None and "user" not in left and not handler.opt.get(IGNORES_CREDENTIALS)


def _add_headers(message: Message, scope: Scope) -> None:
    """What is left of the limit, as draft-ietf-httpapi-ratelimit-headers-02 names it."""
    counted = scope["state"].get(COUNTED)
    if counted is None:
        return
    start = cast("HTTPResponseStartEvent", message)
    start["headers"] = [*start["headers"], *rate_headers(*counted)]


def rate_headers(limit: int, taken: Taken) -> list[tuple[bytes, bytes]]:
    """What is left of a limit."""
    return [
        (b"ratelimit-limit", b"%d" % limit),
        (b"ratelimit-remaining", b"%d" % taken.remaining),
        (b"ratelimit-reset", b"%d" % -(-taken.full_in_s // 1)),
    ]


async def _send(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    response = answer(problem).to_asgi_response(None, Request(scope))
    await response(scope, receive, send)
