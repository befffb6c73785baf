"""`signalbox push`: publish a version."""

import re
from pathlib import Path

import click
import msgspec

from signalbox.cli.credentials import current_login
from signalbox.cli.folder import json_option, read_folder
from signalbox.cli.git import Repository

VERSION = re.compile(r"v(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")
REMOTE_LINE = re.compile(r"^remote: ([a-z]+) {2,}(.+?)\s*$", re.MULTILINE)


@click.command()
@click.argument("version")
@json_option
def push(version: str, *, as_json: bool) -> None:
    """Publish this folder as VERSION, such as v0.1.0: tag it where it is not, push main and tag.

    The same as `git push platform VERSION`, with the folder checked first. With
    --json: what the platform said at the end, or the reason of its refusal.
    """
    if not VERSION.fullmatch(version):
        raise click.BadParameter("vMAJOR.MINOR.PATCH, such as v0.1.0", param_hint="VERSION")
    signal = read_folder(Path())
    login = current_login()
    repository = Repository.at(Path())
    if repository is None:
        raise click.ClickException("this folder is no git repository; call `git init -b main`")
    if not repository.has_tag(version):
        if not repository.is_clean:
            raise click.ClickException(f"there are changes that {version} would lack; commit first")
        repository.tag(version)
    repository.set_up(login, signal.manifest.signal.name)
    pushed = repository.push("main", version, quietly=as_json)
    if as_json:
        click.echo(msgspec.json.encode(_outcome(pushed.returncode, pushed.stderr)).decode())
    if pushed.returncode != 0:
        raise click.exceptions.Exit(1)


def _outcome(status: int, said: str) -> dict[str, object]:
    told = dict(REMOTE_LINE.findall(said))
    if status != 0:
        _, _, reason = said.partition("NOT PUBLISHED. The one thing to mend:")
        lines = [line.removeprefix("remote:").strip() for line in reason.splitlines()]
        mend = next((line for line in lines if line), said.strip())
        return {"published": False, "reason": mend}
    names = {"live": "version", "image": "image", "leaf": "leaf", "leak": "leak", "see": "url"}
    return {"published": True, **{name: told.get(line) for line, name in names.items()}}
