"""What it costs to know who asks: CPU time of a request with an API key over one without.

The API runs as it does in production (`python -m api`, one process) on an embedded
Postgres, and answers over HTTP on the loopback address. Requests with a key, with an
access token and of nobody take turns in short rounds within one run, so that whatever
else the machine does falls on all of them. Counted is the CPU time of the API's process
and of all of Postgres, by the kernel's scheduler, in nanoseconds.
"""

import argparse
import http.client
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import psycopg

from benchmarks.processes import CHECKOUT, cpu_s, free_port, wait, with_children_s
from sql import embedded
from sql.embedded import write_secret
from sql.migrate import migrate
from sql.roles import API, DATABASE, OWNER, conninfo, create_roles, new_secrets, role_url

# Short rounds: what else the machine does in a second falls on all kinds alike.
ROUND, WARM_UP = 10, 30
# A usual read, and the cheapest that there is: one small statement.
PATHS = {"signal": "/v1/signals/ada/tide", "least": "/v1/provenance-keys"}
SIGNAL = """
with ada as (select id from account.user_account),
signal as (
  insert into registry.signal (provider_id, name, title, description, visibility, created_at)
  select id, 'tide', 'Tide', 'Ebb and flow', 'public', now() from ada returning id, provider_id)
insert into registry.version (signal_id, version, state, reserved_at, published_at, pushed_by,
  commit_sha, tree_digest, lock_digest, image_digest, manifest)
select id, 'v1.0.0', 'live', now(), now(), provider_id, 'c', 't', 'l', 'i',
  '{"forecast": {"symbols": ["EURUSD"], "horizons_hours": [1], "target": "return"}}' from signal
"""


@dataclass(frozen=True)
class Server:
    """A running API, the processes whose CPU time is counted, and its database's superuser."""

    port: int
    pids: tuple[int, int]
    superuser: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_s(self) -> float:
        """CPU seconds of the API and of Postgres so far."""
        api, postmaster = self.pids
        return cpu_s(api) + with_children_s(postmaster)


@contextmanager
def serving() -> Iterator[Server]:
    """The API over one public signal."""
    with tempfile.TemporaryDirectory(prefix="signalbox-access-", dir="/var/tmp") as folder:
        home = Path(folder)
        home.chmod(0o755)
        postgres = embedded.start(home)
        passwords = new_secrets()
        create_roles(postgres.admin, passwords)
        migrate(role_url(postgres.admin, OWNER, passwords[OWNER]))
        write_secret(home / "secrets" / "api.key", secrets.token_urlsafe(48))
        url = role_url(postgres.admin, API, passwords[API])
        environment = {
            "PATH": os.environ["PATH"],
            "SIGNALBOX_ENVIRONMENT": "test",
            "SIGNALBOX_DATABASE_URL": url.render_as_string(hide_password=False),
            "SIGNALBOX_SECRET_KEY_FILE": str(home / "secrets" / "api.key"),
            "SIGNALBOX_API_PORT": str(port := free_port()),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "api"], cwd=CHECKOUT, env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            postmaster = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
            superuser = conninfo(postgres.admin.set(database=DATABASE))
            server = Server(port, (process.pid, postmaster), superuser)
            wait(server.url)
            yield _with_signal(server)
        finally:
            process.terminate()
            process.wait()
            postgres.stop()


def _with_signal(server: Server) -> Server:
    body = {"email": "ada@example.org", "password": secrets.token_urlsafe(), "handle": "ada"}
    httpx.post(f"{server.url}/v1/auth/register", json=body).raise_for_status()
    with psycopg.connect(server.superuser, autocommit=True) as connection:
        connection.execute(SIGNAL)
        connection.execute("analyze")
    return server


def _credentials(server: Server) -> dict[str, dict[str, str]]:
    """Headers of who takes turns."""
    body = {"email": "eve@example.org", "password": secrets.token_urlsafe(), "handle": "eve"}
    session = httpx.post(f"{server.url}/v1/auth/register", json=body).json()
    token = {"Authorization": f"Bearer {session['access_token']}"}
    wish = {"name": "benchmark", "scopes": ["read"]}
    key = httpx.post(f"{server.url}/v1/api-keys", json=wish, headers=token).json()["key"]
    return {"nobody": {}, "key": {"Authorization": f"Bearer {key}"}, "token": token}


def measure(server: Server, rounds: int) -> dict[str, float]:
    """CPU microseconds of a request of each kind, and their ratios to nobody's."""
    people = _credentials(server)
    return {
        f"{name}_{key}": value
        for name, path in PATHS.items()
        for key, value in _measure_route(server, people, path, rounds).items()
    }


def _measure_route(
    server: Server, people: dict[str, dict[str, str]], path: str, rounds: int
) -> dict[str, float]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    spent: dict[str, list[float]] = {who: [] for who in people}
    for number in range(WARM_UP + rounds):
        # In turn forwards and backwards: nobody always follows the same one.
        for who in sorted(people, reverse=number % 2 == 1):
            before = server.cpu_s()
            for _ in range(ROUND):
                _ask(connection, path, people[who])
            if number >= WARM_UP:
                spent[who].append((server.cpu_s() - before) / ROUND * 1e6)
    connection.close()
    ratios = {
        who: statistics.median(
            one / nobody for one, nobody in zip(spent[who], spent["nobody"], strict=True)
        )
        for who in ("key", "token")
    }
    return {
        **{f"{who}_us": statistics.median(values) for who, values in spent.items()},
        **{f"{who}_ratio": ratio for who, ratio in ratios.items()},
    }


def _ask(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> None:
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == http.HTTPStatus.OK, answer.status


def main() -> None:
    """Print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="of 10 requests of each kind")
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    options = parser.parse_args()
    with serving() as server:
        result = measure(server, options.rounds)
    if not options.json:
        for name, value in result.items():
            print(f"{name:16} {value:.4g}")
    print(msgspec.json.encode({name: round(value, 4) for name, value in result.items()}).decode())


if __name__ == "__main__":
    main()
