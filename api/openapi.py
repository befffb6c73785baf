"""The contract as a document: served at /schema, committed as `api/openapi.json`.

`python -m api.openapi` writes the file; a test fails while it is stale.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPI,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Reference,
    RequestBody,
    Schema,
    SecurityScheme,
)
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition

from api.bodies import Body
from api.formats.answers import TABLE, is_negotiable
from api.formats.media_types import ARROW, CSV, EXPORTS, JSON, MSGPACK, PARQUET
from api.formats.streams import EXPORT
from api.problems import MEDIA_TYPE, ProblemDetails

PROBLEM = OpenAPIResponse(
    description="A problem; `code` says which, docs/errors.md what to do",
    content={MEDIA_TYPE: OpenAPIMediaType(Reference("#/components/schemas/ProblemDetails"))},
)

# A table in a file; docs/subscriber/formats.md has the columns.
FILES = (CSV, PARQUET, ARROW)
BINARY = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)

DOCUMENT_PATH = "/schema/openapi.json"
COMMITTED = Path(__file__).parent / "openapi.json"


def _operation_id(
    handler: HTTPRouteHandler, _method: Method, _path: list[str | PathParameterDefinition]
) -> str:
    return handler.handler_name


def openapi_config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Signalbox",
        version="1",
        description="Forecasting signals: their catalogue, track record and forecasts.",
        path="/schema",
        # The other pages of Litestar load scripts from a CDN.
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        use_handler_docstrings=True,
        operation_id_creator=_operation_id,
        components=Components(
            security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}
        ),
        security=[{}, {"bearer": []}],
    )


def complete(app: Litestar) -> None:
    """Say what Litestar leaves out: strict bodies, problem documents, plain names of pages."""
    document = app.openapi_schema
    schemas = cast("dict[str, Any]", document.components.schemas)
    _close_bodies(schemas)
    _add_problems(schemas)
    names = {key: f"{key.rpartition('.')[2].rstrip('_')}Page" for key in schemas if "Page_" in key}
    for key, name in names.items():
        schemas[name] = schemas.pop(key)
        schemas[name].title = name
    handlers = {handler.handler_name: handler for handler in _handlers(app)}
    for operation in _operations(document):
        _add_media_types(operation, handlers[operation.operation_id or ""])
        responses = operation.responses or {}
        responses.pop("400", None)
        responses["default"] = PROBLEM
        _rename(responses, names)


def _handlers(app: Litestar) -> Iterator[HTTPRouteHandler]:
    for route in app.routes:
        yield from getattr(route, "route_handlers", [])


def _add_media_types(operation: Operation, handler: HTTPRouteHandler) -> None:
    """Whatever is JSON is MessagePack too; tables are files besides."""
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


def _close_bodies(schemas: dict[str, Any]) -> None:
    for kind in Body.__subclasses__():
        schemas[kind.__name__].additional_properties = False


def _add_problems(schemas: dict[str, Any]) -> None:
    _, components = msgspec.json.schema_components(
        (ProblemDetails,), ref_template="#/components/schemas/{name}"
    )
    schemas.update(components)


def _operations(document: OpenAPI) -> Iterator[Operation]:
    for item in (document.paths or {}).values():
        yield from filter(None, (item.get, item.post, item.patch, item.delete))


def _rename(responses: dict[str, Any], names: dict[str, str]) -> None:
    for response in responses.values():
        for media in (response.content or {}).values():
            if isinstance(media.schema, Reference):
                key = media.schema.ref.rpartition("/")[2]
                media.schema = Reference(f"#/components/schemas/{names.get(key, key)}")


def document(app: Litestar) -> str:
    return json.dumps(app.openapi_schema.to_schema(), indent=1, sort_keys=True) + "\n"


def main() -> None:
    # Imported here: the app itself takes its OpenAPI configuration from this module.
    from api.app import describe_app  # noqa: PLC0415

    COMMITTED.write_text(document(describe_app()))


if __name__ == "__main__":
    main()
