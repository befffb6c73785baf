"""The servers that `benchmarks.api` compares, over one embedded Postgres."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
from sqlalchemy import URL

from benchmarks.processes import free_port, running, with_children_s
from sql import embedded
from sql.embedded import write_secret
from sql.migrate import migrate
from sql.roles import API, DATABASE, OWNER, conninfo, create_roles, new_secrets, role_url

LATEST = "/v1/signals/ada/tide/forecasts/latest"
SYMBOLS, HORIZONS = 25, (1, 4, 12, 24)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
# Hours of history, so that the planner sees what it will see in a year.
HISTORY = 300

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
            SIGNALBOX_DATABASE_URL=text_of(role_url(postgres.admin, API, passwords[API])),
            SIGNALBOX_SECRET_KEY_FILE=str(home / "secrets" / "api.key"),
        )
        headers = furnish(api.url, superuser)
        body = httpx.get(api.url + LATEST, headers=headers)
        (home / "body").write_bytes(body.content)
        plain = serve("benchmarks.naive_api.plain", BENCHMARK_BODY=str(home / "body"))
        orm = serve("benchmarks.naive_api.orm", BENCHMARK_DATABASE=text_of(database))
        answered = httpx.get(orm.url + LATEST, headers=headers)
        assert answered.json() == body.json(), answered.text[:300]
        yield House(
            Server(api.url, api.pid, postmaster, headers),
            plain,
            Server(orm.url, orm.pid, postmaster, headers),
            superuser,
        )


def text_of(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def furnish(url: str, superuser: psycopg.Connection) -> dict[str, str]:
    """Ada's signal with 100 forecasts, and a key of eve, who subscribes."""
    register(url, "ada")
    token = register(url, "eve")
    superuser.execute(SIGNAL)
    superuser.execute(SUBSCRIBE, ["eve"])
    superuser.execute(INSTRUMENTS, [SYMBOLS])
    for number in range(-HISTORY, 1):
        slot(superuser, number)
    superuser.execute("analyze")
    return key(url, token)


def register(url: str, handle: str) -> dict[str, str]:
    body = {"email": f"{handle}@example.org", "password": secrets.token_urlsafe(), "handle": handle}
    session = httpx.post(f"{url}/v1/auth/register", json=body).raise_for_status().json()
    return {"Authorization": f"Bearer {session['access_token']}"}


def key(url: str, token: dict[str, str]) -> dict[str, str]:
    wish = {"name": "benchmark", "scopes": ["read"]}
    key = httpx.post(f"{url}/v1/api-keys", json=wish, headers=token).raise_for_status().json()
    return {"Authorization": f"Bearer {key['key']}"}


def slot(superuser: psycopg.Connection, number: int) -> str:
    """So many hours after the first slot; returns it as answers write it."""
    slot = FIRST + timedelta(hours=number)
    superuser.execute(SLOT, {"slot": slot, "horizons": list(HORIZONS)})
    return f"{slot:%Y-%m-%dT%H:%M:%SZ}"
