"""The demonstration: the whole of Signalbox on one machine, by its front doors.

Signals are pushed with git, accounts made and forecasts read over HTTP, the
live slot is run by Dagster's schedule. Only the clock is not the world's: it is
moved forward to the next full hour, once, after the signals were published, so
that nobody has to wait for it; every answer of the API says so.
"""

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from assets.forecasts.replay import replay_version
from assets.forecasts.version import PublishedVersion, published_versions
from assets.installation import Installation
from assets.market_data.source import Source
from assets.market_data.store import ingest
from assets.scores.performance import update_performance
from assets.scores.score import score_resolved
from pipelines.operator.baselines import HANDLE, publish_baselines
from pipelines.operator.demo_people import Client, Person, push_example
from pipelines.operator.home import CHECKOUT, Home
from pipelines.operator.house import House, open_house
from pipelines.resources import installation_of, stored_key_of
from pipelines.settings import source_of
from sql.clock import DemoClock, floor_hour, system_clock
from sql.embedded import write_secret

Say = Callable[[str], None]

EXAMPLES = ("seasonal-naive", "momentum-quantiles", "ridge-lags")
SUBSCRIBED = "momentum-quantiles"
REPLAYED = timedelta(days=14)
HISTORY = timedelta(days=60)
LIVE_SECONDS = 240
SYMBOLS = "BTCUSDT,ETHUSDT,EURUSD"


def demo(home: Home, say: Say) -> None:
    """Set up or start again, then run until Ctrl-C."""
    home = with_demo_settings(home)
    with open_house(home, say) as house:
        say(f"database ready in {home.root}")
        provider, subscriber = prepare(house, say)
        _print_guide(home, provider, subscriber, say)
        while True:
            house.watch()
            time.sleep(0.5)


