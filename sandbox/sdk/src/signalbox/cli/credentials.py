"""What `signalbox login` keeps: handle and API key by platform, readable by their owner."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import click
import msgspec


class Login(msgspec.Struct, frozen=True):
    """Who one is on a platform.

    Attributes:
        api_url: of the platform, without a slash at the end.
        git_url: where its repositories are pushed to, likewise.
        handle: the first half of `provider/name`.
        key: secret.
    """

    api_url: str
    git_url: str
    handle: str
    key: str

    def __repr__(self) -> str:
        return f"Login({self.api_url!r}, {self.handle!r})"


class _Kept(msgspec.Struct):
    default: str | None = None
    platforms: dict[str, Login] = {}


def credentials_path() -> Path:
    """`$XDG_CONFIG_HOME/signalbox/credentials.json`."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "signalbox" / "credentials.json"


def keep(login: Login) -> Path:
    """Write down a login and make it the default; mode 0600 from its first byte on."""
    path = credentials_path()
    kept = _read()
    kept.platforms[login.api_url] = login
    kept.default = login.api_url
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_suffix(f".{os.getpid()}")
    fd = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(kept)))
    new.replace(path)
    return path


def login_or_none() -> Login | None:
    """The platform logged in to last."""
    kept = _read()
    return kept.platforms.get(kept.default) if kept.default else None


def current_login() -> Login:
    """The same.

    Raises:
        click.ClickException: nobody is logged in.
    """
    login = login_or_none()
    if login is None:
        raise click.ClickException("not logged in; call `signalbox login URL` first")
    return login


def login_for_git(protocol: str, host: str) -> Login | None:
    """Whose repositories lie at `protocol://host`."""
    for login in _read().platforms.values():
        address = urlsplit(login.git_url)
        if (address.scheme, address.netloc) == (protocol, host):
            return login
    return None


def _read() -> _Kept:
    path = credentials_path()
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Kept)
    except FileNotFoundError:
        return _Kept()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise click.ClickException(
            f"{path} cannot be read; remove it and call `signalbox login URL` again"
        ) from None
