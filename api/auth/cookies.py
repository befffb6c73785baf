"""A browser's session: its tokens in cookies, which no script in the page can read.

Theory of operation: who logs in with `"keep": "cookie"` is answered an access token alone, to
be held in memory; the refresh token and the device token come as cookies that are HttpOnly,
SameSite=Strict and sent to /v1/auth only. Nothing but refresh, logout and login ever reads
them: no other route knows a person by a cookie. What a cookie would do is refused
where the browser says that another site asks, or another host of this one.
"""

from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from litestar import Request
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.types import Message, Scope

from api.auth import devices, sessions
from api.problems import Problem
from api.settings import ApiSettings

REFRESH = "signalbox_refresh"
DEVICE = "signalbox_device"
PATH = "/v1/auth"
LIFETIMES = {REFRESH: sessions.LIFETIME, DEVICE: devices.LIFETIME}
TO_SET = "cookies_to_set"
LEEWAY = timedelta(seconds=10)
"""In which a browser may show a token again whose successor it did not get."""

Keep = Literal["answer", "cookie"]
"""Where the tokens of a login are kept: by whoever reads the answer, or by the browser."""

AnyRequest = Request[Any, Any, Any]


def refresh_token_of(request: AnyRequest, settings: ApiSettings) -> str:
    """The refresh token that the browser kept.

    Raises:
        Problem: foreign_origin, or invalid_refresh_token where there is none.
    """
    demand_own_page(request, settings)
    token = request.cookies.get(REFRESH)
    if not token:
        raise Problem("invalid_refresh_token", "Sign in by POST /v1/auth/login.")
    return token


def device_token_of(request: AnyRequest) -> str | None:
    """What tells that somebody signed in here before; it opens nothing."""
    return request.cookies.get(DEVICE)


def demand_own_page(request: AnyRequest, settings: ApiSettings) -> None:
    """Refuse what a page of somebody else has the browser ask.

    Raises:
        Problem: foreign_origin.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    # `none` is the person themselves; programs that are no browser say neither.
    if site in (None, "same-origin", "none") and (
        origin is None or _is_own(origin, request, settings)
    ):
        return
    raise Problem(
        "foreign_origin", "Cookies count for pages of this address alone; send the token itself."
    )


def _is_own(origin: str, request: AnyRequest, settings: ApiSettings) -> bool:
    own, given = urlsplit(settings.api_url), urlsplit(origin)
    if (given.scheme, given.netloc) == (own.scheme, own.netloc):
        return True
    # A machine has more than one name; the cookie was set for the one that was asked.
    return given.scheme == own.scheme and given.netloc == request.headers.get("host", "")


def keep(request: AnyRequest, settings: ApiSettings, name: str, token: str) -> None:
    """Have the browser keep a token for as long as it is good."""
    keep_for(request, settings, name, token, LIFETIMES[name], PATH)


def drop_refresh(request: AnyRequest, settings: ApiSettings) -> None:
    """Have the browser forget its refresh token, if it sent one."""
    if REFRESH in request.cookies:
        keep_for(request, settings, REFRESH, "", timedelta(0), PATH)


def keep_for(
    request: AnyRequest,
    settings: ApiSettings,
    name: str,
    value: str,
    lifetime: timedelta,
    path: str,
) -> None:
    """Have the browser keep what no script reads, and send it to `path` alone."""
    request.scope["state"].setdefault(TO_SET, {})[name] = Cookie(
        key=name,
        value=value,
        path=path,
        max_age=int(lifetime.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=settings.api_url.startswith("https://"),
    )


async def send_cookies(message: Message, scope: Scope) -> None:
    """A `before_send` hook: refusals clear cookies too, and they are no route's answer."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for cookie in scope["state"].get(TO_SET, {}).values():
        headers.add("set-cookie", cookie.to_header(header=""))
