"""The operator's side of the log: its key, and whether it is public."""

import os
from pathlib import Path

import click
import msgspec

from assets.transparency.anchors import anchors, read_roots
from assets.transparency.signer.folder import SignerFolder
from assets.transparency.signer.signer import recover
from pipelines.operator.command_list import (
    Commands,
    home_option,
    installation_at,
    json_option,
)
from pipelines.operator.home import Home, default_root

commands = Commands()

ROTATED = (
    "Both keys sign from now on. Add the new one to every policy file, as a second line `log`;"
    " when all verifiers have it: signalbox signer retire"
)
CONFIRM = (
    "This tells the signer what it signed last. Be sure that nobody has a newer checkpoint: ask the"
    " witnesses and monitors. Then call it again with --yes"
)


@commands.add(
    click.argument("action", type=click.Choice(["status", "rotate", "retire", "recover"])),
    click.option("--checkpoint", type=click.Path(path_type=Path, exists=True, dir_okay=False),
                 help="For recover: the newest signed checkpoint that anybody has."),
    click.option("--yes", is_flag=True, help="For recover: I have asked everybody who could know."),
    home_option,
)  # fmt: skip
def signer(action: str, checkpoint: Path | None, *, yes: bool, root: Path | None) -> None:
    """The log's key: show it, make the next, retire the oldest, recover a lost state."""
    folder = SignerFolder(_signer_folder(root))
    if action == "rotate":
        click.echo(f"new key  {folder.rotate().verifier.vkey}\n{ROTATED}")
    elif action == "retire":
        click.echo(f"retired  {folder.retire().verifier.vkey}")
    elif action == "recover":
        if checkpoint is None:
            raise ValueError("name the newest checkpoint there is, with --checkpoint FILE")
        if not yes:
            raise ValueError(CONFIRM)
        state = recover(folder, checkpoint.read_bytes())
        click.echo(f"the signer goes on from size {state.size}; nothing has to be restarted")
    for key in folder.signing_keys():
        click.echo(f"key      {key.verifier.vkey}")
    state = folder.state()
    click.echo(f"signed   size {state.size}, root {state.root.hex()}")


@commands.add(
    click.option("--roots", type=click.Path(path_type=Path, exists=True, dir_okay=False),
                 envvar="SIGNALBOX_LOG_TSA_ROOTS", required=True,
                 help="PEM file: certificates of the authorities to believe."),
    json_option, home_option, name="anchors",
)  # fmt: skip
def show_anchors(roots: Path, *, as_json: bool, root: Path | None) -> None:
    """Every time-stamp over the log's checkpoints, checked again; exits with 1 if one fails."""
    with installation_at(root).connect() as connection:
        found = list(anchors(connection, read_roots(roots)))
    if as_json:
        click.echo(msgspec.json.encode(found))
    for one in () if as_json else found:
        held = one.fault or "holds"
        click.echo(
            f"size {one.size}  {one.stamped_at:%Y-%m-%d %H:%M:%S} UTC  {one.authority}: {held}"
        )
    if any(one.fault for one in found):
        raise SystemExit(1)


def _signer_folder(root: Path | None) -> Path:
    given = os.environ.get("SIGNALBOX_SIGNER_FOLDER")
    folder = Path(given) if given else Home(root or default_root("main")).signer
    if not folder.is_dir():
        raise ValueError(f"no signer in {folder}: name the installation's folder with --home")
    return folder