def hours(first: datetime, end: datetime) -> list[datetime]:
    """Full hours in `[first, end)`."""
    slot = floor_hour(first)
    if slot < first:
        slot += timedelta(hours=1)
    return [slot + timedelta(hours=n) for n in range(max(0, -((slot - end) // timedelta(hours=1))))]


def with_demo_settings(home: Home) -> Home:
    """A home set up as a demonstration: its own clock, a schedule that looks every minute."""
    settings = {
        "SIGNALBOX_ENVIRONMENT": "demo",
        "SIGNALBOX_DEMO_CLOCK": str(home.clock),
        "SIGNALBOX_SCHEDULE_CRON": "* * * * *",
        "SIGNALBOX_FEED_DELAY_MINUTES": "5",
        "SIGNALBOX_MARKET_SOURCE": _market_source(home),
        "SIGNALBOX_SANDBOX_ENGINE": os.environ.get("SIGNALBOX_SANDBOX_ENGINE", "auto"),
        "SIGNALBOX_SANDBOX_PATH": os.environ.get("SIGNALBOX_SANDBOX_PATH", "forked"),
    }
    return replace(home, settings={**settings, **home.settings})


def _market_source(home: Home) -> str:
    """Recorded real bars moved onto the present, where a folder of them is named; else made up."""
    folder = os.environ.get("SIGNALBOX_DEMO_BARS")
    if not folder:
        return "sample"
    if not Path(folder).is_dir():
        raise ValueError(f"SIGNALBOX_DEMO_BARS: no folder {folder}")
    anchor = home.root / "bars-anchor"
    if not anchor.exists():
        home.root.mkdir(parents=True, exist_ok=True)
        anchor.write_text(f"{system_clock():%Y-%m-%d}")
    return f"recorded:{Path(folder).resolve()}:{anchor.read_text()}:{SYMBOLS}"


def prepare(house: House, say: Say) -> tuple[Person, Person]:
    """Bars, processes, people, pushes, replays and a live slot; each only where it is missing."""
    home = house.home
    settings = house.worker_settings()
    installation = installation_of(settings)
    stored_key = stored_key_of(installation, settings.data_key_file)
    source = source_of(settings.market_source, stored_key)
    with contextlib.closing(installation.engine()) as engine:
        say(f"sandbox  {engine.name}")
    say("base image from Debian packages" if not (home.images / "known").exists() else "base image")
    installation.images.base()
    _load_history(installation, source, say)
    house.start_all()
    say("processes up: signer, log, code server, api, git, Dagster's webserver and daemon")
    provider = _person(home, "ada")
    subscriber = _person(home, "sam")
    _publish(house, installation, provider, say)
    platform = _person(home, HANDLE)
    publish_baselines(
        installation, home.git_url, platform, Client(home.api_url, platform).publish, say,
        tuple(SYMBOLS.split(",")),
    )  # fmt: skip
    with installation.connect() as connection:
        versions = published_versions(connection)
    _replay(installation, versions, say)
    _run_live(house, installation, versions, say)
    Client.logged_in(home.api_url, subscriber).subscribe(f"{provider.handle}/{SUBSCRIBED}")
    say(f"{subscriber.email} subscribes to {provider.handle}/{SUBSCRIBED}")
    return provider, subscriber


def _load_history(installation: Installation, source: Source, say: Say) -> None:
    now = installation.clock()
    symbols = [declared.symbol for declared in source.instruments()]
    with installation.connect() as connection:
        summary = ingest(
            connection, source, symbols, floor_hour(now) - HISTORY, floor_hour(now), now,
            is_history=True, feed_delay=installation.feed_delay,
        )  # fmt: skip
    say(f"bars     {source.name}: {summary.new} new for {', '.join(symbols)} (sample data)")


def _person(home: Home, handle: str) -> Person:
    """The demonstration's account of this name; registered the first time."""
    kept = home.root / "secrets" / f"demo-{handle}.json"
    if kept.exists():
        return msgspec.json.decode(kept.read_bytes(), type=Person)
    person = Client.register(home.api_url, handle, secrets.token_urlsafe(12))
    write_secret(kept, msgspec.json.encode(person).decode())
    return person


def _publish(house: House, installation: Installation, provider: Person, say: Say) -> None:
    with installation.connect() as connection:
        known = {version.name for version in published_versions(connection)}
    for name in EXAMPLES:
        if name in known:
            continue
        say(f"git push {name} v1.0.0")
        push_example(CHECKOUT / "examples" / name, house.home.git_url, provider, say)
        Client(house.home.api_url, provider).publish(f"{provider.handle}/{name}")


def _replay(installation: Installation, versions: list[PublishedVersion], say: Say) -> None:
    last = floor_hour(installation.clock())
    for version in versions:
        slots = [slot for slot in hours(last - REPLAYED, last) if slot < version.published_at]
        with installation.connect() as connection:
            if _recorded(connection, version.id, "backfilled"):
                continue
        began = time.monotonic()
        answered = sum(one.reason is None for one in replay_version(installation, version, slots))
        say(
            f"replayed {version.label}: {answered} of {len(slots)} hours"
            f" in {time.monotonic() - began:.1f} s"
        )
    with installation.connect() as connection:
        say(f"scored   {score_resolved(connection, installation.clock())} forecasts")
        done = update_performance(connection, installation.clock(), installation.live_deadline)
        say(f"measured {done.signals} signals")


def _recorded(connection: psycopg.Connection[Any], version_id: int, provenance: str) -> int:
    row = connection.execute(
        "select count(*) from forecast.slot_record where version_id = %s and provenance = %s",
        [version_id, provenance],
    ).fetchone()
    return int(row[0]) if row else 0


def _run_live(
    house: House, installation: Installation, versions: list[PublishedVersion], say: Say
) -> None:
    """Move the clock to the next hour, once, and wait for the schedule's live slot."""
    clock = DemoClock(house.home.clock)
    if not house.home.clock.exists():
        slot = floor_hour(clock()) + timedelta(hours=1)
        clock.advance_to(slot)
        say(f"clock    moved ahead to {slot:%Y-%m-%d %H:%M} UTC; the schedule takes it from here")
    # What an older demonstration did not have yet has its first slot at the next hour.
    wanted = sum(version.published_at <= floor_hour(clock()) for version in versions)
    deadline = time.monotonic() + LIVE_SECONDS
    with installation.connect() as connection:
        while (there := _live_versions(connection)) < wanted:
            house.watch()
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"only {there} of {wanted} versions have a live slot after {LIVE_SECONDS} s;"
                    f" see {house.home.dagster_url}/runs and {house.home.logs}"
                )
            time.sleep(0.5)
    say(f"live     {wanted} versions ran on the hour, by the schedule")


def _live_versions(connection: psycopg.Connection[Any]) -> int:
    # Live alone: where the hour turned before the jump, its slot comes late and proves nothing.
    row = connection.execute(
        "select count(distinct version_id) from forecast.slot_record where provenance = 'live'"
    ).fetchone()
    return int(row[0]) if row else 0


def _print_guide(home: Home, provider: Person, subscriber: Person, say: Say) -> None:
    signal = f"{provider.handle}/{SUBSCRIBED}"
    for line in _guide(home, provider, subscriber, signal):
        say(line)


def _guide(home: Home, provider: Person, subscriber: Person, signal: str) -> Iterator[str]:
    yield ""
    yield f"Web       {home.api_url}"
    yield f"API       {home.api_url}/v1/signals   (OpenAPI: {home.api_url}/schema/openapi.json)"
    yield f"Dagster   {home.dagster_url}"
    yield f"git       {home.git_url}/git/{provider.handle}/<name>.git"
    yield f"provider    {provider.email}   password {provider.password}"
    yield f"            API key {provider.key}"
    yield f"subscriber  {subscriber.email}   password {subscriber.password}"
    yield "Read the latest forecasts as the subscriber:"
    yield (
        f"  curl -s -H 'Authorization: Bearer {subscriber.key}' "
        f"{home.api_url}/v1/signals/{signal}/forecasts/latest"
    )
    yield "Ctrl-C stops everything; `make demo` starts it again with its data."
