"""The command line's root, and how other distributions add to it."""

import sys
from importlib.metadata import entry_points

import click

from signalbox.cli.check import check
from signalbox.cli.credential import credential
from signalbox.cli.init import init
from signalbox.cli.login import login
from signalbox.cli.monitor import monitor
from signalbox.cli.push import push
from signalbox.cli.test import test
from signalbox.cli.verify import verify
from signalbox.cli.versions import live, logs, offline, private, public, versions
from signalbox.cli.witness import witness

GROUP = "signalbox.commands"
OWN = (
    check, credential, init, live, login, logs, monitor, offline, private, public, push, test,
    verify, versions, witness,
)  # fmt: skip


class Root(click.Group):
    """Our commands, and those of other distributions, loaded only when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands:
            self._load()
        return super().get_command(ctx, cmd_name)

    def _load(self) -> None:
        for entry in entry_points(group=GROUP):
            for command in entry.load():
                self.add_command(command)


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="signalbox")
def root() -> None:
    """Publish, read and operate forecasting signals.

    Exit codes: 0 done, 1 refused or failed (the message says what to do),
    2 the command was used wrongly, 3 the platform does not answer.
    """


for one in OWN:
    root.add_command(one)


def main() -> None:
    """Run the command line; every distribution's commands are there."""
    try:
        status = root.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(1)
    # What click makes of `Exit`; commands return nothing.
    sys.exit(status if isinstance(status, int) else 0)
