"""People who read their letters, and an API that is asked over real sockets."""

import contextlib
import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
import psycopg
import pytest
import uvicorn
from aiosmtpd.controller import Controller
from litestar.testing import TestClient

from api.app import create_app

TOKEN = re.compile(r"/account/link#(\w+)=(mt_[\w-]{43})")
PASSWORD = "correct horse battery"
PATIENCE_SECONDS = 5.0


@dataclass(frozen=True)
class Letters:
    """The outbox, as the superuser sees it."""

    connection: psycopg.Connection

    def kinds(self) -> list[str]:
        rows = self.connection.execute("select kind from account.mail order by created_at, id")
        return sorted(kind for (kind,) in rows)

    def tokens(self, kind: str) -> list[str]:
        """The tokens in the letters of a kind, oldest first."""
        rows = self.connection.execute(
            "select text from account.mail where kind = %s order by created_at", [kind]
        )
        found = [TOKEN.search(text) for (text,) in rows]
        assert all(match is not None and match[1] == kind for match in found)
        return [match[2] for match in found]

    def token(self, kind: str) -> str:
        """The token of the newest letter of a kind; some are written after the answer."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := self.tokens(kind)) and time.monotonic() < deadline:
            time.sleep(0.02)
        return found[-1]


@pytest.fixture
def letters(make) -> Letters:
    return Letters(make.connection)


@pytest.fixture
def client_with(settings) -> Iterator[Callable[..., TestClient]]:
    """A client of an API with some settings changed."""
    opened: list[TestClient] = []

    def start(**changes) -> TestClient:
        client = TestClient(create_app(msgspec.structs.replace(settings, **changes)))
        opened.append(client.__enter__())
        return client

    yield start
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def serve() -> Callable[..., AbstractContextManager[str]]:
    return serving


@contextmanager
def serving(app) -> Iterator[str]:
    """The app behind a real socket; yields its address."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (listener,) = server.servers[0].sockets
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def post_from() -> Callable[..., tuple[int, dict, dict]]:
    """Posts from one of the machine's loopback addresses: status, headers, document."""

    def post(url: str, address: str, path: str, body: dict) -> tuple[int, dict, dict]:
        place = urlsplit(url)
        connection = http.client.HTTPConnection(
            place.hostname, place.port, timeout=60, source_address=(address, 0)
        )
        headers = {"Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        with contextlib.closing(connection), connection.getresponse() as answer:
            return answer.status, dict(answer.getheaders()), json.loads(answer.read())

    return post


class Postbox:
    """A mail server's memory, and its moods."""

    def __init__(self) -> None:
        self.received: list = []
        self.answer = "250 OK"
        self.recipient_answer = "250 OK"
        self.has_data = threading.Event()

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if self.recipient_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802
        self.received.append((session, envelope))
        self.has_data.set()
        return self.answer

    @property
    def contents(self) -> list[bytes]:
        return [envelope.content for _, envelope in self.received]


@pytest.fixture
def mail_server_of() -> Callable[..., AbstractContextManager[int]]:
    return _mail_server_of


@contextmanager
def _mail_server_of(postbox: Postbox, **options) -> Iterator[int]:
    """A real SMTP server on a port of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = options.pop("port", free.getsockname()[1])
    controller = Controller(postbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()
