"""`signalbox login`: keep an API key for a platform."""

import os
import platform as machine
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec

from signalbox.cli.credentials import Login, keep, login_or_none
from signalbox.cli.folder import json_option
from signalbox.cli.git import Repository
from signalbox.cli.platform import Platform, RefusedError
from signalbox.manifest import ManifestError, parse_manifest

SCOPES = ("read", "push")


@click.command()
@click.argument("url", required=False)
@click.option("--email", help="Sign in with a password, and make a new key.")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read key or password from stdin.")
@json_option
def login(url: str | None, email: str | None, *, from_stdin: bool, as_json: bool) -> None:
    """Log in to the platform at URL with an API key, or with --email and its password.

    Key and password are asked for, or read from stdin; never taken as an argument.
    The key is kept in $XDG_CONFIG_HOME/signalbox/credentials.json, mode 0600. In a
    signal's folder, the git remote `platform` is set up as well.
    """
    address = _address(url)
    key = _new_key(address, email, from_stdin) if email else _secret("API key", from_stdin)
    me = Platform(address, key).get("/v1/auth/me")
    kept = Login(address, me["git_url"].rstrip("/"), me["handle"], key)
    path = keep(kept)
    remote = _set_up_here(kept)
    if as_json:
        told = {"api_url": address, "handle": kept.handle, "file": str(path), "remote": remote}
        click.echo(msgspec.json.encode(told).decode())
        return
    click.echo(f"logged in to {address} as {kept.handle}")
    click.echo(f"key kept in {path}")
    if remote:
        click.echo(f"remote platform is {remote}")


def _address(url: str | None) -> str:
    before = login_or_none()
    address = (url or (before.api_url if before else "")).rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
        raise click.BadParameter(
            "give the platform's address, such as https://signalbox.example", param_hint="URL"
        )
    return address


def _secret(name: str, from_stdin: bool) -> str:
    if from_stdin:
        secret = sys.stdin.readline().strip()
    else:
        secret = click.prompt(name, hide_input=True, err=True).strip()
    if not secret:
        raise click.ClickException(f"no {name} was given; call `signalbox login` again")
    return str(secret)


def _new_key(address: str, email: str, from_stdin: bool) -> str:
    password = _secret("password", from_stdin)
    signed_in = _sign_in(address, {"email": email, "password": password}, from_stdin)
    name = f"signalbox on {machine.node() or os.name}"[:80]
    made = Platform(address, signed_in["access_token"]).post(
        "/v1/api-keys", {"name": name, "scopes": list(SCOPES)}
    )
    return str(made["key"])


def _sign_in(address: str, shown: dict[str, str], from_stdin: bool) -> Any:
    platform = Platform(address)
    try:
        return platform.post("/v1/auth/login", shown)
    except RefusedError as refused:
        if refused.code != "totp_required":
            raise
    shown["totp"] = _secret("code of your authenticator", from_stdin)
    return platform.post("/v1/auth/login", shown)


def _set_up_here(kept: Login) -> str | None:
    """The remote's address, where this folder is a signal's repository."""
    manifest = Path("signal.toml")
    repository = Repository.at(Path())
    if not manifest.is_file() or repository is None:
        return None
    try:
        name = parse_manifest(manifest.read_text()).signal.name
    except (ManifestError, UnicodeDecodeError):
        return None
    return repository.set_up(kept, name)
