"""The contract as a document: served at /schema, committed as `api/openapi.json`.

`python -m api.openapi` writes the file; a test fails while it is stale.
"""

import json
from typing import Any, cast

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    Contact,
    License,
    Reference,
    SecurityScheme,
)
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition

from api.bodies import Body
from api.openapi_details import detail, operations
from api.openapi_document import COMMITTED
from api.openapi_media import add_media_types
from api.problems import ProblemDetails


def _operation_id(
    handler: HTTPRouteHandler, _method: Method, _path: list[str | PathParameterDefinition]
) -> str:
    return handler.handler_name


def openapi_config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Signalbox",
        version="1",
        description="Forecasting signals: their catalogue, track record and forecasts.",
        contact=Contact(name="The operator of this installation"),
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        path="/schema",
        # The other pages of Litestar load scripts from a CDN.
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        use_handler_docstrings=True,
        operation_id_creator=_operation_id,
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(
                    type="http",
                    scheme="bearer",
                    description="An access token of POST /v1/auth/login, or an API key",
                )
            }
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
    for operation in operations(document):
        _rename(operation.responses or {}, names)
    add_media_types(app)
    detail(app)


def _close_bodies(schemas: dict[str, Any]) -> None:
    for kind in Body.__subclasses__():
        schemas[kind.__name__].additional_properties = False


def _add_problems(schemas: dict[str, Any]) -> None:
    _, components = msgspec.json.schema_components(
        (ProblemDetails,), ref_template="#/components/schemas/{name}"
    )
    schemas.update(components)


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
