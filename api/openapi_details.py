"""What Litestar leaves out of the document: who may ask, what else is answered, examples.

All of it follows from the routes themselves: their guards, limits, methods and bodies.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import (
    Components,
    OpenAPI,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Parameter,
    Reference,
    Schema,
    Tag,
)

from api.auth.guards import anyone
from api.auth.middleware import IGNORES_CREDENTIALS
from api.deprecation import DEPRECATION
from api.formats.answers import is_negotiable
from api.idempotency.middleware import HEADER, creates
from api.limits.table import class_of
from api.openapi_texts import EXAMPLES, NAMED_IN_PATHS, TAGS
from api.problems import MEDIA_TYPE
from signalbox.log.bundle import Bundle

PROBLEM_CONTENT = {MEDIA_TYPE: OpenAPIMediaType(Reference("#/components/schemas/ProblemDetails"))}
REFUSALS = {
    "400": ("BadRequest", "A parameter or the body is not valid; `errors` names the fields"),
    "401": ("Unauthorized", "Nobody is signed in, or the credentials are not valid"),
    "403": ("Forbidden", "Who asks may not; `code` says what is lacking"),
    "404": ("NotFound", "There is no such thing, or it is not theirs to know of"),
    "406": ("NotAcceptable", "The route answers in no media type of Accept"),
    "409": ("Conflict", "The state of things does not allow it; nothing was changed"),
    "413": ("ContentTooLarge", "The body is over 64 KiB"),
    "415": ("UnsupportedMediaType", "The body is of another media type"),
    "422": ("KeyReused", "The Idempotency-Key came with another request"),
    "429": ("TooManyRequests", "Wait for the seconds of Retry-After"),
    "503": ("Unavailable", "Nothing was changed; try again in a moment"),
}
OTHERWISE = OpenAPIResponse(
    description="A problem; `code` says which, docs/errors.md what to do", content=PROBLEM_CONTENT
)
DONE = {"200": "What was asked for", "201": "Made", "202": "Taken on", "204": "Done"}
# Routes that answer bytes which they made themselves.
ANSWERS: dict[str, Schema | Reference] = {
    "get_evidence": Reference("#/components/schemas/Bundle"),
    "get_provenance": Schema(type=OpenAPIType.OBJECT, description="A DSSE envelope, in-toto"),
    "get_sbom": Schema(type=OpenAPIType.OBJECT, description="CycloneDX"),
}
# Routes that have a page for browsers too, or send them elsewhere.
PAGES = ("get_invoice",)
LEADS_ELSEWHERE = OpenAPIResponse(
    description="Paid on the payment provider's page",
    headers={"Location": OpenAPIHeader(schema=Schema(type=OpenAPIType.STRING), required=True)},
)
INTEGER, STRING = Schema(type=OpenAPIType.INTEGER, minimum=0), Schema(type=OpenAPIType.STRING)
HEADERS = {
    "RequestId": OpenAPIHeader(
        schema=STRING,
        description="X-Request-ID: as sent, or made; stands in the log",
        required=True,
    ),
    "RetryAfter": OpenAPIHeader(schema=INTEGER, description="Seconds to wait"),
    "RateLimit": OpenAPIHeader(schema=INTEGER, description="Requests a minute of this kind"),
    "RateLimitRemaining": OpenAPIHeader(schema=INTEGER, description="Requests left now"),
    "RateLimitReset": OpenAPIHeader(schema=INTEGER, description="Seconds until all are back"),
    "IdempotentReplayed": OpenAPIHeader(
        schema=Schema(const="true"), description="The answer was given before; nothing was made"
    ),
}
IDEMPOTENCY_KEY = Parameter(
    name=HEADER,
    param_in="header",
    schema=Schema(type=OpenAPIType.STRING, min_length=1, max_length=255, pattern="^[!-~]+$"),
    description="Made up by you, new for each new thing: sent again, it is answered as before",
)


def detail(app: Litestar) -> None:
    """Complete the document of an app."""
    document = app.openapi_schema
    components = document.components
    _add_components(components)
    document.tags = [Tag(name, text) for name, text in sorted(TAGS.items())]
    handlers = {handler.handler_name: (path, handler) for path, handler in handlers_of(app)}
    for operation in operations(document):
        path, handler = handlers[cast("str", operation.operation_id)]
        _detail_operation(operation, path, handler)
    for schema in cast("dict[str, Any]", components.schemas).values():
        _mend_arrays(schema)


def operations(document: OpenAPI) -> Iterator[Operation]:
    for item in (document.paths or {}).values():
        yield from filter(None, (item.get, item.post, item.patch, item.put, item.delete))


def handlers_of(app: Litestar) -> Iterator[tuple[str, HTTPRouteHandler]]:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler):
                yield route.path_format, handler


def _add_components(components: Components) -> None:
    schemas = cast("dict[str, Any]", components.schemas)
    _, bundle = msgspec.json.schema_components(
        (Bundle,), ref_template="#/components/schemas/{name}"
    )
    schemas.update(bundle)
    for name, example in EXAMPLES.items():
        schemas[name].examples = [example]
    components.headers = dict(HEADERS)
    components.parameters = {"IdempotencyKey": IDEMPOTENCY_KEY}
    components.responses = {
        name: OpenAPIResponse(
            description=text,
            content=PROBLEM_CONTENT,
            headers=_headers("RequestId", *(["RetryAfter"] if status in ("429", "503") else [])),
        )
        for status, (name, text) in REFUSALS.items()
    }


def _headers(*names: str) -> dict[str, Any]:
    written = {
        "RequestId": "X-Request-ID", "RetryAfter": "Retry-After", "RateLimit": "RateLimit-Limit",
        "RateLimitRemaining": "RateLimit-Remaining", "RateLimitReset": "RateLimit-Reset",
        "IdempotentReplayed": "Idempotent-Replayed",
    }  # fmt: skip
    return {written[name]: Reference(f"#/components/headers/{name}") for name in names}


def _detail_operation(operation: Operation, path: str, handler: HTTPRouteHandler) -> None:
    operation.summary = handler.handler_name.replace("_", " ").capitalize()
    operation.security = _security(handler)
    if handler.deprecated:
        sunset = handler.opt[DEPRECATION].sunset
        operation.description = f"{operation.description or ''}\n\nAnswers until {sunset}.".strip()
    parameters = [_named(each) for each in operation.parameters or []]
    if creates(handler):
        parameters.append(Reference("#/components/parameters/IdempotencyKey"))
    operation.parameters = parameters or None
    responses = cast("dict[str, Any]", operation.responses)
    if handler.handler_name in ANSWERS:
        answer = ANSWERS[handler.handler_name]
        responses["200"].content = {"application/json": OpenAPIMediaType(answer)}
    if handler.handler_name in PAGES:
        page = OpenAPIMediaType(Schema(type=OpenAPIType.STRING))
        responses["200"].content["text/html"] = page
    if handler.handler_name == "show_checkout":
        responses["303"] = LEADS_ELSEWHERE
    for status, response in responses.items():
        if status in DONE:
            response.description = DONE[status]
            response.headers = {**(response.headers or {}), **_headers(*_counted(path, handler))}
    for status in _refusals(operation, path, handler):
        responses[status] = Reference(f"#/components/responses/{REFUSALS[status][0]}")
    responses["default"] = OTHERWISE


def _security(handler: HTTPRouteHandler) -> list[dict[str, list[str]]]:
    if handler.opt.get(IGNORES_CREDENTIALS):
        return []
    return [{}, {"bearer": []}] if _is_open(handler) else [{"bearer": []}]


def _is_open(handler: HTTPRouteHandler) -> bool:
    """Whether nobody may ask too."""
    return all("anyone" in name for name in _guards(handler))


def _guards(handler: HTTPRouteHandler) -> list[str]:
    """Names; Litestar wraps what is not a coroutine."""
    return [getattr(guard, "func", guard).__name__ for guard in handler.resolve_guards()]


def _counted(path: str, handler: HTTPRouteHandler) -> list[str]:
    names = ["RequestId"]
    if class_of(path, next(iter(handler.http_methods))) is not None:
        names += ["RateLimit", "RateLimitRemaining", "RateLimitReset"]
    return [*names, "IdempotentReplayed"] if creates(handler) else names


def _refusals(operation: Operation, path: str, handler: HTTPRouteHandler) -> list[str]:
    """Statuses that the route may answer instead."""
    method = next(iter(handler.http_methods - {"OPTIONS"}))
    knows_who = not handler.opt.get(IGNORES_CREDENTIALS)
    judged = {
        "400": bool(operation.parameters or operation.request_body),
        "401": knows_who,
        "403": knows_who and _guards(handler) != [anyone.__name__],
        "404": "{" in path,
        "406": is_negotiable(handler),
        "409": method != "GET" and knows_who,
        "413": operation.request_body is not None,
        "415": operation.request_body is not None,
        "422": creates(handler),
        "429": class_of(path, method) is not None,
        "503": True,
    }
    return [status for status, may in judged.items() if may]


def _named(parameter: Parameter | Reference) -> Parameter | Reference:
    if isinstance(parameter, Parameter) and parameter.param_in == "path":
        text, example = NAMED_IN_PATHS.get(parameter.name, (parameter.description, None))
        return replace(parameter, description=text, example=example)
    return parameter


def _mend_arrays(schema: object) -> None:
    """Arrays of fixed length also say what all of their items are: some readers ask for it."""
    if isinstance(schema, dict):
        if "prefixItems" in schema:
            schema.setdefault("items", {})
            if schema["items"] is False:
                schema["items"] = {}
        for each in schema.values():
            _mend_arrays(each)
    if isinstance(schema, list):
        for each in schema:
            _mend_arrays(each)
    if not isinstance(schema, Schema):
        return
    # A set that names something twice names it once: that is no fault of a request.
    schema.unique_items = None
    if schema.prefix_items and schema.items is None:
        kinds = {str(each) for each in schema.prefix_items}
        schema.items = schema.prefix_items[0] if len(kinds) == 1 else Schema()
    inner: list[object] = [*(schema.one_of or ()), schema.items, *(schema.prefix_items or ())]
    inner += (cast("Mapping[str, object]", schema.properties or {})).values()
    for each in inner:
        _mend_arrays(each)
