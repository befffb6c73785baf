"""A hundred requests at once on five pooled connections, cancelled at random: whose rows come?"""

import asyncio
import random

import pytest

from tests.api.server import serving

REQUESTS, AT_ONCE, PEOPLE, CONNECTIONS = 10_000, 100, 20, 5
# So many hang up, at any time up to what an answer takes under this load, in seconds.
LEAVES, LONGEST_S = 0.15, 0.2


class Person:
    """Somebody, and a mark that stands in every row of theirs and in nobody else's."""

    def __init__(self, make, client, number):
        self.mark = f"p{number:02}x"
        person = make.person(f"{self.mark}handle")
        published = make.signal(person, f"{self.mark}signal")
        make.slot(published)
        body = {"name": f"{self.mark}key", "scopes": ["read"]}
        key = client.post("/v1/api-keys", json=body, headers=person.headers).json()["key"]
        # Half by key, which is known without asking, half by token, which is looked up each time.
        by_key = {"Authorization": f"Bearer {key}"}
        self.authorization = (by_key if number % 2 else person.headers)["Authorization"]
        make.connection.execute(
            "insert into account.data_source_key (id, user_id, name, source, shown, created_at,"
            " key_id, wrapped_key, sealed)"
            " values (gen_random_uuid(), %s, %s, 'alpaca', 'x', now(), 'x', 'x', 'x')",
            [person.id, self.mark],
        )
        self.person, self.published = person, published
        self.paths = [
            "/v1/auth/me", "/v1/api-keys", "/v1/subscriptions", "/v1/audit",
            "/v1/data-source-keys", "/v1/forecasts/latest", f"{published.path}/forecasts/latest",
        ]  # fmt: skip


class Connection:
    """HTTP/1.1 by hand: cheap, and able to hang up in the middle."""

    def __init__(self, port):
        self.port = port
        self.writer = None

    async def ask(self, path, authorization):
        """Status and document of an answer."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = (f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: {authorization}")
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        body = await self.reader.readexactly(length)
        return int(head.split()[1]), body.decode()

    def leave(self):
        """Hang up in the middle of whatever is going on."""
        if self.writer is not None:
            self.writer.transport.abort()
            self.writer = None


@pytest.fixture
def people(make, client):
    made = [Person(make, client, number) for number in range(PEOPLE)]
    for one, next_one in zip(made, made[1:] + made[:1], strict=True):
        # Everybody reads the next one's signal: that mark may stand in their forecasts.
        make.subscription(one.person, next_one.published)
        one.may_see = next_one.mark
    return made


def judge(person, path, status, text, people):
    assert status == 200, (path, text)
    is_of_next = path in ("/v1/forecasts/latest", "/v1/subscriptions")
    expected = {person.may_see if is_of_next else person.mark}
    assert {other.mark for other in people if other.mark in text} == expected, (path, person.mark)


async def crowd(port, people, draw):
    """How many requests were answered, and how many left before."""
    counts = {"answered": 0, "left": 0}
    turns = iter(range(REQUESTS))

    async def one_of_them():
        connection = Connection(port)
        for _ in turns:
            person = draw.choice(people)
            path = draw.choice(person.paths)
            asked = asyncio.create_task(connection.ask(path, person.authorization))
            if draw.random() < LEAVES:
                await asyncio.wait({asked}, timeout=draw.random() * LONGEST_S)
                if not asked.done():
                    asked.cancel()
                    await asyncio.wait({asked})
                    connection.leave()
                    counts["left"] += 1
                    continue
            judge(person, path, *await asked, people)
            counts["answered"] += 1
        connection.leave()

    await asyncio.gather(*(one_of_them() for _ in range(AT_ONCE)))
    return counts


def test_cancelled_requests_at_random_under_load_never_show_a_foreign_row(settings, people):
    draw = random.Random()  # noqa: S311 - chooses who asks what, and who hangs up
    more = {"SIGNALBOX_DATABASE_CONNECTIONS": str(CONNECTIONS)}
    with serving(settings, **more) as url:
        port = int(url.rpartition(":")[2])
        counts = asyncio.run(crowd(port, people, draw))
    assert counts["answered"] + counts["left"] == REQUESTS
    assert counts["left"] > REQUESTS * LEAVES / 10
    assert counts["answered"] > REQUESTS / 2
