"""The operator's side of what versions are made of: images, packages, advisories."""

from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import click
import msgspec
import psycopg

from pipelines.operator.command_list import Commands, home_option, installation_at, json_option
from pipelines.operator.home import Home, default_root
from pipelines.operator.house import owner_at
from sandbox.registry.advisories import accept, import_advisories, newest_database
from sandbox.registry.image import ImageStore
from sandbox.registry.integrity import check_images
from sandbox.registry.packages import Verdict, add_rule, rules
from sql.clock import system_clock
from sql.roles import conninfo

commands = Commands()

why_option = click.option("--why", default="", help="Kept, and told to those who are refused.")


@commands.add(
    click.argument("action", type=click.Choice(["base", "check"])),
    click.option("--from", "image_reference", metavar="IMAGE@sha256:...",
                 help="base: take Python from this image, by digest, now and from now on."),
    click.option("--debian", is_flag=True, help="base: take Debian's packages again."),
    json_option,
    home_option,
)  # fmt: skip
def image(
    action: Literal["base", "check"],
    *,
    image_reference: str | None,
    debian: bool,
    as_json: bool,
    root: Path | None,
) -> None:
    """Build the base layer (base), or hash every published image (check).

    base prints the layer's digest. check exits with 1 where something was altered; versions that
    stand on it are offline until it is restored and check was run again.
    """
    if action == "base":
        _build_base(Home(root or default_root("main")), image_reference, debian=debian)
    else:
        _check(root, as_json=as_json)


def _build_base(home: Home, image_reference: str | None, *, debian: bool) -> None:
    home.prepare()
    store = ImageStore(home.images)
    if image_reference is not None or debian:
        store.choose_base(image_reference)
    click.echo(store.base())


def _check(root: Path | None, *, as_json: bool) -> None:
    installation = installation_at(root)
    with installation.connect() as connection:
        checked = check_images(installation.images, connection)
    if as_json:
        click.echo(msgspec.json.encode(checked))
    else:
        click.echo(f"{checked.images} images of {checked.layers} layers")
        for finding in (*checked.altered, *checked.mended):
            click.echo(f"{finding.verdict}: {finding.subject}: {finding.detail}")
    if checked.altered:
        raise SystemExit(1)


@commands.add(
    click.argument("action", type=click.Choice(["allow", "deny", "forget", "list"])),
    click.argument("names", nargs=-1),
    why_option,
    json_option,
    home_option,
)
def packages(
    action: Literal["allow", "deny", "forget", "list"],
    names: tuple[str, ...],
    *,
    why: str,
    as_json: bool,
    root: Path | None,
) -> None:
    """The list of packages that locks may hold: allow, deny or forget NAMES, or list.

    While the list allows any name, it is closed: nothing else may be locked.
    """
    if (action == "list") == bool(names):
        raise click.UsageError("list takes no name; allow, deny and forget take at least one")
    verdicts: dict[str, Verdict] = {"allow": "allow", "deny": "deny"}
    with _as_owner(root) as connection, connection.transaction():
        for name in names:
            add_rule(connection, name, verdicts.get(action, "none"), why, system_clock())
        listed = rules(connection)
    if as_json:
        click.echo(msgspec.json.encode(listed))
        return
    for rule in listed:
        click.echo(f"{rule.verdict:6} {rule.name:30} {rule.why}".rstrip())
    is_closed = any(rule.verdict == "allow" for rule in listed)
    click.echo("only what is allowed may be locked" if is_closed else "all else may be locked")


@commands.add(
    click.argument("action", type=click.Choice(["import", "accept", "list"])),
    click.argument("what", required=False),
    why_option,
    json_option,
    home_option,
)
def advisories(
    action: Literal["import", "accept", "list"],
    what: str | None,
    *,
    why: str,
    as_json: bool,
    root: Path | None,
) -> None:
    """Known weaknesses: import FILE (OSV: zip, folder or JSON), accept ID, or list.

    An import replaces the one before. What is accepted no longer refuses a build.
    """
    if (action == "list") == (what is not None):
        raise click.UsageError("list takes nothing; import takes a file, accept an advisory's id")
    if action == "accept" and not why:
        raise click.UsageError("accept needs --why: others will ask")
    with _as_owner(root) as connection:
        if action == "import":
            import_advisories(connection, Path(str(what)), system_clock())
        elif action == "accept":
            accept(connection, str(what), why, system_clock())
        database = newest_database(connection)
    if as_json:
        click.echo(msgspec.json.encode(database))
    elif database is None:
        click.echo("no database: versions are published unscanned, which they say")
    else:
        click.echo(
            f"{database.advisories} advisories of {database.source}, the newest of"
            f" {_day(database.newest)}, imported on {_day(database.at)}"
        )


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at else "an unknown day"


def _as_owner(root: Path | None) -> closing[psycopg.Connection[Any]]:
    """Rules are the operator's: no role of a process may write them."""
    return closing(psycopg.connect(conninfo(owner_at(root)), autocommit=True))
