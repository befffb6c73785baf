"""Limits hold for who asks too much, and for nobody else."""

import asyncio
import re
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psycopg
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from litestar.testing import TestClient
from psycopg_pool import AsyncConnectionPool

from api.addresses import Addresses
from api.app import create_app
from api.limits import table
from api.limits.store import PostgresStore, ProcessStore
from sql.configuration import ConfigurationError
from sql.roles import API, conninfo

DOCUMENT = Path(__file__).parents[2] / "docs/operations/limits.md"
STRAYS, AUTH = table.STRAYS_PER_MINUTE, table.PER_MINUTE["auth"]["anonymous"]


def test_the_documented_numbers_are_those_in_force():
    rows = re.findall(
        r"^\| `?(\w+)`? \|[^|]*((?:\| \d+ )+)\| x (\d+) \|$", DOCUMENT.read_text(), re.MULTILINE
    )
    told = {name: ([int(n) for n in re.findall(r"\d+", row)], int(x)) for name, row, x in rows}
    assert told == {
        **{
            name: (list(plans.values()), table.OUTSIDE_PRODUCTION[name])
            for name, plans in table.PER_MINUTE.items()
        },
        "strays": ([STRAYS] * 4, table.STRAYS_OUTSIDE_PRODUCTION),
    }


@given(
    limit=st.integers(1, 50),
    gaps=st.lists(st.floats(0, 40, allow_nan=False), min_size=1, max_size=200),
)
def test_however_requests_are_timed_no_minute_holds_more_than_twice_the_limit(limit, gaps):
    async def story():
        store, now, taken = ProcessStore(), 1e9, []
        for gap in gaps:
            now += gap
            if (await store.take("key", limit, now)).allowed:
                taken.append(now)
        return taken

    taken = asyncio.run(story())
    assert taken[0] == 1e9 + gaps[0]
    for first in taken:
        # A bucketful at once, and what comes back meanwhile.
        assert sum(first <= at < first + 60 for at in taken) <= 2 * limit


@contextmanager
def running(database):
    """An event loop, and a store in Postgres."""
    with asyncio.Runner() as runner:

        async def opened():
            pool = AsyncConnectionPool(conninfo(database.url(API)), open=False, min_size=1)
            await pool.open()
            return pool

        pool = runner.run(opened())
        yield runner, PostgresStore(pool)
        runner.run(pool.close())


def test_postgres_counts_as_the_process_does(database):
    with running(database) as (runner, shared):
        names = iter(range(10**6))

        @examples(max_examples=15, deadline=None)
        @given(limit=st.integers(1, 9), gaps=st.lists(st.integers(0, 30), min_size=1, max_size=20))
        def agree(limit, gaps):
            own, key, now = ProcessStore(), f"key {next(names)}", 1e9
            for gap in gaps:
                now += gap
                one = runner.run(own.take(key, limit, now))
                other = runner.run(shared.take(key, limit, now))
                assert (one.allowed, one.remaining) == (other.allowed, other.remaining)
                assert one.full_in_s == pytest.approx(other.full_in_s, abs=1e-3)
                assert one.next_in_s == pytest.approx(other.next_in_s, abs=1e-3)

        agree()


def test_fifty_at_once_for_twenty_tokens_get_twenty(database):
    with running(database) as (runner, shared):

        async def rush():
            return await asyncio.gather(*(shared.take("key", 20, 1e9) for _ in range(50)))

        assert sum(taken.allowed for taken in runner.run(rush())) == 20


def test_full_buckets_are_forgotten_and_the_table_stays_small(database):
    with running(database) as (runner, shared), database.superuser() as connection:
        connection.execute(
            "insert into account.rate_limit"
            " select sha256(n::text::bytea), '2001-01-01Z', false from generate_series(1, 5000) n"
        )

        async def ask():
            for _ in range(4000):
                await shared.take("key", 600, 2e9)
                rows = connection.execute("select count(*) from account.rate_limit").fetchone()[0]
                if rows == 1:
                    return True
            return False

        # One call in a thousand sweeps: that none of 4,000 does has a chance of 2 %.
        assert runner.run(ask()) or runner.run(ask())


