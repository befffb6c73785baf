"""A client of server-sent events, written from the standard and not from our code."""

import json
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx


@dataclass(frozen=True)
class Event:
    type: str
    data: dict


@dataclass
class Client:
    """What came so far; `last_id` as an EventSource keeps it.

    Attributes:
        comments: lines that begin with a colon.
        over: the server has ended the answer.
    """

    events: queue.Queue = field(default_factory=queue.Queue)
    comments: list = field(default_factory=list)
    last_id: str | None = None
    retry_ms: int | None = None
    over: threading.Event = field(default_factory=threading.Event)
    open: threading.Event = field(default_factory=threading.Event)

    def next(self, timeout: float = 10.0) -> Event:
        return self.events.get(timeout=timeout)

    def all(self) -> list[Event]:
        """What has come and was not taken yet."""
        return [self.events.get_nowait() for _ in range(self.events.qsize())]

    def read(self, lines: Iterator[str]) -> None:
        """Section 9.2.6 of the standard: fields of a block, dispatched at its blank line."""
        kind, data = "message", []
        for line in lines:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line:
                self.open.set()
                if data:
                    self.events.put(Event(kind, json.loads("\n".join(data))))
                kind, data = "message", []
            elif not name:
                self.comments.append(value)
            elif name == "id":
                self.last_id = value
            elif name == "event":
                kind = value
            elif name == "data":
                data.append(value)
            elif name == "retry":
                self.retry_ms = int(value)
        self.over.set()


@contextmanager
def listening(url: str, headers: dict, **query: str) -> Iterator[Client]:
    """A client of the stream at `url`, whose first block has come."""
    client = Client()

    def read(answer):
        try:
            client.read(answer.iter_lines())
        except (httpx.HTTPError, httpx.StreamError):
            client.over.set()

    with (
        httpx.Client(timeout=30) as http,
        http.stream("GET", f"{url}/v1/stream", params=query, headers=headers) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        thread = threading.Thread(target=read, args=[answer], daemon=True)
        thread.start()
        assert client.open.wait(10)
        yield client
        _shut(answer)
        thread.join(5)


def _shut(answer: httpx.Response) -> None:
    """End the connection under the thread that reads it."""
    stream = answer.extensions["network_stream"]
    with suppress(OSError):
        stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def missed(url: str, headers: dict, last_id: str, **query: str) -> list[Event]:
    """What a client that was at `last_id` has missed."""
    client = Client()
    answer = httpx.get(
        f"{url}/v1/stream",
        params={"seconds": 0, **query},
        headers={**headers, "Last-Event-ID": last_id},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    client.read(iter(answer.text.split("\n")))
    return client.all()
