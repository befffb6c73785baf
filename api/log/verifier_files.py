"""/verify/: the page that checks evidence in the reader's browser, served as it is.

Its policy lets it load our own files only and speak to this API only: what checks us
must not be able to hide anything, nor to tell anybody what is being checked.
"""

from pathlib import Path

from litestar import Response, get
from litestar.params import FromPath

from api.auth.guards import anyone
from api.auth.middleware import IGNORES_CREDENTIALS
from api.problems import Problem

FOLDER = Path(__file__).parents[2] / "subscriber_ui" / "verify"
INDEX = "verify.html"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


@get(["/verify", "/verify/{file:path}"], guards=[anyone], opt={IGNORES_CREDENTIALS: True},
     include_in_schema=False)  # fmt: skip
async def verifier_file(file: FromPath[str] = "/") -> Response[bytes]:
    path = (FOLDER / (file.strip("/") or INDEX)).resolve()
    if not path.is_relative_to(FOLDER.resolve()) or path.suffix not in TYPES or not path.is_file():
        raise Problem("not_found", "The verifier has no such file; it begins at /verify/.")
    return Response(path.read_bytes(), media_type=TYPES[path.suffix], headers=HEADERS)
