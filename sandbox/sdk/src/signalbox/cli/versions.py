"""What became of one's versions, and turning them and their signal on and off."""

from pathlib import Path
from typing import Any

import click
import msgspec

from signalbox.cli.credentials import current_login
from signalbox.cli.folder import json_option, read_folder
from signalbox.cli.platform import Platform

signal_option = click.option(
    "--signal", "signal", metavar="PROVIDER/NAME", help="Else the one of this folder."
)


@click.command()
@signal_option
@json_option
def versions(signal: str | None, *, as_json: bool) -> None:
    """List the versions of a signal, newest first."""
    found = _get(signal, "/versions")["items"]
    if as_json:
        _print(found)
        return
    for one in found:
        report = one["leak_report"]
        leak = report["verdict"].replace("_", " ") if report else "not examined"
        facts = {True: "deterministic", False: "NOT deterministic", None: "not examined"}
        at = (one["published_at"] or one["reserved_at"])[:16].replace("T", " ")
        line = f"{one['version']:<10} {one['state']:<9} {at} UTC"
        if one["state"] in ("building", "rejected"):
            click.echo(f"{line}  {one['why'] or ''}".rstrip())
        else:
            click.echo(f"{line}  {facts[one['deterministic']]}, leak report: {leak}")
    if not found:
        click.echo("no version yet; `signalbox push v0.1.0` publishes one")


@click.command()
@click.argument("version")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 100))
@signal_option
@json_option
def logs(version: str, limit: int, signal: str | None, *, as_json: bool) -> None:
    """What VERSION printed in its last hours, newest first, and why it missed any."""
    found = _get(signal, f"/versions/{version}/logs", limit=limit)["items"]
    if as_json:
        _print(found)
        return
    for one in found:
        at = one["as_of"][:16].replace("T", " ")
        click.echo(f"{at} UTC  {one['provenance']}  {one['reason'] or ''}".rstrip())
        for line in one["log"].splitlines():
            click.echo(f"    {line}")
    if not found:
        click.echo("no hour was run yet")


def _moving(name: str, words: str) -> click.Command:
    @click.command(name, help=f"{words} It holds from the next hour on.")
    @click.argument("version")
    @signal_option
    @json_option
    def move(version: str, signal: str | None, *, as_json: bool) -> None:
        moved = _post(signal, f"/versions/{version}/{name}")
        _tell(moved, f"{moved['signal']}@{moved['version']} is {moved['state']}", as_json=as_json)

    return move


def _showing(name: str, route: str, words: str) -> click.Command:
    @click.command(name, help=words)
    @signal_option
    @json_option
    def show(signal: str | None, *, as_json: bool) -> None:
        shown = _post(signal, route)
        _tell(shown, f"{shown['signal']} is {shown['visibility']}", as_json=as_json)

    return show


offline = _moving("offline", "Stop running VERSION.")
live = _moving("live", "Run VERSION again.")
public = _showing("public", "/publish", "List the signal in the catalogue, open to subscribers.")
private = _showing(
    "private", "/unpublish", "Take the signal out of the catalogue; who subscribed reads on."
)


def _get(signal: str | None, path: str, **parameters: Any) -> Any:
    platform, base = _signal(signal)
    return platform.get(base + path, **parameters)


def _post(signal: str | None, path: str) -> Any:
    platform, base = _signal(signal)
    return platform.post(base + path)


def _signal(signal: str | None) -> tuple[Platform, str]:
    login = current_login()
    if signal is None:
        signal = f"{login.handle}/{read_folder(Path()).manifest.signal.name}"
    if len(signal.split("/")) != len(("provider", "name")):
        raise click.BadParameter(f"{signal!r} is not PROVIDER/NAME", param_hint="--signal")
    return Platform.of(login), f"/v1/signals/{signal}"


def _tell(found: Any, text: str, *, as_json: bool) -> None:
    if as_json:
        _print(found)
    else:
        click.echo(text)


def _print(found: Any) -> None:
    click.echo(msgspec.json.encode(found).decode())
