"""What signing in costs, beside the password's hash itself.

The API's process as it runs in production, an embedded Postgres, real HTTP on 127.0.0.1. `hash_ms`
is argon2id with the platform's parameters, in this process; the ratios are what login and
refresh take over it. Then a crowd signs in at once, while somebody else asks `/healthz`: were the
loop blocked by hashes, that would wait for them. `crowd_ratio` is their logins a second over the
hashes a second of as many threads that do nothing else.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import httpx
import msgspec
from argon2 import PasswordHasher

from api.settings import ApiSettings
from benchmarks.processes import free_port, wait
from pipelines.operator.home import CHECKOUT, Home, Ports
from sql import embedded
from sql.migrate import migrate
from sql.roles import API, create_roles

PASSWORD = "correct horse battery"  # noqa: S105 - of a throwaway account
LOGINS_EACH = 5


def main() -> None:
    """Print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="of each request, one by one")
    parser.add_argument("--crowd", type=int, default=24, help="people who sign in at once")
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    options = parser.parse_args()
    with _api() as url:
        result = _measure(url, options.rounds, options.crowd)
    if not options.json:
        for name, value in result.items():
            print(f"{name:24} {value}")
    print(msgspec.json.encode(result).decode())


def _hash_of_its_own() -> Callable[[], object]:
    hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
    stored = hasher.hash(PASSWORD)
    return lambda: hasher.verify(stored, PASSWORD)


def _hashes_per_second(rounds: int) -> float:
    """By as many threads as the API has for it, and nothing else to do."""
    verify = _hash_of_its_own()
    with ThreadPoolExecutor(ApiSettings(database_url="", secret_key_file="").password_hashes) as at:
        began = time.perf_counter()
        for one in [at.submit(verify) for _ in range(rounds)]:
            one.result()
        return rounds / (time.perf_counter() - began)


def _measure(url: str, rounds: int, crowd: int) -> dict[str, float]:
    verify, hashes, login = _hash_of_its_own(), list[float](), list[float]()
    with httpx.Client(base_url=url) as client:
        for number in range(crowd):
            body = {"email": _email(number), "password": PASSWORD, "handle": f"ada{number}"}
            _ok(client.post("/v1/auth/register", json=body))
        # In turn: whatever else the machine does meets both alike.
        for _ in range(rounds):
            hashes += _times_ms(verify, 1)
            login += _times_ms(lambda: _login(client, 0), 1)
        tokens = [_login(client, 0)["refresh_token"]]

        def refresh() -> None:
            answer = _ok(client.post("/v1/auth/refresh", json={"refresh_token": tokens[-1]}))
            tokens.append(answer["refresh_token"])

        refreshed = _times_ms(refresh, rounds)
    hash_ms = statistics.median(hashes)
    hashes_per_second = _hashes_per_second(crowd * LOGINS_EACH)
    logins_per_second, beside = _crowd(url, crowd)
    return {
        "hash_ms": round(hash_ms, 2),
        "login_ms": round(statistics.median(login), 2),
        "login_p99_ms": round(_p99(login), 2),
        "login_ratio": round(statistics.median(login) / hash_ms, 2),
        "refresh_ms": round(statistics.median(refreshed), 2),
        "refresh_p99_ms": round(_p99(refreshed), 2),
        "refresh_ratio": round(statistics.median(refreshed) / hash_ms, 2),
        "crowd": crowd,
        "crowd_logins_per_s": round(logins_per_second, 1),
        "crowd_ratio": round(logins_per_second / hashes_per_second, 2),
        "beside_crowd_ms": round(statistics.median(beside), 2),
        "beside_crowd_p99_ms": round(_p99(beside), 2),
    }


def _crowd(url: str, people: int) -> tuple[float, list[float]]:
    """Logins a second of people who sign in at once, and what others wait meanwhile."""
    beside: list[float] = []
    # In a process of its own: its work is not to delay whoever looks on.
    with ProcessPoolExecutor(1) as elsewhere, httpx.Client(base_url=url) as client:
        seconds = elsewhere.submit(_sign_in_at_once, url, people)
        while not seconds.done():
            beside.extend(_times_ms(lambda: client.get("/healthz"), 1))
            time.sleep(0.005)
        return people * LOGINS_EACH / seconds.result(), beside


def _sign_in_at_once(url: str, people: int) -> float:
    """Seconds that it took."""
    limits = httpx.Limits(max_connections=people)
    with (
        httpx.Client(base_url=url, timeout=60, limits=limits) as client,
        ThreadPoolExecutor(people) as threads,
    ):

        def sign_in(number: int) -> None:
            for _ in range(LOGINS_EACH):
                _login(client, number)

        began = time.perf_counter()
        list(threads.map(sign_in, range(people)))
        return time.perf_counter() - began


def _email(number: int) -> str:
    return f"ada{number}@example.org"


def _login(client: httpx.Client, number: int) -> dict[str, str]:
    body = {"email": _email(number), "password": PASSWORD}
    return _ok(client.post("/v1/auth/login", json=body))


def _ok(answer: httpx.Response) -> dict[str, str]:
    assert answer.is_success, answer.text
    document: dict[str, str] = answer.json()
    return document


def _times_ms(act: Callable[[], object], rounds: int) -> list[float]:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return times


def _p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


@contextlib.contextmanager
def _api() -> Iterator[str]:
    """The API's process over a fresh installation; yields its address."""
    with contextlib.ExitStack() as undo:
        # As root the server runs as another user, who must be able to walk there.
        folder = Path(undo.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        folder.chmod(0o755)
        home = Home(folder / "home", Ports(free_port()), {"SIGNALBOX_ENVIRONMENT": "test"})
        home.prepare()
        server = embedded.start(home.root)
        undo.callback(server.stop)
        create_roles(server.admin, home.passwords())
        migrate(home.owner_url(server.admin))
        log = undo.enter_context((folder / "log").open("w"))
        process = undo.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "api"],
                cwd=CHECKOUT, env=home.environment(server.admin, API), stdout=log, stderr=log,
            )
        )  # fmt: skip
        undo.callback(process.terminate)
        wait(home.api_url, "/healthz")
        yield home.api_url


if __name__ == "__main__":
    main()
