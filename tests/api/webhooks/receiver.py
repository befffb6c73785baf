"""Somebody's endpoint: a real HTTP server that keeps what it was sent, and checks signatures."""

import base64
import hashlib
import hmac
import json
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass(frozen=True)
class Got:
    """One request, with its headers in lower case."""

    headers: dict
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    def is_signed_with(self, secret: str, tolerance_s: int = 300) -> bool:
        """As the specification of Standard Webhooks has receivers do it."""
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        timestamp = self.headers["webhook-timestamp"]
        if abs(time.time() - int(timestamp)) > tolerance_s:
            return False
        signed = f"{self.id}.{timestamp}.".encode() + self.body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        given = [one.partition(",") for one in self.headers["webhook-signature"].split(" ")]
        return any(version == "v1" and text == expected for version, _, text in given)


Answer = tuple[int, dict, bytes]


@dataclass
class Receiver:
    """What came, in order; `answer` says what is answered to it."""

    port: int
    got: queue.Queue = field(default_factory=queue.Queue)
    answer: Callable[[Got], Answer] = lambda _: (200, {}, b"ok")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def next(self, timeout: float = 10.0) -> Got:
        return self.got.get(timeout=timeout)

    def is_quiet(self, seconds: float = 0.5) -> bool:
        try:
            self.got.get(timeout=seconds)
        except queue.Empty:
            return True
        return False


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A sender that goes away is what some tests are about."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            got = Got({name.lower(): value for name, value in self.headers.items()}, body)
            receiver.got.put(got)
            status, headers, said = receiver.answer(got)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(said)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_):
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_port)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
