"""What a request may carry: refused before any route sees it."""

from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import SerializationException

from api.problems import Problem

FORM_ROUTE = "form_route"


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every request body: a field we do not know is a mistake, not a wish."""


async def check_request(request: Request[Any, Any, Any]) -> None:
    """Refuse NUL bytes, which Postgres cannot store, and bodies that are not JSON.

    Routes of HTML forms say so by `opt={FORM_ROUTE: True}`.

    Raises:
        Problem: nul_byte, unsupported_media_type or invalid_json.
    """
    _check_address(request)
    body = await request.body()
    if not body:
        return
    content_type = request.content_type[0]
    if request.route_handler.opt.get(FORM_ROUTE):
        return
    if content_type != "application/json":
        raise Problem(
            "unsupported_media_type",
            f"Send the body as application/json, not {content_type or 'without a type'}.",
        )
    await _decode(request)
    # An escaped backslash before u0000 is refused too: nobody means it.
    if b"\\u0000" in body:
        raise Problem("nul_byte", "Remove the NUL character (\\u0000) from the body.")


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


def _check_address(request: Request[Any, Any, Any]) -> None:
    if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise Problem("nul_byte", "Remove the NUL character (%00) from the address.")
