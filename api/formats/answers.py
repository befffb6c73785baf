"""What a route returns, as the bytes that were asked for, with their ETag.

Routes of lists that are tables too say so by `opt={TABLE: Table(Row)}`; those whose answers are
worth asking for again by `opt={ETAG: True}`. Routes that return a `Response` of their own,
pages and tiles among them, decide for themselves.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse
from litestar.serialization import default_serializer, encode_json

from api.formats.frames import frame_of, written
from api.formats.media_types import DOCUMENTS, JSON, MSGPACK_NAMES, TABLES, negotiate
from api.problems import Problem

TABLE = "table"
ETAG = "etag"
CHOSEN = "media_type"
NOT_MODIFIED = 304
NO_CONTENT = 204

VARY = "Accept, Authorization"
KEPT = "private, no-cache"
NOT_KEPT = "no-store"

AnyRequest = Request[Any, Any, Any]


@dataclass(frozen=True)
class Table:
    """An answer whose field `rows` is a list of `row`."""

    row: type[msgspec.Struct]
    rows: str = "items"


def offered(handler: HTTPRouteHandler) -> tuple[str, ...]:
    """Media types of a route's answer."""
    return TABLES if TABLE in handler.opt else DOCUMENTS


def is_negotiable(handler: HTTPRouteHandler) -> bool:
    """Whether its answer is data of ours, to be written as asked for."""
    returned = handler.parsed_fn_signature.return_type
    return not returned.is_subclass_of((Response, type(None)))


def choose(request: AnyRequest) -> None:
    """Note the media type of the answer, before the route runs.

    Raises:
        Problem: not_acceptable.
    """
    handler: HTTPRouteHandler = request.route_handler
    if not is_negotiable(handler) or handler.resolve_include_in_schema() is False:
        return
    offers = offered(handler)
    chosen = negotiate(",".join(request.headers.getall("accept", [])), offers)
    if chosen is None:
        raise Problem("not_acceptable", f"Send Accept: {', '.join(offers)}; or none, for JSON.")
    request.scope["state"][CHOSEN] = chosen


def encode(content: Any, media_type: str, table: Table | None = None) -> bytes:
    """An answer as bytes."""
    if media_type == JSON:
        return encode_json(content, default_serializer)
    if media_type in MSGPACK_NAMES:
        return msgspec.msgpack.encode(content, enc_hook=default_serializer)
    assert table is not None  # noqa: S101 - only tables offer what is left
    return written(frame_of(table.row, getattr(content, table.rows)), media_type)


def etag_of(body: bytes) -> str:
    """Another one for another body, and so for each media type."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def extra_headers(content: Any, media_type: str) -> dict[str, str]:
    """What a table has no room for: the next page, and whether it is sample data."""
    if media_type in DOCUMENTS:
        return {}
    headers = {}
    if getattr(content, "next", None):
        headers["X-Next-Cursor"] = content.next
    if getattr(content, "is_sample_data", False):
        headers["X-Signalbox-Sample-Data"] = "true"
    return headers


def content_type(media_type: str) -> str:
    """The header's value: text says in which encoding."""
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def matches(header: str, etag: str) -> bool:
    """Whether `If-None-Match` names it, or anything.

    >>> matches('"a", W/"b"', '"b"'), matches("*", '"b"'), matches('"a"', '"b"')
    (True, True, False)
    """
    named = (one.strip().removeprefix("W/") for one in header.split(","))
    return header.strip() == "*" or etag in named


class Answer(Response[Any]):
    """The response of routes that return data: `app(response_class=Answer)`."""

    def to_asgi_response(
        self, app: Any, request: AnyRequest, *, headers: dict[str, str] | None = None, **more: Any
    ) -> ASGIResponse:
        handler: HTTPRouteHandler = request.route_handler
        chosen = request.scope["state"].get(CHOSEN)
        if chosen is None or self.status_code == NO_CONTENT:
            self.headers.setdefault("Cache-Control", NOT_KEPT)
            return super().to_asgi_response(app, request, headers=headers, **more)
        self.headers.update(extra_headers(self.content, chosen))
        self.headers["Vary"] = VARY
        self.content = encode(self.content, chosen, handler.opt.get(TABLE))
        self.media_type = chosen
        if handler.opt.get(ETAG):
            self._be_conditional(request)
        else:
            self.headers.setdefault("Cache-Control", NOT_KEPT)
        return super().to_asgi_response(app, request, headers=headers, **more)

    def _be_conditional(self, request: AnyRequest) -> None:
        etag = etag_of(self.content)
        self.headers["ETag"] = etag
        self.headers["Cache-Control"] = KEPT
        if matches(",".join(request.headers.getall("if-none-match", [])), etag):
            self.status_code = NOT_MODIFIED
            self.content = b""
