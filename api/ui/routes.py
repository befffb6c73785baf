"""The web interface: its page under each of its addresses, and its files under /assets/.

The policy lets a page load our own files only, speak to this API only, and run no script but
those; styles that the page makes itself carry the answer's nonce.
"""

import secrets
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from api.auth.guards import anyone
from api.auth.middleware import IGNORES_CREDENTIALS
from api.problems import Problem
from api.ui import files

# Everything else belongs to the API, the log or the verifier.
PAGES = [
    "/", "/compare", "/definitions", "/signals/{rest:path}",
    "/login", "/register", "/forgot", "/reset",
    "/forecasts", "/subscriptions", "/invoices", "/invoices/{rest:path}",
    "/settings", "/settings/{rest:path}", "/provider", "/provider/{rest:path}",
    "/operator", "/operator/{rest:path}",
]  # fmt: skip
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self'"
    " data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
}
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
AGAIN = {"Cache-Control": "public, max-age=3600", "Vary": "Accept-Encoding"}
NAMED_BY_CONTENT = "-"  # app-1a2b3c4d.js: another content has another name

AnyRequest = Request[Any, Any, Any]


@get(
    PAGES, guards=[anyone], opt={IGNORES_CREDENTIALS: True}, include_in_schema=False,
    sync_to_thread=False,
)  # fmt: skip
def show_page() -> Response[bytes]:
    page = page_response()
    if page is None:
        raise Problem("not_found", "The web interface is not built here: make setup builds it.")
    return page


@get(
    "/assets/{file:str}", guards=[anyone], opt={IGNORES_CREDENTIALS: True},
    include_in_schema=False, sync_to_thread=False,
)  # fmt: skip
def show_asset(request: AnyRequest, file: FromPath[str]) -> Response[bytes]:
    found = files.assets().get(file)
    if found is None:
        raise Problem("not_found", "The web interface has no such file: load its page anew.")
    headers = FOR_EVER if NAMED_BY_CONTENT in file else AGAIN
    if found.packed is None or "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(found.content, media_type=found.media_type, headers=headers)
    packed = {**headers, "Content-Encoding": "gzip"}
    return Response(found.packed, media_type=found.media_type, headers=packed)


def page_response(status: int = 200) -> Response[bytes] | None:
    """The page with a nonce of its own; None: it is not built."""
    page = files.page()
    if page is None:
        return None
    nonce = secrets.token_urlsafe(16)
    return Response(
        page.replace(files.NONCE, nonce.encode()),
        status_code=status,
        media_type="text/html",
        headers={**HEADERS, "Content-Security-Policy": POLICY.format(nonce=nonce)},
    )


def wants_page(request: AnyRequest) -> bool:
    """Whether somebody looks at an address of ours that does not exist, in a browser."""
    path = request.scope["path"]
    return (
        request.method in ("GET", "HEAD")
        and "text/html" in request.headers.get("accept", "")
        and not path.startswith(("/v1/", "/log/", "/assets/"))
    )
