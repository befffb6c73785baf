"""How the operator's commands are made: their list, shared options, and our errors as messages."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from assets.installation import Installation
from assets.market_data.source import SourceError
from pipelines.operator.home import Home, default_root
from pipelines.operator.house import InterruptedByOperatorError
from pipelines.resources import installation_of
from pipelines.settings import WorkerSettings
from sandbox.registry.errors import BuildError
from sandbox.runner.errors import SandboxError
from sql.configuration import ConfigurationError, read_settings

HOUR = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


class Commands(list[click.Command]):
    """Collects commands, and turns our errors into messages."""

    def add(self, *options: Callable[[Any], Any], name: str | None = None) -> Callable[..., Any]:
        """A decorator that makes a command of a function, and adds it."""

        def decorate(function: Callable[..., Any]) -> click.Command:
            def run(*args: Any, **kwargs: Any) -> None:
                try:
                    function(*args, **kwargs)
                except (
                    BuildError, ConfigurationError, SandboxError, SourceError, RuntimeError,
                    ValueError,
                ) as error:  # fmt: skip
                    raise click.ClickException(str(error)) from error
                except (KeyboardInterrupt, InterruptedByOperatorError):
                    click.echo("stopped", err=True)

            run.__doc__ = function.__doc__
            run.__name__ = function.__name__
            for option in reversed(options):
                run = option(run)
            command = click.command(name=name or function.__name__.replace("_", "-"))(run)
            self.append(command)
            return command

        return decorate


home_option = click.option(
    "--home", "root", type=click.Path(path_type=Path), envvar="SIGNALBOX_HOME",
    help="Folder of the installation.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document.")


def installation_at(root: Path | None) -> Installation:
    """The worker's installation: as the environment says, or as it runs in a folder."""
    environment = dict(os.environ)
    if "SIGNALBOX_DATABASE_URL" not in environment:
        home = Home(root or default_root("main"))
        environment |= home.kept_environment()
    return installation_of(read_settings(WorkerSettings, environment))
