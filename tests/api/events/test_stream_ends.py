"""A stream ends with what admitted its client, and never at the cost of the others."""

import json
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx

from api.auth import access_tokens
from benchmarks.processes import free_port
from tests.api.conftest import SECRET
from tests.api.events.sse import Client, listening, missed
from tests.api.server import ROOT, _is_ready


def test_a_revoked_key_ends_its_stream_and_the_next_event_is_not_in_it(house):
    person = house.person()
    tide = house.signal(person)
    key_id, key = house.key(person)
    with listening(house.url, key) as client, listening(house.url, person.headers) as other:
        # As another process does it: nothing here is told but by the database.
        house.make.connection.execute(
            "update account.api_key set revoked_at = now() where id = %s", [key_id]
        )
        house.slots(tide, 1)
        assert client.over.wait(5)
        assert client.all() == []
        assert "the credential has ended" in client.comments
        assert other.next().type == "forecast"


def test_a_login_that_ends_ends_its_stream(house):
    person = house.person()
    tide = house.signal(person)
    with listening(house.url, person.headers) as client:
        house.make.connection.execute(
            "update account.session set ended_at = now() where user_id = %s", [person.id]
        )
        house.slots(tide, 1)
        assert client.over.wait(5)
        assert client.all() == []


def test_an_access_token_that_expires_ends_its_stream(house):
    person = house.person()
    (session,) = house.make.connection.execute(
        "select id from account.session where user_id = %s", [person.id]
    ).fetchone()
    token = access_tokens.issue(
        SECRET, person.id, datetime.now(UTC), session_id=session, lifetime=timedelta(seconds=2)
    )
    with listening(house.url, {"Authorization": f"Bearer {token}"}) as client:
        assert client.over.wait(8)
        assert "the credential has ended" in client.comments


def test_a_key_without_the_scope_is_refused(house):
    _, push = house.key(house.person(), "push")
    answer = httpx.get(f"{house.url}/v1/stream", headers=push)
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert httpx.get(f"{house.url}/v1/stream").status_code == 401


def test_a_subscription_that_ends_ends_its_events_with_the_next_one(house):
    person = house.person()
    tide, surge = house.signal(person), house.signal(person)
    with listening(house.url, person.headers) as client:
        begun = client.last_id
        house.slots(tide, 1)
        assert client.next().data["signal"] == tide.signal
        house.make.connection.execute(
            "update billing.subscription set state = 'canceled' where user_id = %s"
            " and signal_id = %s",
            [person.id, tide.id],
        )
        house.slots(tide, 1, since=1)
        house.slots(surge, 1)
        told = [client.next(), client.next()]
        assert {(event.type, event.data["signal"]) for event in told} == {
            ("subscription.canceled", tide.signal),
            ("forecast", surge.signal),
        }
        assert client.all() == []
    # And what was read before is not read again.
    again = missed(house.url, person.headers, begun)
    assert [event.data["signal"] for event in again if event.type == "forecast"] == [surge.signal]


def test_fifty_streams_are_told_within_a_second_and_one_more_than_allowed_is_refused(house):
    person = house.person()
    tide = house.signal(person)
    with house_of(house, person, 60) as sockets:
        refused = httpx.get(f"{house.url}/v1/stream", headers=person.headers)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
        assert int(refused.headers["retry-after"]) >= 1
        begun = time.monotonic()
        house.slots(tide, 1)
        for one in sockets:
            read_until(one, b"event: forecast")
        assert time.monotonic() - begun < 3
    # A place that was left is free again.
    deadline = time.monotonic() + 5
    while httpx.get(
        f"{house.url}/v1/stream", params={"seconds": 0}, headers=person.headers
    ).is_error:
        assert time.monotonic() < deadline
        time.sleep(0.05)


class house_of:  # noqa: N801 - reads as what it is
    """Many streams of one person on bare sockets."""

    def __init__(self, house, person, count):
        self.house, self.person, self.count = house, person, count

    def __enter__(self):
        self.sockets = [ask(self.house.url, self.person) for _ in range(self.count)]
        for one in self.sockets:
            read_until(one, b"retry:")
        return self.sockets

    def __exit__(self, *_):
        for one in self.sockets:
            one.close()


