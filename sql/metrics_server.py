"""GET /metrics of a process that serves nothing else, in a thread of its own."""

import logging
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST

from sql.metrics_token import MetricsToken

logger = logging.getLogger("signalbox.metrics")

SECONDS = 30  # for a caller to say what it wants


class MetricsServer(ThreadingHTTPServer):
    """Answers `/metrics` to who shows the token, and `/healthz` to all."""

    daemon_threads = True

    def __init__(
        self, host: str, port: int, token: MetricsToken, written: Callable[[], bytes]
    ) -> None:
        """Bind; `serve_forever` answers.

        Args:
            host: where to listen.
            port: 0 takes a free one.
            token: guards the figures.
            written: the figures, in Prometheus' text format.
        """
        super().__init__((host, port), _Caller)
        self.token = token
        self.written = written

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """Whoever asked has gone: one line, in the form of all others."""
        logger.warning("%s was not answered", client_address, exc_info=sys.exception())


class _Caller(BaseHTTPRequestHandler):
    timeout = SECONDS
    server: MetricsServer

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._answer(HTTPStatus.OK, b"ok\n")
        elif self.path != "/metrics":
            self._answer(HTTPStatus.NOT_FOUND, b"there is /metrics and /healthz\n")
        elif not self.server.token.admits(self.headers.get("Authorization", "")):
            self._answer(
                HTTPStatus.UNAUTHORIZED,
                b"send the token of SIGNALBOX_METRICS_TOKEN_FILE as Bearer\n",
            )
        else:
            self._answer(HTTPStatus.OK, self.server.written(), CONTENT_TYPE_LATEST)

    def log_message(self, *_: object) -> None:
        """Prometheus asks every few seconds: that is no news."""

    def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)
