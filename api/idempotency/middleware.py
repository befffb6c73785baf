"""A create that carries an Idempotency-Key happens once, however often it is sent.

Theory of operation: around every POST that answers 201 to somebody signed in. The layer
opens one transaction, which all of the route's are then part of, and takes an advisory
lock on (person, operation, key); a second request meanwhile is told 409. If the answer is
a success it is stored in that same transaction, so that effect and answer are there both
or neither, whatever dies when. A refusal is not stored: nothing has happened, and the
request may be sent again as soon as its cause is mended.

The guard is asked before an answer is given again: who lost a right does not read it.
"""

import hmac
import re
from collections import deque
from typing import cast

from litestar import Request
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPScope, Message, Receive, ReceiveMessage, Scope, Send
from psycopg import AsyncConnection

from api.auth.caller import Caller
from api.auth.middleware import IGNORES_CREDENTIALS
from api.bodies import BODY_BYTES_AT_MOST
from api.idempotency.answers import Answer, Answers, Place, StoredAnswer
from api.installation import OUTER_TRANSACTION, Installation
from api.problems import Problem, invalid_field
from sql.clock import system_clock
from sql.session import act_as

HEADER = "Idempotency-Key"
REPLAYED = b"idempotent-replayed"
KEY = re.compile(r"[\x21-\x7e]{1,255}")
CREATED = 201
# The others are made for each answer anew.
KEPT_HEADERS = (b"content-type", b"location", b"link", b"cache-control")


class Idempotency(ASGIMiddleware):
    """Inside authentication and limits: a repetition counts as a request."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._answers = Answers(installation.secret)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        key = Headers.from_scope(scope).get(HEADER)
        caller: Caller | None = scope.get("user")
        handler = cast("HTTPRouteHandler", scope["route_handler"])
        if key is None or caller is None or not creates(handler):
            await next_app(scope, receive, send)
            return
        if not KEY.fullmatch(key):
            raise invalid_field(HEADER, "1 to 255 visible ASCII characters")
        await handler.authorize_connection(Request(scope))
        body = await _Body.read(receive)
        if body.is_too_large:
            await next_app(scope, body, send)
            return
        place = Place(caller.user_id, handler.handler_name, key)
        answer, is_replayed = await self._answer(scope, body, place, next_app)
        await _send(answer, send, is_replayed=is_replayed)

    async def _answer(
        self, scope: Scope, body: "_Body", place: Place, next_app: ASGIApp
    ) -> tuple[Answer, bool]:
        """The answer, once it and what it tells of are committed; whether it is an old one."""
        now = system_clock()
        request_hmac = self._hmac_of(scope, body.content)
        async with self._installation.transaction(place.user_id, now) as connection:
            if not await self._answers.take(connection, place):
                raise Problem(
                    "idempotency_key_in_use", "Send it again in a moment.", retry_after_s=1
                )
            stored = await self._answers.find(connection, place, now)
            if stored is None:
                answer = await _run(scope, body, next_app, connection)
                if answer.status == CREATED:
                    kept = StoredAnswer(request_hmac, answer)
                    # The route may have acted as somebody else.
                    await act_as(connection, place.user_id, now)
                    await self._answers.keep(connection, place, kept, now)
                return answer, False
        if not hmac.compare_digest(stored.request_hmac, request_hmac):
            raise Problem("idempotency_key_reused", "Make a new key for each new request.")
        return stored.answer, True

    def _hmac_of(self, scope: Scope, body: bytes) -> bytes:
        http = cast("HTTPScope", scope)
        return self._answers.hmac_of(
            http["method"].encode(), http["path"].encode(), http["query_string"], body
        )


def creates(handler: HTTPRouteHandler) -> bool:
    """Whether an operation heeds Idempotency-Key: it makes something for who is signed in."""
    is_create = "POST" in handler.http_methods and handler.status_code == CREATED
    return is_create and not handler.opt.get(IGNORES_CREDENTIALS)


class _Body:
    """A request's body, read whole, to be read again by the route: a `Receive`."""

    def __init__(self, messages: deque[ReceiveMessage], content: bytes, receive: Receive) -> None:
        self._messages = messages
        self._receive = receive
        self.content = content

    @classmethod
    async def read(cls, receive: Receive) -> "_Body":
        messages: deque[ReceiveMessage] = deque()
        content = b""
        while len(content) <= BODY_BYTES_AT_MOST:
            message = await receive()
            messages.append(message)
            if message["type"] != "http.request":
                break
            content += message["body"]
            if not message["more_body"]:
                break
        return cls(messages, content, receive)

    @property
    def is_too_large(self) -> bool:
        return len(self.content) > BODY_BYTES_AT_MOST

    async def __call__(self) -> ReceiveMessage:
        return self._messages.popleft() if self._messages else await self._receive()


async def _run(scope: Scope, body: _Body, next_app: ASGIApp, connection: AsyncConnection) -> Answer:
    """What the route answers, kept back until it is committed."""
    status, headers, chunks = 0, list[tuple[bytes, bytes]](), list[bytes]()

    async def keep_back(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], [(k, v) for k, v in message["headers"]]
        elif message["type"] == "http.response.body":
            chunks.append(message["body"])

    scope["state"][OUTER_TRANSACTION] = connection
    try:
        await next_app(scope, body, keep_back)
    finally:
        del scope["state"][OUTER_TRANSACTION]
    if status == CREATED:
        headers = [(name.lower(), value) for name, value in headers if name.lower() in KEPT_HEADERS]
    return Answer(status, headers, b"".join(chunks))


async def _send(answer: Answer, send: Send, *, is_replayed: bool) -> None:
    headers = [pair for pair in answer.headers if pair[0].lower() != b"content-length"]
    headers.append((b"content-length", b"%d" % len(answer.body)))
    if is_replayed:
        headers.append((REPLAYED, b"true"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
