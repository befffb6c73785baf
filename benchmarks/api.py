"""What a hot read costs, beside an answer with no check at all and the usual one.

Three servers over one embedded Postgres: the API as it runs in production, with an API key
that is looked up, a subscription and a limit; Litestar handing out the same bytes to
anybody; FastAPI with pydantic and SQLAlchemy's ORM. `wrk` asks each in turn, in short
rounds, so that whatever else the machine does falls on all of them. Counted is the CPU
time of the server and of all of Postgres. Then: how soon what was committed is answered.
"""

import argparse
import itertools
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import httpx
import msgspec

from benchmarks.api_house import LATEST, SUBSCRIBE, House, Server, house, key, register, slot

TIMES = 40


@dataclass(frozen=True)
class Round:
    """What `wrk` saw: CPU microseconds of a request, and milliseconds that it took."""

    cpu_us: float
    p50_ms: float
    p99_ms: float
    requests_a_second: float


def _ask(server: Server, connections: int, seconds: int) -> Round:
    headers = [part for item in server.headers.items() for part in ("-H", ": ".join(item))]
    before = server.cpu_s()
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *headers,
         server.url + LATEST],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    spent = server.cpu_s() - before
    assert "Non-2xx" not in done, done
    requests = int(_found(r"(\d+) requests in", done))
    return Round(
        cpu_us=spent / requests * 1e6,
        p50_ms=_ms(_found(r"\n\s+50%\s+(\S+)", done)),
        p99_ms=_ms(_found(r"\n\s+99%\s+(\S+)", done)),
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


def compared(house: House, rounds: int, seconds: int) -> dict[str, float]:
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
        token = register(house.api.url, "bob")
        house.superuser.execute(SUBSCRIBE, ["bob"])

        def forecast() -> Callable[[httpx.Response], bool]:
            made = slot(house.superuser, next(numbers))
            return lambda answer: answer.json()["items"][0]["as_of"] == made

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
            shown = key(house.api.url, token)
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
    parser.add_argument("--seconds", type=int, default=2, help="of each server in a round")
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.error("wrk is not installed; on Debian: apt-get install wrk")
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
