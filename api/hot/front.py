"""Answers hot questions before the router sees them, or leaves them to it.

Theory of operation: a hot read asks for what many ask for, and most of what the routes do
for it gives the same each time. Here stand the same checks in the same order: all notices
of what was committed before the request are heard (`api/notices.py`); then who asks,
whether they may read, and their limit, each by what is kept and by the instant; then the
bytes. Whatever is unusual, and everything that ends in a refusal, goes to the routes, so
that there is one place that words it. Bytes that are not kept are made by the route's own
function. A test holds both ways against each other.
"""

import logging
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import lru_cache

import psycopg
from litestar.handlers import HTTPRouteHandler
from litestar.types import HTTPScope, Send
from psycopg_pool import PoolTimeout

from api.api_keys.keys import PREFIX
from api.auth.caller import Caller
from api.auth.middleware import caller_of, credential_in
from api.forecasts import routes as forecasts
from api.formats import answers
from api.formats.media_types import negotiate
from api.hot.access import Access, AccessList
from api.hot.kept import Headers, Kept, KeptAnswers, Key, good_until
from api.hot.shapes import Kind, Shape, shape_of
from api.installation import Context, Installation
from api.limits.limits import asker_of
from api.limits.middleware import rate_headers
from api.limits.table import class_of
from api.performance import routes as performance
from api.problems import Problem
from api.response_headers import REQUEST_ID
from sql.clock import DemoClock, system_clock

logger = logging.getLogger(__name__)

ROUTES: dict[Kind, HTTPRouteHandler] = {
    "latest": forecasts.latest_forecasts,
    "history": forecasts.list_forecasts,
    "mine": forecasts.my_latest_forecasts,
    "performance": performance.get_performance,
}
OK, NOT_MODIFIED = 200, 304


class _Headers:
    """Of a request, those that matter here; `is_unusual` where one of them comes twice."""

    __slots__ = ("accept", "authorization", "if_none_match", "is_unusual", "request_id")

    def __init__(self, scope: HTTPScope) -> None:
        self.authorization = self.accept = self.if_none_match = self.request_id = ""
        self.is_unusual = False
        for name, value in scope["headers"]:
            if name == b"authorization":
                self.is_unusual |= self.authorization != ""
                self.authorization = value.decode("latin-1") or " "
            elif name == b"accept":
                self.is_unusual |= self.accept != ""
                self.accept = value.decode("latin-1")
            elif name == b"if-none-match":
                self.is_unusual |= self.if_none_match != ""
                self.if_none_match = value.decode("latin-1")
            elif name == b"x-request-id":
                self.request_id = value.decode("latin-1")
            elif name in {b"content-length", b"transfer-encoding"}:
                self.is_unusual = True


