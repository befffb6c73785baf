"""What a hot read costs, beside an answer with no check at all and the usual one.

Three servers over one embedded Postgres: the API as it runs in production, with an API key
that is looked up, a subscription and a limit; Litestar handing out the same bytes to
anybody; FastAPI with pydantic and SQLAlchemy's ORM. `wrk` asks each in turn, in short
rounds, so that whatever else the machine does falls on all of them. Counted is the CPU
time of the server and of all of Postgres. Then: how soon what was committed is answered.
"""

import argparse
import itertools
import os
import re
import secrets
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import msgspec
import psycopg

from benchmarks.processes import free_port, running, with_children_s
from sql import embedded
from sql.embedded import write_secret
from sql.migrate import migrate
from sql.roles import API, DATABASE, OWNER, conninfo, create_roles, new_secrets, role_url

LATEST = "/v1/signals/ada/tide/forecasts/latest"
SYMBOLS, HORIZONS = 25, (1, 4, 12, 24)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
TIMES = 40

SIGNAL = """
with signal as (
  insert into registry.signal (provider_id, name, title, description, visibility, created_at)
  select id, 'tide', 'Tide', 'Ebb and flow', 'public', now() from account.user_account
  where handle = 'ada' returning id, provider_id),
version as (
  insert into registry.version (signal_id, version, state, reserved_at, published_at, pushed_by,
    commit_sha, tree_digest, lock_digest, image_digest, manifest)
  select id, 'v1.0.0', 'live', now(), now(), provider_id, 'c', 't', 'l', 'i',
    '{"forecast": {"symbols": ["S00"], "horizons_hours": [1], "target": "return"}}' from signal)
insert into billing.price (signal_id, amount_minor, currency, trial_days, valid_from)
select id, 2900, 'EUR', 0, now() - interval '2 days' from signal
"""
SUBSCRIBE = """
insert into billing.subscription (id, user_id, signal_id, price_id, state, payment_provider,
  created_at, period_start, period_end, had_trial, cancel_at_period_end)
select gen_random_uuid(), u.id, p.signal_id, p.id, 'active', 'manual', now(), now(),
  now() + interval '30 days', false, false
from billing.price p, account.user_account u where u.handle = %s
"""
INSTRUMENTS = """
insert into market.instrument (symbol, calendar, is_sample)
select 'S' || lpad(n::text, 2, '0'), 'FX', true from generate_series(0, %s - 1) n
"""
SLOT = """
with record as (
  insert into forecast.slot_record (version_id, slot, provenance, cutoff, max_batch,
    image_digest, engine, path, recorded_at, wall_ms, log)
  select v.id, %(slot)s, 'live', now(), 1, 'i', 'embedded', 'cold', now(), 1, ''
  from registry.version v returning id, slot)
insert into forecast.forecast
select r.id, i.id, h, r.slot + make_interval(hours => h), random(), null, random()
from record r, market.instrument i, unnest(%(horizons)s::int[]) h
"""


@dataclass(frozen=True)
class Server:
    """One of those that are compared; `pids` are it and, where it asks, Postgres."""

    url: str
    pid: int
    postmaster: int
    headers: dict[str, str]

    def cpu_s(self) -> float:
        return with_children_s(self.pid) + with_children_s(self.postmaster)


@dataclass(frozen=True)
class House:
    """An installation that runs, and what to ask beside it."""

    api: Server
    plain: Server
    orm: Server
    superuser: psycopg.Connection


