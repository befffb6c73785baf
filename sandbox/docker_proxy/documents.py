"""JSON of callers: read without a second meaning, and held against what it should be."""

import json
from typing import Any

from sandbox.docker_proxy.errors import RefusedError

# What clients write for "nothing said". False and 0 are said: they are compared.
NOTHING: tuple[Any, ...] = (None, "", [], {})


def read_document(body: bytes) -> dict[str, Any]:
    """An object whose names stand there once each.

    Raises:
        RefusedError: it is none.
    """
    found = read_json(body)
    if not isinstance(found, dict):
        raise RefusedError("body", "must be an object")
    return found


def read_json(body: bytes) -> Any:
    """JSON in whose objects every name stands once.

    Raises:
        RefusedError: it is none, or a number is none of JSON's.
    """
    try:
        return json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RefusedError("body", f"is no JSON: {type(error).__name__}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    folded: set[str] = set()
    for name, value in pairs:
        # The daemon takes `privileged` for `Privileged`.
        if name.casefold() in folded:
            raise RefusedError(f"body, {name[:64]!r}", "stands there twice")
        folded.add(name.casefold())
        found[name] = value
    return found


def _no_number(_: str) -> float:
    raise RefusedError("body", "has a number that is none of JSON's")


def require_equal(given: Any, expected: Any, field: str = "") -> None:
    """Refuse what is not the same, type by type, naming the first field that differs.

    Raises:
        RefusedError: of that field; never telling its value.
    """
    if isinstance(given, dict) and isinstance(expected, dict):
        for name in given:
            if name not in expected:
                raise RefusedError(_below(field, name), "must not be there")
        for name, value in expected.items():
            if name not in given:
                raise RefusedError(_below(field, name), "is missing")
            require_equal(given[name], value, _below(field, name))
    elif type(given) is not type(expected) or given != expected:
        raise RefusedError(field or "body", "is not what this socket is for")


def require_within(given: Any, expected: Any, field: str = "") -> None:
    """As `require_equal`, where a caller may also say nothing, or `false`, of a field.

    Raises:
        RefusedError: of the first field that says something else.
    """
    if isinstance(given, dict) and isinstance(expected, dict):
        for name, value in given.items():
            says_nothing = value in NOTHING or value is False
            # Of a field. A path or a network says something by being named.
            if says_nothing and (name in expected or name.isidentifier()):
                continue
            if name not in expected:
                raise RefusedError(_below(field, name), "must not be there")
            require_within(value, expected[name], _below(field, name))
    elif type(given) is not type(expected) or given != expected:
        raise RefusedError(field or "body", "is not what this socket is for")


def _below(field: str, name: str) -> str:
    name = name[:64] if name.isprintable() else repr(name[:64])
    return f"{field}.{name}" if field else name
