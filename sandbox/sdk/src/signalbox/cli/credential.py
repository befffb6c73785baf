"""`signalbox credential`: git's credential helper, so that no key stands in a URL."""

import sys

import click

from signalbox.cli.credentials import login_for_git


@click.command(hidden=True)
@click.argument("action")
def credential(action: str) -> None:
    """Answer git's question for a password; called by git itself."""
    if action != "get":
        return
    asked = dict(line.split("=", 1) for line in sys.stdin.read().splitlines() if "=" in line)
    login = login_for_git(asked.get("protocol", ""), asked.get("host", ""))
    if login is not None:
        click.echo(f"username={login.handle}\npassword={login.key}")