@contextmanager
def house() -> Iterator[House]:
    with ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="signalbox-api-", dir="/var/tmp")
        home = Path(stack.enter_context(folder))
        home.chmod(0o755)
        postgres = embedded.start(home)
        stack.callback(postgres.stop)
        passwords = new_secrets()
        create_roles(postgres.admin, passwords)
        migrate(role_url(postgres.admin, OWNER, passwords[OWNER]))
        write_secret(home / "secrets" / "api.key", secrets.token_urlsafe(48))
        database = postgres.admin.set(database=DATABASE)
        superuser = stack.enter_context(psycopg.connect(conninfo(database), autocommit=True))
        postmaster = int((home / "postgres" / "postmaster.pid").read_text().split()[0])

        def serve(module: str, **more: str) -> Server:
            port = free_port()
            environment = {
                "PATH": os.environ["PATH"],
                "SIGNALBOX_API_PORT": str(port),
                "BENCHMARK_PORT": str(port),
                **more,
            }
            pid = stack.enter_context(running(module, port, environment))
            return Server(f"http://127.0.0.1:{port}", pid, postmaster, {})

        api = serve(
            "api",
            SIGNALBOX_ENVIRONMENT="test",
            SIGNALBOX_DATABASE_URL=_text(role_url(postgres.admin, API, passwords[API])),
            SIGNALBOX_SECRET_KEY_FILE=str(home / "secrets" / "api.key"),
        )
        headers = _furnish(api.url, superuser)
        body = httpx.get(api.url + LATEST, headers=headers)
        (home / "body").write_bytes(body.content)
        plain = serve("benchmarks.naive_api.plain", BENCHMARK_BODY=str(home / "body"))
        orm = serve("benchmarks.naive_api.orm", BENCHMARK_DATABASE=_text(database))
        answered = httpx.get(orm.url + LATEST, headers=headers)
        assert answered.json() == body.json(), answered.text[:300]
        yield House(
            Server(api.url, api.pid, postmaster, headers),
            plain,
            Server(orm.url, orm.pid, postmaster, headers),
            superuser,
        )


def _text(url: object) -> str:
    return url.render_as_string(hide_password=False)  # type: ignore[attr-defined,no-any-return]


def _furnish(url: str, superuser: psycopg.Connection) -> dict[str, str]:
    """Ada's signal with 100 forecasts, and a key of eve, who subscribes."""
    _register(url, "ada")
    token = _register(url, "eve")
    superuser.execute(SIGNAL)
    superuser.execute(SUBSCRIBE, ["eve"])
    superuser.execute(INSTRUMENTS, [SYMBOLS])
    _slot(superuser, 0)
    superuser.execute("analyze")
    return _key(url, token)


def _register(url: str, handle: str) -> dict[str, str]:
    body = {"email": f"{handle}@example.org", "password": secrets.token_urlsafe(), "handle": handle}
    session = httpx.post(f"{url}/v1/auth/register", json=body).raise_for_status().json()
    return {"Authorization": f"Bearer {session['access_token']}"}


def _key(url: str, token: dict[str, str]) -> dict[str, str]:
    wish = {"name": "benchmark", "scopes": ["read"]}
    key = httpx.post(f"{url}/v1/api-keys", json=wish, headers=token).raise_for_status().json()
    return {"Authorization": f"Bearer {key['key']}"}


def _slot(superuser: psycopg.Connection, number: int) -> str:
    """So many hours after the first slot; returns it as answers write it."""
    slot = FIRST + timedelta(hours=number)
    superuser.execute(SLOT, {"slot": slot, "horizons": list(HORIZONS)})
    return f"{slot:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Round:
    """What `wrk` saw: CPU microseconds of a request, and milliseconds that it took."""

    cpu_us: float
    p50_ms: float
    p99_ms: float
    requests_a_second: float


def _ask(server: Server, connections: int, seconds: float) -> Round:
    headers = [part for item in server.headers.items() for part in ("-H", ": ".join(item))]
    before = server.cpu_s()
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", *headers,
         server.url + LATEST],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    spent = server.cpu_s() - before
    assert "Non-2xx" not in done, done
    requests = int(_found(r"(\d+) requests in", done))
    return Round(
        cpu_us=spent / requests * 1e6,
        p50_ms=_ms(_found(r"50%\s+(\S+)", done)),
        p99_ms=_ms(_found(r"99%\s+(\S+)", done)),
        requests_a_second=float(_found(r"Requests/sec:\s+(\S+)", done)),
    )


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, text
    return found[1]


