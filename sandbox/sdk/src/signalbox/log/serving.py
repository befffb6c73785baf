"""HTTP around a cosigner: small, and bounded in bytes, time and threads."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from signalbox.log.errors import TileError
from signalbox.log.monitor import FetchError
from signalbox.log.tiles import MAX_ENTRY_BYTES, WIDTH, Tile, decode_bundle
from signalbox.log.witness import PLAIN, Answer, Witness

MAX_REQUEST_BYTES = 128 * 1024
REQUEST_SECONDS = 30.0  # reading the log included
MAX_CONNECTIONS = 32
FETCH_SECONDS = 5.0
MAX_BUNDLE_BYTES = WIDTH * (MAX_ENTRY_BYTES + 2)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        self.witness = witness
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            with _ended_after(request, REQUEST_SECONDS):
                super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is none of ours."""


@contextmanager
def _ended_after(connection: socket.socket, seconds: float) -> Iterator[None]:
    """However slowly a client speaks, its connection ends."""

    def end() -> None:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = REQUEST_SECONDS
    server_version = "signalbox-cosigner"
    sys_version = ""

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != "/add-checkpoint":
            self._send(Answer(404, "POST /add-checkpoint\n"))
        elif not (length.isascii() and length.isdecimal()):
            self._send(Answer(411, "say Content-Length\n"))
        elif int(length) > MAX_REQUEST_BYTES:
            self._send(Answer(413, f"at most {MAX_REQUEST_BYTES} bytes\n"))
        else:
            body = self.rfile.read(int(length))
            self._send(self.server.witness.add_checkpoint(body, int(time.time())))

    def do_GET(self) -> None:
        if self.path != "/":
            self._send(Answer(404, "GET / or POST /add-checkpoint\n"))
            return
        status = json.dumps(asdict(self.server.witness.status()), indent=2) + "\n"
        self._send(Answer(200, status, "application/json"))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has
        """Nothing is said of requests that come and go."""

    def _send(self, answer: Answer) -> None:
        data = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type or PLAIN)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def make_server(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """A server on an address; port 0: any free one. Call `serve_forever`."""
    return _Server((host, port), witness)


def fetch_entries(url: str, tile: Tile) -> list[bytes]:
    """Fetch an entry bundle below a log's prefix; a partial one may be full by now.

    Raises:
        FetchError: it cannot be had, or is malformed.
    """
    for wanted in dict.fromkeys((tile, Tile(tile.level, tile.index))):
        try:
            data = _get(f"{url.rstrip('/')}/{wanted.path}")
            if data is not None:
                return decode_bundle(data)[: tile.width]
        except (httpx.HTTPError, TileError) as error:
            raise FetchError(f"{wanted.path}: {error}") from None
    raise FetchError(f"{tile.path} is not there")


def _get(url: str) -> bytes | None:
    until = time.monotonic() + FETCH_SECONDS
    data = bytearray()
    with httpx.stream("GET", url, timeout=FETCH_SECONDS) as response:
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        response.raise_for_status()
        for part in response.iter_bytes():
            data += part
            if len(data) > MAX_BUNDLE_BYTES or time.monotonic() > until:
                raise FetchError(f"{url} is too long or too slow")
    return bytes(data)