class Front:
    """The hot reads of one process."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._listener = installation.listener
        self._access = AccessList(installation.pool, installation.listener)
        self._kept = KeptAnswers(installation.listener)
        self._deadline = timedelta(minutes=installation.settings.live_deadline_minutes)
        self._is_limited = installation.settings.rate_limits != "off"

    async def answers(self, scope: HTTPScope, send: Send) -> bool:
        """Whether the request was answered; if not, nothing was sent."""
        shape = shape_of(scope["path"], scope["query_string"])
        if shape is None:
            return False
        headers = _Headers(scope)
        media_type = _media_type(shape.kind, headers.accept)
        if media_type is None or headers.is_unusual or not await self._listener.caught_up():
            return False
        try:
            answer = await self._answer(scope, shape, headers, media_type)
        except (Problem, psycopg.Error, PoolTimeout):
            return False
        except Exception:
            logger.exception("%s: left to the routes", scope["path"])
            return False
        if answer is None:
            return False
        kept, extra = answer
        extra.append((b"x-request-id", _request_id(headers.request_id)))
        if isinstance(self._installation.clock, DemoClock):
            offset = int(self._installation.clock.offset().total_seconds())
            extra.append((b"x-signalbox-demo-clock", b"+%ds" % offset))
        await _send(send, kept, headers.if_none_match, extra)
        return True

    async def _answer(
        self, scope: HTTPScope, shape: Shape, headers: _Headers, media_type: str
    ) -> tuple[Kept, Headers] | None:
        """The answer and the headers of this one; None: the routes shall answer."""
        world_now = system_clock()
        caller = self._known(headers.authorization, world_now)
        if caller is None and headers.authorization:
            # Where bad credentials were too many, whoever counts them decides who is looked up.
            if self._installation.limits.is_refusing:
                return None
            caller = await caller_of(self._installation, headers.authorization)
        now = self._installation.clock()
        user_id = caller.user_id if caller else None
        access = self._access.get(user_id, shape, now)
        if access is None:
            access = await self._access.look_up(user_id, shape, now)
        if access is None or not _may(shape, caller, access):
            return None
        extra = await self._counted(scope, shape, caller, world_now)
        if extra is None:
            return None
        basis = access if shape.kind == "mine" else None
        key: Key = (shape, media_type, user_id if basis else None)
        kept = self._kept.get(key, basis, now)
        if kept is None:
            context = Context(self._installation, caller, now, world_now)
            make = self._maker(shape, media_type, context)
            kept = await self._kept.made(key, access.signal_ids, basis, make)
        return (kept, extra) if now < kept.until else None

    def _known(self, header: str, now: datetime) -> Caller | None:
        credential = credential_in(header) if header else None
        if credential is None:
            return None
        if credential.startswith(PREFIX):
            return self._installation.known_keys.known(credential, now)
        return self._installation.known_sessions.known(credential, now)

    async def _counted(
        self, scope: HTTPScope, shape: Shape, caller: Caller | None, world_now: datetime
    ) -> Headers | None:
        """Headers of the limit; None: refused."""
        if not self._is_limited:
            return []
        limits = self._installation.limits
        now = world_now.timestamp()
        asker = asker_of(caller, limits.addresses.of(scope) if caller is None else "")
        if limits.is_refusing and limits.refusal(asker, shape.template, now) is not None:
            return None
        route_class = class_of(shape.template, "GET")
        assert route_class is not None  # noqa: S101 - none of the hot routes is unlimited
        return rate_headers(*await limits.take(route_class, asker, caller, now))

    def _maker(
        self, shape: Shape, media_type: str, context: Context
    ) -> Callable[[], Awaitable[Kept]]:
        route = ROUTES[shape.kind]
        path = {} if shape.kind == "mine" else {"provider": shape.provider, "name": shape.name}

        async def make() -> Kept:
            content = await route.fn(**path, context=context, **dict(shape.arguments))
            body = answers.encode(content, media_type, route.opt.get(answers.TABLE))
            until = good_until(context.now, self._deadline)
            return _kept(
                body, media_type, answers.extra_headers(content, media_type), context.now, until
            )

        return make


@lru_cache(maxsize=1024)
def _media_type(kind: Kind, accept: str) -> str | None:
    return negotiate(accept, answers.offered(ROUTES[kind]))


def _may(shape: Shape, caller: Caller | None, access: Access) -> bool:
    """As guard and route judge it, of those whom they let pass; all others go there."""
    if shape.kind == "performance":
        return access.may_know
    if caller is None or not (caller.scopes is None or "read" in caller.scopes):
        return False
    return access.may_read


def _kept(
    body: bytes, media_type: str, extra: dict[str, str], since: datetime, until: datetime
) -> Kept:
    etag = answers.etag_of(body)
    common = [
        (name.lower().encode(), value.encode())
        for name, value in {
            **extra,
            "ETag": etag,
            "Cache-Control": answers.KEPT,
            "Vary": answers.VARY,
            "X-Content-Type-Options": "nosniff",
        }.items()
    ]
    whole = [
        (b"content-type", answers.content_type(media_type).encode()),
        (b"content-length", b"%d" % len(body)),
        *common,
    ]
    return Kept(body, etag, whole, common, since, until)


def _request_id(given: str) -> bytes:
    # The same harmless ids as everywhere; see api/response_headers.py.
    return (given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())).encode()


async def _send(send: Send, kept: Kept, if_none_match: str, extra: Headers) -> None:
    is_unchanged = bool(if_none_match) and answers.matches(if_none_match, kept.etag)
    headers = kept.unchanged_headers if is_unchanged else kept.headers
    await send(
        {
            "type": "http.response.start",
            "status": NOT_MODIFIED if is_unchanged else OK,
            "headers": headers + extra,
        }
    )
    await send(
        {
            "type": "http.response.body",
            "body": b"" if is_unchanged else kept.body,
            "more_body": False,
        }
    )
