"""The operator's side of data-source keys: the key pairs that they are sealed to."""

import os
from pathlib import Path
from typing import Literal

import click
import msgspec
import psycopg

from pipelines.operator.command_list import Commands, home_option, installation_at, json_option
from pipelines.operator.home import Home, default_root
from sql.clock import system_clock
from sql.data_source_keys import count_by_key, rewrap_all
from sql.envelope import KeyRing, public_file

commands = Commands()

LOST = "lost: put its line back from a backup, or have the owners store their keys anew"


class PairStatus(msgspec.Struct, frozen=True):
    """One key pair: how many data-source keys are sealed to it, and whether we have it."""

    id: str
    sealed: int
    state: Literal["seals", "opens", "lost"]


@commands.add(
    click.argument("action", type=click.Choice(["status", "rotate", "retire"])),
    click.argument("key_id", required=False),
    json_option,
    home_option,
)
def data_keys(
    action: Literal["status", "rotate", "retire"],
    key_id: str | None,
    *,
    as_json: bool,
    root: Path | None,
) -> None:
    """The key pairs of data-source keys: show them, make the next, retire KEY_ID.

    rotate makes a pair and seals every stored key to it; retire does the same, then takes an
    older pair out of the file. status exits with 1 where a stored key's pair is lost.
    """
    if (action == "retire") != (key_id is not None):
        raise click.UsageError("retire takes the id of a key pair; the others take none")
    ring = KeyRing.read(key_pairs_at(root))
    with installation_at(root).connect() as connection:
        if action == "rotate":
            ring.rotate()
        if action != "status":
            _rewrap(connection, ring, quiet=as_json)
        if key_id is not None:
            ring.retire(key_id)
        found = _status(connection, ring)
    if as_json:
        click.echo(msgspec.json.encode(found))
    for one in () if as_json else found:
        said = LOST if one.state == "lost" else one.state
        click.echo(f"{one.id}  {one.sealed} keys  {said}")
    if any(one.state == "lost" for one in found):
        raise SystemExit(1)


def _rewrap(connection: psycopg.Connection, ring: KeyRing, *, quiet: bool) -> None:
    done = rewrap_all(connection, ring, system_clock())
    if not quiet:
        click.echo(f"{done} keys sealed anew; the API takes {public_file(ring.path)} by itself")


def _status(connection: psycopg.Connection, ring: KeyRing) -> list[PairStatus]:
    counts = count_by_key(connection)
    newest, *older = ring.ids
    known = [PairStatus(newest, counts.get(newest, 0), "seals")]
    known += [PairStatus(one, counts.get(one, 0), "opens") for one in older]
    lost = [PairStatus(one, n, "lost") for one, n in counts.items() if one not in ring.ids]
    return known + lost


def key_pairs_at(root: Path | None) -> Path:
    """The file of key pairs: as the environment says, or of an installation's folder."""
    given = os.environ.get("SIGNALBOX_DATA_KEY_FILE")
    return Path(given) if given else Home(root or default_root("main")).data_keys
