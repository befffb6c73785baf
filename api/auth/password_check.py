"""Whoever shows a password: at login, and again before what cannot be undone."""

import uuid
from typing import Any

import psycopg
from litestar import Request

from api import audit
from api.auth import accounts, login_throttle
from api.auth.accounts import UserWithHash
from api.auth.login_throttle import Attempt
from api.auth.networks import seen
from api.installation import Context, not_signed_in
from api.problems import Problem
from sql.session import act_as


async def check(
    context: Context,
    request: Request[Any, Any, Any],
    email: str,
    password: str,
    device_token: str | None = None,
) -> tuple[UserWithHash, Attempt]:
    """Whose password it is. The attempt stays counted until it is found right as a whole.

    Raises:
        Problem: invalid_credentials, too_many_attempts or passwords_busy.
    """
    passwords = context.installation.passwords
    passwords.demand_room()
    async with context.transaction() as connection:
        found = await accounts.by_email(connection, email)
        user_id = found.id if found else uuid.uuid4()
        await act_as(connection, user_id, context.now)
        network = seen(request).network
        attempt = await login_throttle.admit(
            connection, context, email, user_id, network, device_token
        )
    # The connection is back in the pool while the password is being checked.
    right = await passwords.verify(found.password_hash if found else None, password)
    if found is None or not right:
        async with context.transaction() as connection:
            await note_failure(connection, context, found)
        raise wrong()
    return found, attempt


def wrong() -> Problem:
    return Problem("invalid_credentials", "Check the e-mail address and the password.")


async def check_own(
    context: Context, request: Request[Any, Any, Any], password: str
) -> UserWithHash:
    """The password of who is signed in, once more: a stolen access token does not know it.

    Raises:
        Problem: as `check`.
    """
    person, attempt = await check_own_first(context, request, password)
    async with context.transaction() as connection:
        await login_throttle.was_right(connection, attempt)
    return person


async def check_own_first(
    context: Context, request: Request[Any, Any, Any], password: str
) -> tuple[UserWithHash, Attempt]:
    """As `check_own`, where more is asked for before the attempt is right as a whole."""
    async with context.transaction() as connection:
        person = await accounts.by_id(connection, context.person.user_id)
    if person is None:
        raise not_signed_in()
    return await check(context, request, person.email, password)


async def note_failure(
    connection: psycopg.AsyncConnection, context: Context, found: UserWithHash | None
) -> None:
    """Audited for unknown accounts as well: an answer that takes as long tells nothing."""
    subject = str(found.id) if found else "unknown account"
    await audit.record(
        connection, context.now, None, "login.failed", subject, found.id if found else None
    )
