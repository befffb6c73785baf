"""The operator's commands, added to `signalbox` where the platform is installed."""

import os
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from assets.forecasts.audit import audit_replay
from assets.forecasts.progress import Progress
from assets.forecasts.replay import replay_version
from assets.forecasts.slot import run_slot
from assets.forecasts.version import PublishedVersion, due_slots, published_versions
from assets.installation import Installation
from assets.scores.performance import update_performance
from assets.scores.score import score_resolved
from pipelines.operator import (
    baselines,
    data_keys,
    ledger,
    log_commands,
    mail,
    market_data,
    provability,
    supply,
)
from pipelines.operator import demo as demonstration
from pipelines.operator import demo_check as checking
from pipelines.operator import doctor as examination
from pipelines.operator.accounts import make_operator, remove_totp
from pipelines.operator.backup import commands as backups
from pipelines.operator.command_list import (
    HOUR,
    Commands,
    home_option,
    installation_at,
    json_option,
)
from pipelines.operator.home import Home, Ports, default_root
from pipelines.operator.house import migrate_given, open_house, owner_at
from sql.clock import floor_hour

commands = Commands(
    [
        *market_data.commands,
        *supply.commands,
        *log_commands.commands,
        *provability.commands,
        *ledger.commands,
        *data_keys.commands,
        *mail.commands,
        *baselines.commands,
        *backups.commands,
    ]
)

port_option = click.option("--port", default=8700, show_default=True, help="First of four ports.")


@commands.add(home_option, port_option)
def up(root: Path | None, port: int) -> None:
    """Start every process of this machine, and keep them up until Ctrl-C."""
    home = Home(root or default_root("main"), Ports(port))
    with open_house(home, click.echo) as house:
        house.start_all()
        click.echo(f"api      {home.api_url}\ngit      {home.git_url}\ndagster  {home.dagster_url}")
        while True:
            house.watch()
            time.sleep(0.5)


@commands.add(home_option, port_option)
def demo(root: Path | None, port: int) -> None:
    """Set up a complete demonstration: signals pushed, replayed, run live, and readable."""
    demonstration.demo(Home(root or default_root("demo"), Ports(port)), click.echo)


@commands.add(
    click.option("--hold", is_flag=True, help="Then stay up until standard input ends."),
    home_option,
)
def demo_check(*, hold: bool, root: Path | None) -> None:
    """The demonstration on private ports, checked as a subscriber; one JSON line last."""

    def held(result: dict[str, Any]) -> None:
        click.echo(msgspec.json.encode(result))
        sys.stdout.flush()
        sys.stdin.read()

    say = partial(click.echo, err=True)
    result = checking.demo_check(root, say, held if hold else None)
    if not hold:
        click.echo(msgspec.json.encode(result))
    if not result["ok"]:
        raise SystemExit(1)


@commands.add(
    json_option,
    click.option("--quick", is_flag=True, help="Look only; try no escape."),
    click.option("--tls-url", "tls_urls", multiple=True, metavar="URL",
                 help="Look at the certificate that is served there; as often as you like."),
    click.option("--certificate", "certificates", multiple=True, type=click.Path(path_type=Path),
                 help="Look at a certificate in a PEM file."),
    click.option("--time-url", metavar="URL", help="Hold the clock against its Date header."),
    home_option,
)  # fmt: skip
def doctor(
    *, as_json: bool, quick: bool, tls_urls: tuple[str, ...], certificates: tuple[Path, ...],
    time_url: str | None, root: Path | None,
) -> None:  # fmt: skip
    """What machine and installation have and lack, how to mend it, and whether escapes are held."""
    home, now = Home(root or default_root("main")), datetime.now(UTC)
    asked = examination.Asked(tls_urls, certificates, time_url)
    findings = list(examination.examine(home, os.environ, now, asked))
    probed: list[examination.Probed] = []
    if not quick:
        with examination.some_store(home.images) as store:
            probed = list(examination.probe_all(store, now))
    if as_json:
        click.echo(msgspec.json.encode({"findings": findings, "probes": probed}))
    else:
        click.echo("\n".join((*examination.lines(findings), *examination.report(probed))))
    if not examination.is_well(findings, probed):
        raise SystemExit(1)


