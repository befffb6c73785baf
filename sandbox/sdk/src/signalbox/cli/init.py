"""`signalbox init`: a signal that passes as it is."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click
import msgspec

from signalbox.cli.credentials import login_or_none
from signalbox.cli.folder import json_option, read_folder
from signalbox.cli.git import Repository
from signalbox.manifest import Name, Symbol

FIRST = "v0.1.0"
ENDING = ".txt"


@click.command()
@click.argument("name")
@click.option("--symbol", default="EURUSD", show_default=True, help="What to forecast.")
@json_option
def init(name: str, symbol: str, *, as_json: bool) -> None:
    """Write a new signal into folder NAME: model, manifest, test, and a first version.

    The folder becomes a git repository with one commit, tagged v0.1.0. After
    `signalbox login` its remote `platform` is set up too.
    """
    _check(name, Name, "NAME", "3 to 40 of a-z, 0-9 and -, beginning with a letter")
    _check(symbol, Symbol, "--symbol", "capital letters, digits and . _ -")
    folder = Path(name)
    if folder.exists():
        raise click.ClickException(f"{name} is there already; choose another name, or remove it")
    words = {"name": name, "title": name.replace("-", " ").capitalize(), "symbol": symbol}
    written = sorted(_write(files("signalbox") / "template", folder, words))
    signal = read_folder(folder)
    login = login_or_none()
    repository = Repository.made(folder, login)
    repository.commit_all("Begin with the template")
    repository.tag(FIRST)
    remote = repository.set_up(login, signal.manifest.signal.name) if login else None
    if as_json:
        told = {"folder": name, "files": written, "version": FIRST, "remote": remote}
        click.echo(msgspec.json.encode(told).decode())
        return
    for path in written:
        click.echo(f"wrote    {name}/{path}")
    click.echo(f"tagged   {FIRST}")
    if remote:
        click.echo(f"remote   platform is {remote}")
    then = f"git push platform {FIRST}" if remote else "signalbox login URL"
    click.echo(f"next     cd {name} && signalbox test && {then}")


def _write(template: Traversable, folder: Path, words: dict[str, str]) -> list[str]:
    """Files of the template; doubled braces in it are single ones."""
    folder.mkdir()
    written = []
    for entry in template.iterdir():
        name = entry.name.removesuffix(ENDING)
        if entry.is_dir():
            written += [f"{name}/{path}" for path in _write(entry, folder / name, words)]
        elif entry.name.endswith(ENDING):
            (folder / name).write_text(_filled(entry.read_text(), words))
            written.append(name)
    return written


def _filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(f"{{{word}}}", value)
    return text.replace("{{", "{").replace("}}", "}")


def _check(value: str, rule: object, where: str, words: str) -> None:
    try:
        msgspec.convert(value, rule)
    except msgspec.ValidationError:
        raise click.BadParameter(f"{value!r} is not {words}", param_hint=where) from None
