"""Passwords in files of their own, beside URLs that hold none.

A URL stands in environments, which `docker inspect` and `/proc` show to more people than
the database should know. With `SIGNALBOX_DATABASE_PASSWORD_FILE` it names only where the
database is, and the file's mode says who may enter.
"""

import stat
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, urlsplit


class PasswordError(ValueError):
    """A password cannot be had; names the setting, the file, and what to do."""


def read_password(variable: str, path: Path) -> str:
    """The password in a file, without white space around it.

    Args:
        variable: the setting that named the file, for the message.
        path: readable by its owner, and at most by its group.

    Raises:
        PasswordError: the file is missing, empty, of several words, or open to others.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PasswordError(f"{variable}: {path} cannot be read: {error}") from None
    if mode & stat.S_IRWXO:
        raise PasswordError(
            f"{variable}: {path} is open to every user of the machine; chmod o= {path}"
        )
    if not text or not text.isprintable() or " " in text:
        raise PasswordError(f"{variable}: {path} must hold one password, without spaces")
    return text


def with_password(url: str, variable: str, path: str | None) -> str:
    """A URL with the password of the file that `variable` names; as it is where none is named.

    Raises:
        PasswordError: no password in the file, no user in the URL, or a password in both.

    >>> with_password("postgresql://ada@db/signalbox", "SIGNALBOX_DATABASE_PASSWORD_FILE", None)
    'postgresql://ada@db/signalbox'
    """
    if not path:
        return url
    parts = urlsplit(url)
    user, _, present = parts.netloc.rpartition("@")[0].partition(":")
    if present:
        raise PasswordError(f"{variable} is set, but the URL holds a password, too: remove one")
    if not user:
        raise PasswordError(f"{variable} is set, but the URL names no user: postgresql://USER@HOST")
    password = quote(read_password(variable, Path(path)), safe="")
    host = parts.netloc.rpartition("@")[2]
    # Not by urlunsplit: it drops the slashes of a URL without a host.
    return url.replace(f"//{parts.netloc}", f"//{user}:{password}@{host}", 1)


def read_passwords(variable: str, folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The password of each name, from the file of that name.

    Raises:
        PasswordError: one is missing, or as for `read_password`.
    """
    return {name: read_password(variable, folder / name) for name in names}
