"""The platform's own baselines, published as everybody's signals are: by git push, by an account.

Nothing of the platform knows them but by their names: they run in the sandbox, miss hours, and
are on the log like any other. Only their manifests are filled in, with the symbols of the house.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from assets.forecasts.version import PublishedVersion, published_versions
from assets.installation import Installation
from pipelines.operator.command_list import Commands, home_option, installation_at
from pipelines.operator.demo_people import Client, Person, push_example
from pipelines.operator.home import CHECKOUT, Ports
from signalbox import parse_manifest

Say = Callable[[str], None]

HANDLE = "signalbox"
BASELINES = ("baseline-naive", "baseline-seasonal-naive", "baseline-drift")
SYMBOLS_LINE = re.compile(r"^symbols = \[.*\]$", re.MULTILINE)

commands = Commands()


@commands.add(
    click.option("--key-file", required=True, type=click.Path(path_type=Path, exists=True),
                 help="Holds an API key of the account, with scopes read and push."),
    click.option("--handle", default=HANDLE, show_default=True, help="The account's handle."),
    click.option("--symbol", "symbols", multiple=True,
                 help="Forecast these; every instrument there is by default."),
    click.option("--port", default=8700, show_default=True, help="First of the four ports."),
    home_option,
)  # fmt: skip
def baselines(
    key_file: Path, handle: str, symbols: tuple[str, ...], port: int, root: Path | None
) -> None:
    """Publish naive, seasonal naive and drift over the installation's symbols, by git push.

    Called again it publishes the next version of those whose symbols have changed.
    """
    ports, key = Ports(port), key_file.read_text().strip()
    publisher = Person(handle=handle, email=f"{handle}@localhost", password="", key=key)
    client = Client(f"http://127.0.0.1:{ports.api}", publisher)
    publish_baselines(
        installation_at(root), f"http://127.0.0.1:{ports.git}", publisher, client.publish,
        click.echo, symbols,
    )  # fmt: skip


def publish_baselines(
    installation: Installation,
    git_url: str,
    publisher: Person,
    make_public: Callable[[str], None],
    say: Say,
    symbols: Sequence[str] = (),
    names: Sequence[str] = BASELINES,
) -> None:
    """Push and make public each baseline that is not there yet, or has other symbols.

    Args:
        installation: whose symbols and versions are read.
        git_url: where pushes go.
        publisher: the account, with a key that may push.
        make_public: is told the signal, by its full name.
        say: is told what git prints.
        symbols: to forecast; every instrument there is by default.
        names: of the baselines.

    Raises:
        RuntimeError: a push was refused, or the API did not make a signal public.
        ValueError: there are no symbols, or more than a manifest or an answer holds.
    """
    wanted = tuple(symbols) or known_symbols(installation)
    if not wanted:
        raise ValueError("no symbols are known: ingest bars first")
    with installation.connect() as connection:
        there = {
            version.name: version
            for version in published_versions(connection)
            if version.provider == publisher.handle
        }
    for name in names:
        last = there.get(name)
        if last is not None and last.manifest.forecast.symbols == wanted:
            say(f"{last.label} is published already, with these symbols")
            continue
        tag = following(last)
        say(f"git push {name} {tag}")
        with tempfile.TemporaryDirectory() as scratch:
            folder = filled_in(CHECKOUT / "examples" / name, Path(scratch) / name, wanted)
            push_example(folder, git_url, publisher, say, tag=tag, goes_on=last is not None)
        make_public(f"{publisher.handle}/{name}")


def known_symbols(installation: Installation) -> tuple[str, ...]:
    """Every instrument of the installation, by name."""
    with installation.connect() as connection:
        rows = connection.execute("select symbol from market.instrument order by symbol")
        return tuple(symbol for (symbol,) in rows)


def following(last: PublishedVersion | None) -> str:
    """The tag to publish as: v1.0.0, or the next minor version."""
    if last is None:
        return "v1.0.0"
    major, minor, _ = last.version.removeprefix("v").split(".")
    return f"v{major}.{int(minor) + 1}.0"


def filled_in(example: Path, folder: Path, symbols: Sequence[str]) -> Path:
    """A copy of an example whose manifest names these symbols.

    Raises:
        ManifestError: it does not hold so many; name those that matter with --symbol.
    """
    shutil.copytree(example, folder, ignore=shutil.ignore_patterns("__pycache__"))
    manifest = folder / "signal.toml"
    text, replaced = SYMBOLS_LINE.subn(f"symbols = {json.dumps(list(symbols))}",
                                       manifest.read_text())  # fmt: skip
    if replaced != 1:
        raise ValueError(f"{example / 'signal.toml'} has {replaced} lines of symbols, not one")
    parse_manifest(text)
    manifest.write_text(text)
    return folder
