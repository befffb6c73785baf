"""What a route demands of who asks. Every route names exactly one of these.

Somebody else's noun is refused by its path alone, whether or not it exists, so
that a refusal tells nobody what there is.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from api.auth.caller import Caller, Scope
from api.installation import Installation, not_signed_in
from api.problems import Problem

Connection = ASGIConnection[Any, Any, Any, Any]


def anyone(connection: Connection, handler: BaseRouteHandler) -> None:
    """Open to everyone, deliberately."""


def anyone_with(*scopes: Scope) -> Guard:
    """Open to everyone; whoever says who they are by an API key needs one of these scopes."""

    def guard_anyone_with(connection: Connection, _: BaseRouteHandler) -> None:
        if connection.scope.get("user") is not None:
            _demand(connection, scopes)

    return guard_anyone_with


def signed_in(*scopes: Scope) -> Guard:
    """A person, or their API key with one of these scopes; no scope: no API key at all."""

    def guard_signed_in(connection: Connection, _: BaseRouteHandler) -> None:
        _demand(connection, scopes)

    return guard_signed_in


def any_credential(connection: Connection, _: BaseRouteHandler) -> None:
    """A person, or any API key of theirs."""
    _demand(connection, ("read", "push"))


def owner(*scopes: Scope) -> Guard:
    """The provider in the path."""

    def guard_owner(connection: Connection, _: BaseRouteHandler) -> None:
        caller = _demand(connection, scopes)
        _demand_owner(connection, caller)

    return guard_owner


def owner_or_operator(*scopes: Scope) -> Guard:
    """The provider in the path, or an operator of this installation."""

    def guard_owner_or_operator(connection: Connection, _: BaseRouteHandler) -> None:
        caller = _demand(connection, scopes)
        if caller.is_operator and caller.handle != connection.path_params["provider"]:
            _demand_second_factor(connection, caller)
        elif not caller.is_operator:
            _demand_owner(connection, caller)

    return guard_owner_or_operator


def operator(connection: Connection, _: BaseRouteHandler) -> None:
    """An operator of this installation, signed in with a password."""
    caller = _demand(connection, ())
    if not caller.is_operator:
        raise Problem("not_operator", "Ask an operator of this installation to do it.")
    _demand_second_factor(connection, caller)


def _demand(connection: Connection, scopes: tuple[Scope, ...]) -> Caller:
    caller: Caller | None = connection.scope.get("user")
    if caller is None:
        raise not_signed_in()
    if caller.scopes is None or caller.scopes & set(scopes):
        return caller
    if not scopes:
        raise Problem(
            "insufficient_scope",
            "No API key may do this: sign in by POST /v1/auth/login and send its access token.",
        )
    raise Problem(
        "insufficient_scope",
        f"This needs an API key with scope {' or '.join(scopes)}; make one by POST /v1/api-keys.",
    )


def _demand_second_factor(connection: Connection, operator: Caller) -> None:
    installation: Installation = connection.app.state.installation
    if installation.settings.operators_must_have_totp and not operator.has_totp:
        raise Problem(
            "totp_required_for_operators",
            "Enrol by POST /v1/auth/totp, then sign in with a code. API keys do not do here.",
        )


def _demand_owner(connection: Connection, caller: Caller) -> None:
    provider = connection.path_params["provider"]
    if caller.handle != provider:
        raise Problem(
            "not_owner", f"Only {provider} may do this; you are signed in as {caller.handle}."
        )