@commands.add(
    click.option("--role-passwords", type=click.Path(path_type=Path),
                 envvar="SIGNALBOX_ROLE_PASSWORDS",
                 help="Folder with a password file per role; makes roles and databases, too."),
    home_option,
)  # fmt: skip
def migrate(role_passwords: Path | None, root: Path | None) -> None:
    """Bring the database to the newest schema, policies and grants."""
    if role_passwords is not None:
        migrate_given(role_passwords)
        click.echo("migrated; the roles have the passwords of their files")
        return
    with open_house(Home(root or default_root("main")), click.echo):
        click.echo("migrated")


@commands.add(
    click.argument("version"),
    click.option("--from", "start", type=HOUR, required=True, help="First slot, UTC."),
    click.option("--to", "end", type=HOUR, required=True, help="UTC, exclusive."),
    click.option("--audit", type=click.IntRange(min=0), metavar="N",
                 help="Run N replayed slots again, each in a fresh sandbox; "
                 "100 where they are forked, else 10, if not given."),
    home_option,
)  # fmt: skip
def replay(
    version: str, start: datetime, end: datetime, audit: int | None, root: Path | None
) -> None:
    """Replay VERSION (provider/name@v1.0.0) over past slots, in lockstep; goes on where it ended.

    Exits with 1 when slots that are run again give another answer.
    """
    installation = installation_at(root)
    chosen = _version(installation, version)
    slots = demonstration.hours(
        start.replace(tzinfo=UTC), min(end.replace(tzinfo=UTC), installation.clock())
    )
    if not slots:
        raise ValueError(f"no full hour lies from {start} up to {end} UTC and now; ask for more")
    told = Progress(chosen.label, len(slots))
    with (
        closing(replay_version(installation, chosen, slots)) as replayed,
        click.progressbar(
            replayed, length=len(slots), label=chosen.label, update_min_steps=100,
            item_show_func=lambda _: f"{told.slots_per_second:.0f} slots/s",
        ) as bar,
    ):  # fmt: skip
        for one in bar:
            told.after(one)
    click.echo(str(told))
    if told.missed:
        click.echo(f"{told.missed} missed, first {told.first_miss}")
    with installation.connect() as connection:
        scored = score_resolved(connection, installation.clock(), [chosen.id])
        update_performance(
            connection, installation.clock(), installation.live_deadline, [chosen.signal_id],
            everything=True,
        )  # fmt: skip
    click.echo(f"{scored} scores")
    verdict = audit_replay(installation, chosen, slots, count=audit)
    click.echo(f"audit: {verdict.verdict}")
    if verdict.differing:
        raise SystemExit(1)


@commands.add(
    click.option("--slot", type=HOUR, help="UTC; the current hour if not given."), home_option
)
def tick(slot: datetime | None, root: Path | None) -> None:
    """Run one slot by hand, without Dagster: every live version that owes it."""
    installation = installation_at(root)
    at = slot.replace(tzinfo=UTC) if slot else floor_hour(installation.clock())
    with installation.connect() as connection:
        owed = due_slots(connection, installation.clock()).get(at, [])
        versions = [v for v in published_versions(connection) if v.id in owed]
    if not versions:
        click.echo(f"nothing is owed at {at:%Y-%m-%d %H:%M} UTC")
        return
    with closing(installation.engine()) as engine:
        for batch in run_slot(installation, engine, versions, at):
            for version, done in batch:
                click.echo(f"{version.label}: {done.reason or done.provenance}")


@commands.add(click.argument("action", type=click.Choice(["make-operator", "remove-totp"])),
              click.argument("email"), home_option)  # fmt: skip
def user(action: str, email: str, root: Path | None) -> None:
    """Make an account an operator, or remove its lost second factor; be sure who asks for that."""
    owner = owner_at(root)
    if action == "make-operator":
        make_operator(owner, email)
        click.echo(f"{email} is an operator")
    else:
        remove_totp(owner, email)
        click.echo(f"{email} signs in with the password alone, anew")


def _version(installation: Installation, label: str) -> PublishedVersion:
    with installation.connect() as connection:
        versions = {version.label: version for version in published_versions(connection)}
    if label not in versions:
        known = ", ".join(versions) or "none yet"
        raise ValueError(f"no version {label!r}; published are: {known}")
    return versions[label]
