"""Every exception that leaves a route becomes a problem document here."""

import logging
from typing import Any

import msgspec
import psycopg
import psycopg_pool
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from api.methods import allowed
from api.problems import MEDIA_TYPE, FieldError, Problem
from api.response_headers import request_id
from api.ui.routes import page_response, wants_page

logger = logging.getLogger(__name__)

CODE_OF_STATUS = {
    400: "invalid_request",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}

AnyRequest = Request[Any, Any, Any]


def answer(problem: Problem) -> Response[bytes]:
    details = problem.details()
    headers = {"Cache-Control": "no-store"}
    if details.status == 401:  # noqa: PLR2004
        headers["WWW-Authenticate"] = "Bearer"
    if problem.retry_after_s is not None:
        headers["Retry-After"] = str(problem.retry_after_s)
    return Response(
        content=msgspec.json.encode(details),
        status_code=details.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def on_problem(_: AnyRequest, error: Problem) -> Response[bytes]:
    return answer(error)


def on_validation(_: AnyRequest, error: ValidationException) -> Response[bytes]:
    extra = error.extra if isinstance(error.extra, list) else []
    errors = tuple(_field_error(item) for item in extra if isinstance(item, dict))
    if not errors:
        return answer(Problem("invalid_request", error.detail))
    detail = "; ".join(f"{each.field}: {each.message}" for each in errors)
    return answer(Problem("invalid_request", detail, errors))


def _field_error(item: dict[str, Any]) -> FieldError:
    key = str(item.get("key", "request"))
    # `from_` is how Python spells the parameter `from`; `data` is the body's name inside.
    field = "body" if key == "data" else key.rstrip("_")
    return FieldError(field, str(item.get("message", "not valid")))


def on_http(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    if error.status_code >= 500 or error.status_code not in CODE_OF_STATUS:  # noqa: PLR2004
        return on_anything(request, error)
    code = CODE_OF_STATUS[error.status_code]
    if code == "not_found" and wants_page(request):
        page = page_response(status=404)  # it says so itself, in words for people
        if page is not None:
            return page
    response = answer(Problem(code, _detail(request, code, error)))
    if code == "method_not_allowed":
        response.headers["Allow"] = allowed(request.app, request.scope["path"])
    return response


def _detail(request: AnyRequest, code: str, error: HTTPException) -> str:
    path = request.scope["path"]
    if code == "not_found":
        return f"There is nothing at {path}; /schema/openapi.json lists every route."
    if code == "method_not_allowed":
        return f"{request.method} is not possible at {path}; see /schema/openapi.json."
    return error.detail


def on_broken_json(_: AnyRequest, error: msgspec.DecodeError) -> Response[bytes]:
    return answer(Problem("invalid_json", f"Send a JSON document: {error}."))


def on_no_database(
    request: AnyRequest, error: psycopg.OperationalError | psycopg_pool.PoolTimeout
) -> Response[bytes]:
    logger.error("%s: no answer from the database: %s", _place(request), error)
    return answer(
        Problem("database_unavailable", "Nothing was changed; try again in a few seconds.")
    )


def on_anything(request: AnyRequest, error: Exception) -> Response[bytes]:
    logger.error("%s: unhandled error", _place(request), exc_info=error)
    return answer(
        Problem("internal_error", "Try again; if it persists, report it with the X-Request-ID.")
    )


def _place(request: AnyRequest) -> str:
    return f"{request.method} {request.scope['path']!r} [{request_id(request.scope)}]"


HANDLERS: ExceptionHandlersMap = {
    Problem: on_problem,
    ValidationException: on_validation,
    HTTPException: on_http,
    msgspec.DecodeError: on_broken_json,
    psycopg.OperationalError: on_no_database,
    psycopg_pool.PoolTimeout: on_no_database,
    Exception: on_anything,
}
