"""Which methods an address has: what an answer 405 must say (RFC 9110, 15.5.6)."""

import re
from functools import lru_cache
from pathlib import Path

from litestar import Litestar
from litestar.datastructures import MutableScopeHeaders
from litestar.routes import HTTPRoute
from litestar.types import Message, Scope
from litestar.types.internal_types import PathParameterDefinition


def allowed(app: Litestar, path: str) -> str:
    """The header Allow of a path."""
    methods = {method for form, known in _routes(app) if form.fullmatch(path) for method in known}
    return ", ".join(sorted(methods))


async def complete_allow(message: Message, scope: Scope) -> None:
    """A `before_send` hook: Litestar answers OPTIONS with the methods of one handler only."""
    if message["type"] != "http.response.start" or scope.get("method") != "OPTIONS":
        return
    headers = MutableScopeHeaders.from_message(message)
    if "allow" in headers:
        headers["Allow"] = allowed(scope["litestar_app"], scope["path"])


@lru_cache(maxsize=8)
def _routes(app: Litestar) -> list[tuple[re.Pattern[str], tuple[str, ...]]]:
    return [
        (re.compile(_form(route)), tuple(route.route_handler_map))
        for route in app.routes
        if isinstance(route, HTTPRoute)
    ]


def _form(route: HTTPRoute) -> str:
    parts = (_part(part) for part in route.path_components)
    return "".join(f"/{part}" for part in parts) + "/?"


def _part(part: str | PathParameterDefinition) -> str:
    if isinstance(part, str):
        return re.escape(part)
    return ".+" if part.type is Path else "[^/]+"
