"""Settings of a process, read from its environment into a strict struct.

`docs/operations/configuration.md` lists them all; a test holds the two together.
"""

import os
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from sql.passwords import PasswordError, with_password

PREFIX = "SIGNALBOX_"
PASSWORD_FILE = "SIGNALBOX_DATABASE_PASSWORD_FILE"  # noqa: S105 - its name
ADMIN_PASSWORD_FILE = "SIGNALBOX_ADMIN_DATABASE_PASSWORD_FILE"  # noqa: S105 - its name

S = TypeVar("S", bound=msgspec.Struct)


class ConfigurationError(ValueError):
    """A setting is missing or wrong; names the variable and what it should be."""


def read_settings(kind: type[S], environment: Mapping[str, str] | None = None) -> S:
    """Fill `kind` from variables named SIGNALBOX_ and the field in capitals.

    A `database_url` without a password gets that of SIGNALBOX_DATABASE_PASSWORD_FILE.

    Raises:
        ConfigurationError: naming the variable.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, str] = {}
    for field in msgspec.structs.fields(kind):
        variable = PREFIX + field.name.upper()
        if environment.get(variable):
            values[field.name] = environment[variable]
        elif field.required:
            raise ConfigurationError(f"{variable} is not set; see docs/operations/configuration.md")
    if "database_url" in values:
        values["database_url"] = database_url(values["database_url"], environment)
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$.")
        variable = PREFIX + path.rstrip("`").upper()
        raise ConfigurationError(f"{variable}: {problem}") from None


def database_url(
    url: str, environment: Mapping[str, str] | None = None, variable: str = PASSWORD_FILE
) -> str:
    """A database's URL, with the password of the file that `variable` names, where it is set.

    Raises:
        ConfigurationError: naming variable and file.
    """
    environment = os.environ if environment is None else environment
    try:
        return with_password(url, variable, environment.get(variable))
    except PasswordError as error:
        raise ConfigurationError(str(error)) from None
