"""In which media types routes answer, and take their bodies."""

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from api.formats.answers import TABLE, is_negotiable
from api.formats.media_types import ARROW, CSV, EXPORTS, JSON, MSGPACK, PARQUET
from api.formats.streams import EXPORT
from api.openapi_details import handlers_of, operations

# A table in a file; docs/subscriber/formats.md has the columns.
FILES = (CSV, PARQUET, ARROW)
BINARY = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)


def add_media_types(app: Litestar) -> None:
    """Whatever is JSON is MessagePack too; tables are files besides."""
    handlers = {handler.handler_name: handler for _, handler in handlers_of(app)}
    for operation in operations(app.openapi_schema):
        _add(operation, handlers[operation.operation_id or ""])


def _add(operation: Operation, handler: HTTPRouteHandler) -> None:
    if isinstance(operation.request_body, RequestBody):
        _add_msgpack(operation.request_body.content)
    for response in (operation.responses or {}).values():
        if EXPORT in handler.opt and isinstance(response, OpenAPIResponse) and response.content:
            response.content = dict.fromkeys(EXPORTS, OpenAPIMediaType(BINARY))
        if not is_negotiable(handler) or not isinstance(response, OpenAPIResponse):
            continue
        if response.content and JSON in response.content:
            _add_msgpack(response.content)
            if TABLE in handler.opt:
                response.content |= dict.fromkeys(FILES, OpenAPIMediaType(BINARY))


def _add_msgpack(content: dict[str, OpenAPIMediaType]) -> None:
    if JSON in content:
        content[MSGPACK] = OpenAPIMediaType(content[JSON].schema)
