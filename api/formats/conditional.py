"""HEAD without a body, and 304 for answers that no route of ours writes."""

from litestar.datastructures import Headers
from litestar.types import HTTPResponseStartEvent, HTTPScope, Message, Send

from api.formats.answers import etag_of, matches

OK, NOT_MODIFIED = 200, 304


def without_body(send: Send) -> Send:
    """Passes on what GET would answer, but for the body; its length stays in the header."""

    async def head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message["body"] = b""
        await send(message)

    return head


def conditional(scope: HTTPScope, send: Send) -> Send:
    """Adds an ETag to a good answer of one piece, or answers 304 instead."""
    wanted = Headers.from_scope(scope).get("if-none-match", "")
    held: HTTPResponseStartEvent | None = None

    async def with_etag(message: Message) -> None:
        nonlocal held
        if message["type"] == "http.response.start" and message["status"] == OK:
            held = message
            return
        if held is not None and message["type"] == "http.response.body":
            start, held = held, None
            etag = etag_of(message["body"])
            start["headers"] = [
                *start["headers"],
                (b"etag", etag.encode()),
                (b"cache-control", b"public, no-cache"),
            ]
            if wanted and matches(wanted, etag):
                start["status"] = NOT_MODIFIED
                start["headers"] = [
                    (name, value)
                    for name, value in start["headers"]
                    if name not in {b"content-length", b"content-type"}
                ]
                message["body"] = b""
            await send(start)
        await send(message)

    return with_etag