def _ms(text: str) -> float:
    for unit, factor in (("us", 1e-3), ("ms", 1.0), ("s", 1e3)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    raise ValueError(text)


def compared(house: House, rounds: int, seconds: float) -> dict[str, float]:
    """CPU time of each server, in turn, and what it is to the API's."""
    took: dict[str, list[Round]] = {"hot": [], "plain": [], "orm": [], "alone": []}
    for number in range(rounds + 1):
        turn = {
            "hot": _ask(house.api, 64, seconds),
            "plain": _ask(house.plain, 64, seconds),
            "orm": _ask(house.orm, 64, seconds),
            "alone": _ask(house.api, 1, seconds),
        }
        for name, one in turn.items() if number else ():
            took[name].append(one)
    cpu = {name: [one.cpu_us for one in each] for name, each in took.items()}
    hot = took["hot"]
    return {
        "vs_plain": _ratio(cpu["hot"], cpu["plain"]),
        "vs_fastapi_orm": _ratio(cpu["orm"], cpu["hot"]),
        "alone_vs_plain": _ratio(cpu["alone"], cpu["plain"]),
        **{f"{name}_us": statistics.median(values) for name, values in cpu.items()},
        "p50_ms": statistics.median(one.p50_ms for one in hot),
        "p99_ms": statistics.median(one.p99_ms for one in hot),
        "plain_p99_ms": statistics.median(one.p99_ms for one in took["plain"]),
        "requests_a_second": statistics.median(one.requests_a_second for one in hot),
    }


def _ratio(these: list[float], those: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(these, those, strict=True))


def visible(house: House) -> dict[str, float]:
    """Milliseconds from a commit to the answer that knows of it, and how often the first did."""
    with httpx.Client(base_url=house.api.url) as client:
        numbers = itertools.count(1)
        token = _register(house.api.url, "bob")
        house.superuser.execute(SUBSCRIBE, ["bob"])

        def forecast() -> Callable[[httpx.Response], bool]:
            slot = _slot(house.superuser, next(numbers))
            return lambda answer: answer.json()["items"][0]["as_of"] == slot

        def refused() -> Callable[[httpx.Response], bool]:
            return lambda answer: answer.is_client_error

        def revoked(shown: dict[str, str]) -> Callable[[httpx.Response], bool]:
            key_id = shown["Authorization"].split("_")[2]
            house.superuser.execute(
                "update account.api_key set revoked_at = now() where id = %s", [key_id]
            )
            return refused()

        def canceled() -> Callable[[httpx.Response], bool]:
            house.superuser.execute(
                "update billing.subscription s set state = 'canceled' from account.user_account u"
                " where u.id = s.user_id and u.handle = 'bob' and s.state = 'active'"
            )
            return refused()

        results: dict[str, list[tuple[float, int]]] = {
            "forecast": [],
            "revoked": [],
            "canceled": [],
        }
        for _ in range(TIMES):
            results["forecast"].append(_seen(client, house.api.headers, forecast))
            shown = _key(house.api.url, token)
            results["revoked"].append(_seen(client, shown, partial(revoked, shown)))
            results["canceled"].append(_seen(client, token, canceled))
            house.superuser.execute(SUBSCRIBE, ["bob"])
    return {
        **{
            f"{name}_visible_ms": statistics.median(ms for ms, _ in each)
            for name, each in results.items()
        },
        "stale_answers": sum(stale for each in results.values() for _, stale in each),
    }


def _seen(
    client: httpx.Client,
    headers: dict[str, str],
    change: Callable[[], Callable[[httpx.Response], bool]],
) -> tuple[float, int]:
    """Ask, change, and ask until it shows: milliseconds, and answers that did not know yet."""
    for _ in range(2):
        client.get(LATEST, headers=headers).raise_for_status()
    knows = change()
    begun, stale = time.perf_counter(), 0
    while not knows(client.get(LATEST, headers=headers)):
        stale += 1
    return (time.perf_counter() - begun) * 1e3, stale


def main() -> None:
    """Print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of each server in a round")
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    options = parser.parse_args()
    with house() as built:
        size = len(httpx.get(built.api.url + LATEST, headers=built.api.headers).content)
        result = {"bytes": float(size), **visible(built)}
        result |= compared(built, options.rounds, options.seconds)
    if not options.json:
        for name, value in result.items():
            print(f"{name:24} {value:.4g}")
    print(msgspec.json.encode({name: round(value, 4) for name, value in result.items()}).decode())


if __name__ == "__main__":
    main()
