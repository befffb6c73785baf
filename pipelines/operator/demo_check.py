"""`signalbox demo-check`: the demonstration on private ports, checked as a subscriber would."""

import contextlib
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from pipelines.operator.baselines import BASELINES, HANDLE
from pipelines.operator.demo import EXAMPLES, SUBSCRIBED, prepare, with_demo_settings
from pipelines.operator.demo_people import Client, Person
from pipelines.operator.home import Home, Ports
from pipelines.operator.house import House, open_house
from pipelines.resources import installation_of

Say = Callable[[str], None]


@dataclass(frozen=True)
class Counts:
    """What the database holds when the demonstration is ready."""

    versions: int
    forecasts_live: int
    forecasts_replayed: int
    scores: int
    sandbox: str


def demo_check(
    root: Path | None, say: Say, held: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, Any]:
    """The same in a temporary home on free ports; act as a subscriber; stop everything.

    Args:
        root: the home; a temporary one of its own without.
        say: is told how it goes.
        held: is called with the result, and where everything is, while it runs still.
    """
    began = time.monotonic()
    with contextlib.nullcontext(root) if root else _own_root() as folder:
        home = with_demo_settings(Home(folder, Ports(free_ports())))
        with open_house(home, say) as house:
            provider, subscriber = prepare(house, say)
            counts = _count(house)
            problems = _check_as_subscriber(home, provider, subscriber)
            for problem in problems:
                say(f"WRONG: {problem}")
            result = {
                "ok": not problems and counts.forecasts_live > 0 and counts.scores > 0,
                "problems": problems,
                **msgspec.to_builtins(counts),
                "seconds": round(time.monotonic() - began, 1),
            }
            if held is not None:
                places = {"api": home.api_url, "git": home.git_url, "dagster": home.dagster_url}
                held(result | places)
    return result


@contextlib.contextmanager
def _own_root() -> Iterator[Path]:
    """A folder for this check alone, where the sandbox' user can walk to."""
    root = Path(tempfile.mkdtemp(prefix="signalbox-check-", dir="/var/tmp"))
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _count(house: House) -> Counts:
    installation = installation_of(house.worker_settings())
    with installation.connect() as connection:
        row = connection.execute(
            "select (select count(*) from registry.version where state = 'live'),"
            " (select count(*) from forecast.forecast f join forecast.slot_record r"
            "  on r.id = f.slot_record_id where r.provenance = 'live'),"
            " (select count(*) from forecast.forecast f join forecast.slot_record r"
            "  on r.id = f.slot_record_id where r.provenance in ('replayed', 'backfilled')),"
            " (select count(*) from score.score),"
            " (select string_agg(distinct engine, ',') from forecast.slot_record)"
        ).fetchone()
    assert row is not None  # noqa: S101 - aggregates always answer
    return Counts(*row)


def _check_as_subscriber(home: Home, provider: Person, subscriber: Person) -> list[str]:
    """Follow one forecast from catalogue to answer; every surprise is a problem."""
    problems: list[str] = []
    anyone, reader = Client(home.api_url), Client(home.api_url, subscriber)
    listed = {item["signal"] for item in anyone.get("/v1/signals")["items"]}
    signal = f"{provider.handle}/{SUBSCRIBED}"
    wanted = {f"{provider.handle}/{name}" for name in EXAMPLES}
    if not wanted | {f"{HANDLE}/{name}" for name in BASELINES} <= listed:
        problems.append(f"catalogue lists {sorted(listed)}")
    latest = reader.get(f"/v1/signals/{signal}/forecasts/latest")["items"]
    version = anyone.get(f"/v1/signals/{signal}/versions/v1.0.0")
    if not latest:
        problems.append("no latest forecast")
    for row in latest:
        if row["provenance"] != "live":
            problems.append(f"latest forecast is {row['provenance']}, not live")
        if row["image_digest"] != version["image_digest"]:
            problems.append("forecast and version name different images")
        if row["leaf_index"] is None or not row["input_digest"].startswith("sha256:"):
            problems.append("a live forecast has no leaf or no input digest")
    if anyone.get(f"/v1/signals/{signal}/performance?window=all")["measures"] is None:
        problems.append("performance has no measures")
    if (status := anyone.status(f"/v1/signals/{signal}/forecasts/latest")) != 401:  # noqa: PLR2004
        problems.append(f"forecasts without an account answer {status}, not 401")
    other = f"/v1/signals/{provider.handle}/ridge-lags/forecasts"
    if (status := reader.status(other)) != 403:  # noqa: PLR2004
        problems.append(f"forecasts without a subscription answer {status}, not 403")
    return problems


def free_ports() -> int:
    """The first of four consecutive free ports."""
    for base in range(18700, 28700, 10):
        with contextlib.ExitStack() as held:
            try:
                for port in range(base, base + 4):
                    probe = held.enter_context(socket.socket())
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return base
    raise RuntimeError("no four consecutive free ports between 18700 and 28700")