def test_no_address_stands_in_the_shared_table_and_no_role_reads_it(database):
    with running(database) as (runner, shared), database.superuser() as superuser:
        runner.run(shared.take("address 192.0.2.7", 5, 1e9))
        (key,) = superuser.execute("select key from account.rate_limit").fetchone()
        assert len(key) == 32
    with database.connect(API) as connection:
        for attack in (
            "select * from account.rate_limit",
            "delete from account.rate_limit",
            "update account.rate_limit set full_at = now()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attack)


def test_two_processes_that_share_postgres_grant_one_limit_between_them(settings):
    production = msgspec.structs.replace(settings, environment="production", rate_limits="postgres")
    body = {"refresh_token": "unknown"}
    with TestClient(create_app(production)) as one, TestClient(create_app(production)) as other:
        statuses = [
            client.post("/v1/auth/logout", json=body).status_code
            for _ in range(AUTH // 2 + 30)
            for client in (one, other)
        ]
    assert statuses[:AUTH] == [204] * AUTH
    assert 429 in statuses[AUTH:]


def test_limits_that_are_off_are_off(settings):
    without = msgspec.structs.replace(settings, environment="production", rate_limits="off")
    with TestClient(create_app(without)) as client:
        for _ in range(STRAYS + 10):
            assert client.get("/nowhere").status_code == 404
        assert "ratelimit-limit" not in client.get("/v1/signals").headers


def test_where_the_database_does_not_answer_nobody_is_refused(database):
    absent = conninfo(database.url(API).set(database="absent"))
    with asyncio.Runner() as runner:

        async def ask():
            pool = AsyncConnectionPool(absent, open=False, min_size=1, timeout=0.2)
            await pool.open(wait=False)
            taken = [await PostgresStore(pool).take("key", 1, 1e9) for _ in range(2)]
            await pool.close()
            return taken

        assert [taken.allowed for taken in runner.run(ask())] == [True, True]


def test_who_pays_has_a_subscribers_limit_and_who_tries_has_a_members(client, make, tide, bob):
    assert limit_of(client, bob) == 1000 * table.PER_MINUTE["read"]["member"]
    eve = make.person("eve")
    make.subscription(eve, tide, "active")
    assert limit_of(client, eve) == 1000 * table.PER_MINUTE["read"]["subscriber"]
    dan = make.person("dan")
    make.subscription(dan, tide, "trialing")
    assert limit_of(client, dan) == 1000 * table.PER_MINUTE["read"]["member"]
    root = make.person("root", "operator")
    assert limit_of(client, root) == 1000 * table.PER_MINUTE["read"]["operator"]


def limit_of(client, person):
    return int(client.get("/v1/auth/me", headers=person.headers).headers["ratelimit-limit"])


@pytest.mark.parametrize(
    ("peer", "header", "address"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.1", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "nonsense", "nonsense"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("::ffff:10.0.0.1", "2001:db8:0:1ff::9", "2001:db8:0:100::/56"),
        ("2001:db8:0:1ff::9", "198.51.100.1", "2001:db8:0:100::/56"),
    ],
)
def test_a_header_names_the_client_only_where_a_trusted_proxy_sent_it(peer, header, address):
    headers = [(b"x-forwarded-for", header.encode())] if header else []
    scope = {"type": "http", "client": (peer, 1), "headers": headers}
    assert Addresses("10.0.0.0/8, 2001:db8:ffff::1").of(scope) == address


def test_a_proxy_that_is_no_network_is_refused_at_the_start():
    with pytest.raises(ConfigurationError, match="SIGNALBOX_TRUSTED_PROXIES"):
        Addresses("10.0.0.0/8,proxy.example.org")
