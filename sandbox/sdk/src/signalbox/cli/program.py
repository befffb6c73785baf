"""The command line's root, and how other distributions add to it."""

import sys
from importlib.metadata import entry_points

import click

from signalbox.cli.check import check

GROUP = "signalbox.commands"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="signalbox")
def root() -> None:
    """Publish, read and operate forecasting signals.

    Exit codes: 0 done, 1 refused or failed (the message says what to do),
    2 the command was used wrongly.
    """


def main() -> None:
    """Run the command line; every distribution's commands are there."""
    root.add_command(check)
    for entry in entry_points(group=GROUP):
        for command in entry.load():
            root.add_command(command)
    try:
        root.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(1)
