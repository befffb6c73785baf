"""How long a forecast takes to a thousand open streams, and what a stream costs.

The API runs as it does in production (`python -m api`, one process) on an embedded
Postgres. A hundred people, each entitled by a subscription, hold ten streams each with an
API key. Then a slot of a hundred forecasts is recorded, record and leaf in one
transaction, as a tick does; counted is from its commit until the last client has the
whole event. The same with one stream open says what a thousand cost more; and as many
requests of GET .../forecasts/latest as there are clients say what it would cost them to
ask instead.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from benchmarks.access import Server, serving
from sql.api_key import new_key
from sql.log import append_leaf

PEOPLE, STREAMS_EACH, ROUNDS = 100, 10, 7
HORIZONS = 100
ASKED = 200
ENVIRONMENT = "test"
FORECAST = """
insert into forecast.forecast
select %s, (select id from market.instrument), h, %s::timestamptz + make_interval(hours => h),
       0.001, '[[0.1, -0.01], [0.9, 0.02]]', 0.6 from generate_series(1, %s) as h
"""
RECORD = """
insert into forecast.slot_record (version_id, slot, provenance, cutoff, max_batch, image_digest,
  engine, path, recorded_at, wall_ms, log, leaf_index)
values (%s, %s, 'live', %s, 1, 'i', 'embedded', 'cold', %s, 1, '', %s) returning id
"""
SUBSCRIBE = """
insert into billing.subscription (id, user_id, signal_id, price_id, state, payment_provider,
  created_at, period_start, period_end, had_trial, cancel_at_period_end)
select %s, %s, p.signal_id, p.id, 'active', 'manual', now(), now() - interval '9 days',
       now() + interval '9 days', false, false from billing.price p
"""


@dataclass(frozen=True)
class House:
    """A server with its signal and subscribers."""

    server: Server
    connection: psycopg.Connection
    signal_id: int
    version_id: int
    keys: list[str]
    slots: Iterator[datetime]

    def record(self) -> float:
        """One slot more; when it was committed, by the monotonic clock."""
        slot = next(self.slots)
        with self.connection.transaction():
            facts = {"sig": "ada/tide", "ver": "v1.0.0", "slot": int(slot.timestamp())}
            leaf = append_leaf(
                self.connection, kind="forecast/v1", signal_id=self.signal_id, facts=facts, now=slot
            )
            values = [self.version_id, slot, slot, slot, leaf]
            row = self.connection.execute(RECORD, values).fetchone()
            assert row is not None
            self.connection.execute(FORECAST, [row[0], slot, HORIZONS])
        return time.monotonic()


@contextmanager
def _house() -> Iterator[House]:
    with serving() as server, psycopg.connect(server.superuser, autocommit=True) as connection:
        connection.execute(
            "insert into market.instrument (symbol, calendar, is_sample) values ('X', 'FX', true)"
        )
        row = connection.execute(
            "insert into billing.price (signal_id, amount_minor, currency, trial_days, valid_from)"
            " select id, 2900, 'EUR', 0, now() from registry.signal returning signal_id,"
            " (select id from registry.version)"
        ).fetchone()
        assert row is not None
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        slots = (now - timedelta(hours=150 - n) for n in itertools.count())
        keys = [_subscriber(connection, f"person-{n}") for n in range(PEOPLE)]
        yield House(server, connection, row[0], row[1], keys, slots)


def _subscriber(connection: psycopg.Connection, handle: str) -> str:
    user_id, key = uuid.uuid4(), new_key(ENVIRONMENT)
    connection.execute(
        "insert into account.user_account (id, handle, email, password_hash, role, created_at)"
        " values (%s, %s, %s, '', 'member', now())",
        [user_id, handle, f"{handle}@example.org"],
    )
    connection.execute(
        "insert into account.api_key (id, user_id, name, secret_sha256, scopes, created_at)"
        " values (%s, %s, '', %s, '{read}', now())",
        [key.id, user_id, key.secret_sha256],
    )
    connection.execute(SUBSCRIBE, [uuid.uuid4(), user_id])
    return key.text


@asynccontextmanager
async def _stream(house: House, key: str) -> AsyncIterator[asyncio.StreamReader]:
    """An open stream, of which the head was read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port, limit=1 << 20)
    try:
        writer.write(_request("/v1/stream", key))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        await reader.readuntil(b"\n\n")
        yield reader
    finally:
        writer.close()


def _request(path: str, key: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


async def _event(reader: asyncio.StreamReader) -> None:
    await reader.readuntil(b"event: forecast\n")
    await reader.readuntil(b"\n\n")


async def _seconds(house: House, readers: list[asyncio.StreamReader]) -> float:
    """From a commit until everybody has the event."""
    waiting = [asyncio.create_task(_event(reader)) for reader in readers]
    await asyncio.sleep(0.05)
    committed_at = await asyncio.to_thread(house.record)
    await asyncio.gather(*waiting)
    return time.monotonic() - committed_at


async def _measure(house: House, rounds: int) -> dict[str, float]:
    keys = house.keys * STREAMS_EACH
    async with AsyncExitStack() as stack:
        # The first one pays for what all share.
        first = await stack.enter_async_context(_stream(house, keys[0]))
        one = [await _seconds(house, [first]) for _ in range(rounds)]
        before = _resident_kb(house.server)
        readers = [first]
        begun = time.monotonic()
        for part in _parts(keys[1:], 50):
            opened = (stack.enter_async_context(_stream(house, key)) for key in part)
            readers += await asyncio.gather(*opened)
        opening = time.monotonic() - begun
        idle = _resident_kb(house.server)
        many = [await _seconds(house, readers) for _ in range(rounds)]
        after = _resident_kb(house.server)
    asking = await _asking(house)
    return {
        "clients": float(len(keys)),
        "seconds_to_all": statistics.median(many),
        "seconds_to_all_worst": max(many),
        "seconds_to_one": statistics.median(one),
        "seconds_to_open": opening,
        "kb_per_client": (idle - before) / (len(keys) - 1),
        "kb_per_client_after_events": (after - before) / (len(keys) - 1),
        "ratio_all_to_one": statistics.median(many) / statistics.median(one),
        "ratio_asking_to_all": asking * len(keys) / statistics.median(many),
    }


def _parts(keys: list[str], size: int) -> Iterator[list[str]]:
    return (keys[at : at + size] for at in range(0, len(keys), size))


async def _asking(house: House) -> float:
    """Seconds of one GET .../forecasts/latest, of many one after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port, limit=1 << 20)
    begun = time.monotonic()
    for _, key in zip(range(ASKED), itertools.cycle(house.keys), strict=False):
        path = "/v1/signals/ada/tide/forecasts/latest"
        writer.write(_request(path, key))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        size = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(size))
    writer.close()
    return (time.monotonic() - begun) / ASKED


def _resident_kb(server: Server) -> int:
    status = Path(f"/proc/{server.pids[0]}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Seconds, kilobytes of resident memory, and ratios; a thousand clients on one process."""
    with _house() as house:
        return asyncio.run(_measure(house, rounds))


def main() -> None:
    """Print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    options = parser.parse_args()
    result = measure(options.rounds)
    if not options.json:
        for name, value in result.items():
            print(f"{name:28} {value:.4g}")
    print(json.dumps({name: round(value, 4) for name, value in result.items()}))


if __name__ == "__main__":
    main()
