"""What a request may carry: refused before any route sees it."""

import re
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import SerializationException

from api.formats.answers import choose
from api.formats.media_types import JSON, MSGPACK, MSGPACK_NAMES
from api.problems import Problem, invalid_field

FORM_ROUTE = "form_route"
BODY_BYTES_AT_MOST = 64 * 1024
INSTANTS = (datetime, datetime | None)
NUMBER = re.compile(r"\s*[+-]?[0-9.]+([eE][+-]?[0-9]+)?\s*")


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every request body: a field we do not know is a mistake, not a wish."""


async def check_request(request: Request[Any, Any, Any]) -> None:
    """Refuse NUL bytes, which Postgres cannot store, bodies that are none, and unknown answers.

    A MessagePack body goes on as the JSON that means the same. Routes of HTML forms say so
    by `opt={FORM_ROUTE: True}`.

    Raises:
        Problem: nul_byte, not_acceptable, unsupported_media_type, invalid_json, invalid_msgpack,
            or invalid_request for an instant that is written as a number, which the decoder
            would take for seconds.
    """
    _check_address(request)
    choose(request)
    _check_instants(request)
    body = await request.body()
    if not body:
        return
    content_type = request.content_type[0]
    if request.route_handler.opt.get(FORM_ROUTE):
        return
    if content_type in MSGPACK_NAMES:
        body = _transcode(request, body)
    elif content_type != JSON:
        raise Problem(
            "unsupported_media_type",
            f"Send the body as {JSON} or {MSGPACK}, not {content_type or 'without a type'}.",
        )
    await _decode(request)
    # An escaped backslash before u0000 is refused too: nobody means it.
    if b"\\u0000" in body:
        raise Problem("nul_byte", "Remove the NUL character (\\u0000) from the body.")


def _transcode(request: Request[Any, Any, Any], body: bytes) -> bytes:
    # MessagePack has binary, dates and numbers that JSON lacks: the same fields judge them as text.
    try:
        written = msgspec.json.encode(msgspec.msgpack.decode(body))
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as error:
        raise Problem("invalid_msgpack", f"Send a MessagePack document: {error}.") from None
    request._body = written  # noqa: SLF001 - where the request keeps what its routes decode
    return written


async def _decode(request: Request[Any, Any, Any]) -> None:
    # The decoded document is kept by the request: the route does not decode it again.
    try:
        await request.json()
    except SerializationException as error:
        raise Problem("invalid_json", f"Send a JSON document: {error}.") from None
    except RecursionError:
        raise Problem("invalid_json", "Send a JSON document that is not so deeply nested.") from (
            None
        )


def _check_instants(request: Request[Any, Any, Any]) -> None:
    if not request.scope["query_string"]:
        return
    parameters = request.route_handler.parsed_fn_signature.parameters
    for name, value in request.query_params.multi_items():
        # `from` is the parameter `from_` in Python.
        parameter = parameters.get(name) or parameters.get(f"{name}_")
        if parameter is not None and parameter.annotation in INSTANTS and NUMBER.fullmatch(value):
            raise invalid_field(name, "is no instant; write UTC such as 2026-01-31T13:00:00Z")


def _check_address(request: Request[Any, Any, Any]) -> None:
    if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise Problem("nul_byte", "Remove the NUL character (%00) from the address.")