def ask(url, person):
    host = urlsplit(url)
    made = socket.create_connection((host.hostname, host.port), timeout=10)
    authorization = person.headers["Authorization"]
    made.sendall(
        f"GET /v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n\r\n".encode()
    )
    return made


def read_until(one, wanted):
    seen = b""
    while wanted not in seen:
        got = one.recv(65536)
        assert got, seen
        seen += got
    return seen


BIG_SLOTS, AT_ONCE = 200, 20
WIDE = """
insert into forecast.forecast
select r.id, %s, horizon, r.slot + make_interval(hours => horizon), 0.001, %s, 0.6
from forecast.slot_record r, generate_series(1, 168) as horizon
where r.version_id = %s and r.slot = any(%s)
"""


def test_a_reader_that_does_not_read_is_dropped_alone_and_resumes_without_a_gap(house):
    """Each event is 70 kB: what is not read soon fills every buffer on the way.

    Few at once, for the reader: what comes faster than it can read would end its stream, too.
    """
    person, other = house.person(), house.person()
    tide = house.signal(person, other)
    slots = [house_slot(n) for n in range(BIG_SLOTS)]
    made = [f"{slot:%FT%TZ}" for slot in slots]
    with listening(house.url, other.headers) as reads:
        stalled = ask(house.url, person)
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
        head = read_until(stalled, b"retry:")
        for first in range(0, BIG_SLOTS, AT_ONCE):
            some = slice(first, first + AT_ONCE)
            record_wide(house, tide, slots[some])
            assert [reads.next(30).data["as_of"] for _ in made[some]] == made[some]
        with stalled:
            client = finish(stalled, head)
        got = [event.data["as_of"] for event in client.all()]
        assert "too slow: come back with the last id" in client.comments
        assert 0 < len(got) < len(made)
        got += [event.data["as_of"] for event in missed(house.url, person.headers, client.last_id)]
        assert got == made


def record_wide(house, signal, slots):
    """In one transaction, each with 168 horizons."""
    instrument, quantiles = house.make.instrument(), json.dumps([[0.1, -0.01], [0.9, 0.02]])
    with house.make.connection.transaction():
        for slot in slots:
            house.slot(signal, slot, horizons=())
        house.make.connection.execute(WIDE, [instrument, quantiles, signal.version_id, slots])


def house_slot(n):
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return now - timedelta(hours=400 - n)


def finish(one, seen):
    """Read at last what the server still sends."""
    seen = bytearray(seen)
    while got := one.recv(1 << 20):
        seen += got
        if seen.endswith(b"0\r\n\r\n"):
            break
    body, rest = b"", bytes(seen).partition(b"\r\n\r\n")[2]
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        if not int(size, 16):
            break
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    client = Client()
    client.read(iter(body.decode().split("\n")))
    return client


def test_streams_end_at_once_when_the_server_is_told_to_stop(house):
    port = free_port()
    environment = {
        "PATH": "/usr/bin",
        "SIGNALBOX_DATABASE_URL": house.settings.database_url,
        "SIGNALBOX_SECRET_KEY_FILE": house.settings.secret_key_file,
        "SIGNALBOX_ENVIRONMENT": "test",
        "SIGNALBOX_API_PORT": str(port),
    }
    url = f"http://127.0.0.1:{port}"
    person = house.person()
    process = subprocess.Popen([sys.executable, "-m", "api"], cwd=ROOT, env=environment)
    try:
        while not _is_ready(url):
            assert process.poll() is None
            time.sleep(0.1)
        with listening(url, person.headers) as client:
            asked = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert client.over.wait(5)
            assert process.wait(timeout=15) in (0, -signal.SIGTERM)
            assert time.monotonic() - asked < 3
            assert any("the server stops" in comment for comment in client.comments)
    finally:
        process.kill()
        process.wait()


def test_nothing_is_missed_while_nobody_hears_the_notices(house):
    person = house.person()
    tide = house.signal(person)
    with listening(house.url, person.headers) as client:
        for n in range(3):
            house.make.connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and application_name = %s",
                ["signalbox api listener"],
            )
            (made,) = house.slots(tide, 1, since=n)
            assert client.next().data["as_of"] == made
        assert client.all() == []
