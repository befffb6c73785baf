"""`signalbox witness`: cosign a log's checkpoints as long as it only grows."""

import json
import signal
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from signalbox.log.errors import LogError
from signalbox.log.note import parse_vkey
from signalbox.log.policy import Party, Policy
from signalbox.log.serving import make_server
from signalbox.log.witness import Witness, init_folder

Folder = click.Path(file_okay=False, path_type=Path)


def cosigner(name: str, summary: str, opens: Callable[[Path], Witness]) -> click.Group:
    """The commands of a cosigner: init, run, show."""

    @click.group(name, help=summary)
    def group() -> None:
        pass

    @group.command()
    @click.argument("folder", type=Folder)
    @click.option("--name", "key_name", required=True, help="As witness.example.org/north.")
    @click.option("--log", "vkeys", multiple=True, required=True, help="Key of the log, a vkey.")
    @click.option("--url", help="Prefix of the log, as https://example.org/log.")
    def init(folder: Path, key_name: str, vkeys: tuple[str, ...], url: str | None) -> None:
        """Make FOLDER with a new key, and print the key's line for policies."""
        _make(folder, key_name, vkeys, url)

    @group.command()
    @click.argument("folder", type=Folder)
    @click.option("--host", default="127.0.0.1", show_default=True)
    @click.option("--port", type=int, default=8720, show_default=True)
    def run(folder: Path, host: str, port: int) -> None:
        """Answer POST /add-checkpoint until stopped; GET / says how far it is."""
        _serve(_open(folder, opens), host, port)

    @group.command()
    @click.argument("folder", type=Folder)
    @click.option("--json", "as_json", is_flag=True, help="One JSON object.")
    def show(folder: Path, *, as_json: bool) -> None:
        """What FOLDER's key follows, how far, and what it holds against a log."""
        _tell(_open(folder, opens), as_json=as_json)

    return group


def _make(folder: Path, key_name: str, vkeys: tuple[str, ...], url: str | None) -> None:
    try:
        logs = tuple(Party(parse_vkey(vkey), url) for vkey in vkeys)
        key = init_folder(folder, key_name, Policy(logs))
    except FileExistsError:
        raise click.ClickException(f"{folder} has a key already; choose another") from None
    except LogError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"witness {key_name.rpartition('/')[2]} {key.verifier.vkey}")


def _serve(witness: Witness, host: str, port: int) -> None:
    signal.signal(signal.SIGTERM, _stop)
    with make_server(witness, host, port) as server:
        click.echo(f"{witness.key.name} listens on {host}:{server.server_address[1]}")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("stopped")
    witness.close()


def _tell(witness: Witness, *, as_json: bool) -> None:
    status = witness.status()
    cases = {case: witness.evidence.read(case) for case in status.evidence}
    witness.close()
    if as_json:
        click.echo(json.dumps(asdict(status) | {"evidence": cases}))
        return
    click.echo(status.vkey)
    for origin, size in status.logs.items():
        click.echo(f"{origin}: {size} leaves cosigned")
    for case, files in cases.items():
        click.echo(f"evidence {case}: {files['why'].strip()}")


def _open(folder: Path, opens: Callable[[Path], Witness]) -> Witness:
    try:
        return opens(folder)
    except LogError as error:
        raise click.ClickException(str(error)) from None


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


witness = cosigner("witness", "Cosign a log's checkpoints as long as it only grows.", Witness)
