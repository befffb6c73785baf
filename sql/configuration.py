"""Settings of a process, read from its environment into a strict struct.

`docs/operations/configuration.md` lists them all; a test holds the two together.
"""

import os
from collections.abc import Mapping
from typing import TypeVar

import msgspec

PREFIX = "SIGNALBOX_"

S = TypeVar("S", bound=msgspec.Struct)


class ConfigurationError(ValueError):
    """A setting is missing or wrong; names the variable and what it should be."""


def read_settings(kind: type[S], environment: Mapping[str, str] | None = None) -> S:
    """Fill `kind` from variables named SIGNALBOX_ and the field in capitals.

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
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$.")
        variable = PREFIX + path.rstrip("`").upper()
        raise ConfigurationError(f"{variable}: {problem}") from None
