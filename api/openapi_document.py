"""GET /schema/openapi.json: the committed document, which a test holds to the routes."""

from functools import cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, get

from api.auth.guards import anyone
from api.auth.middleware import IGNORES_CREDENTIALS
from api.formats.answers import NOT_MODIFIED, etag_of, matches

COMMITTED = Path(__file__).parent / "openapi.json"
MEDIA_TYPE = "application/vnd.oai.openapi+json"


@get(
    ["/schema", "/schema/openapi.json"],
    guards=[anyone],
    opt={IGNORES_CREDENTIALS: True},
    include_in_schema=False,
    sync_to_thread=False,
)
def show_openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Read once per process: making it anew takes longer than starting all the rest."""
    body, etag = _document()
    is_unchanged = matches(request.headers.get("if-none-match", ""), etag)
    return Response(
        b"" if is_unchanged else body,
        status_code=NOT_MODIFIED if is_unchanged else 200,
        media_type=MEDIA_TYPE,
        headers={"ETag": etag, "Cache-Control": "public, no-cache"},
    )


@cache
def _document() -> tuple[bytes, str]:
    body = COMMITTED.read_bytes()
    return body, etag_of(body)
