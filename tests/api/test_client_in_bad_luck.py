"""Both clients against a server that answers as it is told, one answer a request."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from httpx import Response

import signalbox
from signalbox.client import ApiError, UnreachableError
from signalbox.client.events import Event, EventReader
from signalbox.client.retry import Retry

AT_ONCE = Retry(attempts=3, first_wait_s=0.0)


class Scripted(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        status, headers, pieces = self.server.answers.pop(0)
        if status is None:  # the connection breaks
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
        self.close_connection = True

    do_POST = do_GET  # noqa: N815 - the server's name for it

    def log_message(self, *_):
        pass


@pytest.fixture
def scripted() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    server.answers, server.seen = [], []
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def problem(status, code, **headers):
    body = b'{"code": "%s", "detail": "d", "status": %d}' % (code.encode(), status)
    return status, {"Content-Type": "application/problem+json", **headers}, [body]


def fine(body=b"{}", **headers):
    return 200, {"Content-Type": "application/json", **headers}, [body]


BROKEN = (None, {}, [])


def both(server, ask, retry=AT_ONCE):
    """What each client makes of the same script."""
    script, outcomes = list(server.answers), []
    server.seen.clear()
    with signalbox.Client(server.url, retry=retry) as client:
        outcomes.append(_outcome(lambda: ask(client)))
    first, server.seen[:] = list(server.seen), []
    server.answers[:] = script

    async def story():
        async with signalbox.AsyncClient(server.url, retry=retry) as client:
            return await ask(client)

    outcomes.append(_outcome(lambda: asyncio.run(story())))
    assert [s[:2] for s in first] == [s[:2] for s in server.seen]
    assert outcomes[0] == outcomes[1]
    return outcomes[0]


def _outcome(run):
    try:
        return run()
    except ApiError as error:
        return error.code
    except UnreachableError:
        return "unreachable"


def test_a_busy_or_lost_read_is_tried_again_and_a_refusal_is_not(scripted):
    scripted.answers = [problem(429, "rate_limited"), BROKEN, problem(503, "x"), fine()]
    assert both(scripted, lambda client: client.signal("a/b")) == {}
    scripted.answers = [problem(404, "not_found"), fine()]
    assert both(scripted, lambda client: client.signal("a/b")) == "not_found"
    scripted.answers = [problem(500, "internal_error"), fine()]
    assert both(scripted, lambda client: client.signal("a/b")) == "internal_error"
    scripted.answers = [problem(503, "database_unavailable")] * 4
    assert both(scripted, lambda client: client.signal("a/b")) == "database_unavailable"
    scripted.answers = [BROKEN] * 4
    assert both(scripted, lambda client: client.signal("a/b")) == "unreachable"
    scripted.answers = [(200, {"Content-Type": "text/html"}, [b"<p>hello"])]
    assert both(scripted, lambda client: client.signal("a/b")) == "unreachable"


def test_a_create_is_sent_again_under_one_key_until_it_is_answered(scripted):
    scripted.answers = [BROKEN, problem(409, "idempotency_key_in_use", **{"Retry-After": "0"}),
                        (201, {"Content-Type": "application/json"}, [b'{"id": 1}'])]  # fmt: skip
    assert both(scripted, lambda client: client.post("/v1/things", {"a": 1})) == {"id": 1}
    keys = {headers["Idempotency-Key"] for _, _, headers in scripted.seen}
    assert (len(keys), len(scripted.seen)) == (1, 3)
    scripted.answers = [problem(409, "already_subscribed"), fine()]
    assert both(scripted, lambda client: client.post("/v1/things", {})) == "already_subscribed"


def test_retry_after_is_honoured_in_both_forms_and_never_waited_for_too_long():
    retry = Retry(attempts=2, longest_wait_s=60)
    soon = (datetime.now(UTC) + timedelta(seconds=30)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert retry.wait_s(0, Response(429, headers={"Retry-After": "7"})) == 7
    assert 25 < retry.wait_s(0, Response(503, headers={"Retry-After": soon})) <= 30
    assert retry.wait_s(0, Response(429, headers={"Retry-After": "3600"})) is None
    assert retry.wait_s(2, Response(429, headers={"Retry-After": "0"})) is None
    assert 0 <= retry.wait_s(1, Response(503, headers={"Retry-After": "soon"})) <= 1
    assert retry.wait_s(0, Response(400)) is None
    assert max(retry.backoff_s(40) for _ in range(50)) <= 60


def test_a_route_that_will_go_away_warns(scripted):
    scripted.answers = [fine(Deprecation="@1", Sunset="Wed, 30 Jun 2027 23:59:59 GMT")]
    with signalbox.Client(scripted.url) as client, pytest.warns(DeprecationWarning, match="2027"):
        client.signal("a/b")


STREAM = '\ufeffretry: 10\n: hello\n\nid: 1\nevent: forecast\ndata: {"n":\ndata: 1}\n\n'


def read(*pieces):
    reader = EventReader()
    return [event for piece in pieces for event in reader.feed(piece)], reader


def test_events_are_read_as_the_standard_says_however_the_bytes_are_cut():
    text = (STREAM + "data: 2\nid: é\n\nevent: empty\nid: 3\n\ndata\n\n:\nid: a\0b\ndata:  x\n\n"
            "data: lost").encode()  # fmt: skip
    expected = [
        Event("1", "forecast", {"n": 1}), Event("é", "message", 2), Event("3", "message", ""),
        Event("3", "message", " x"),
    ]  # fmt: skip
    for ending in (b"\n", b"\r\n", b"\r"):
        written = text.replace(b"\n", ending)
        for size in (1, 2, 7, len(written)):
            pieces = [written[at : at + size] for at in range(0, len(written), size)]
            events, reader = read(*pieces)
            assert events == expected, (ending, size)
            assert (reader.last_event_id, reader.wait_s) == ("3", 0.01)


def test_a_stream_that_breaks_goes_on_behind_the_last_whole_event(scripted):
    head = {"Content-Type": "text/event-stream"}
    scripted.answers = [
        (200, head, [STREAM.encode(), b"id: 2\ndata: {}\n"]),  # cut: 2 was never dispatched
        BROKEN,
        problem(503, "database_unavailable"),
        (200, head, [b"id: 2\ndata: 2\n\nid: 3\ndata: 3\n\n"]),
        problem(401, "invalid_token"),
    ]
    with signalbox.Client(scripted.url, retry=AT_ONCE) as client:
        events = client.stream(["a/b"])
        seen = [next(events) for _ in range(3)]
        with pytest.raises(ApiError, match="invalid_token"):
            next(events)
    assert [(event.id, event.data) for event in seen] == [("1", {"n": 1}), ("2", 2), ("3", 3)]
    resumed = [headers.get("Last-Event-ID") for _, _, headers in scripted.seen]
    assert resumed == [None, "1", "1", "1", "3"]
    assert scripted.seen[0][1] == "/v1/stream?signals=a%2Fb"


def test_an_asynchronous_stream_resumes_too_and_ends_when_it_is_left(scripted):
    head = {"Content-Type": "text/event-stream"}
    scripted.answers = [(200, head, [STREAM.encode()]), (200, head, [b"id: 2\ndata: 2\n\n"])]

    async def story():
        async with (
            signalbox.AsyncClient(scripted.url, retry=AT_ONCE) as client,
            contextlib.aclosing(client.stream(last_event_id="0")) as events,
        ):
            return [(await anext(events)).id for _ in range(2)]

    assert asyncio.run(story()) == ["1", "2"]
    assert [headers["Last-Event-ID"] for _, _, headers in scripted.seen] == ["0", "1"]
