"""Slows down who guesses, without locking out whom they guess.

Theory of operation: attempts are counted before the password is looked at, so that
those made at once count like those made in turn. They are counted where they come
from (a network, or a device known by its token): twenty are free, then each waits,
eight seconds first and twice as long each time, up to fifteen minutes. Attempts from
what the account does not know are counted together as well: above thirty, one a minute
is let through, from however many addresses they come. Known is a network from which the
person signed in in the last ninety days, or a device that they signed in on; there only
its own count matters, so strangers elsewhere do not slow the person down.
docs/decisions/0023 says what this bounds. The rules are in `account.admit_login`.
"""

import hashlib
import hmac
import math
import uuid
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from api.auth import devices
from api.installation import Context
from api.problems import Problem

NETWORK_IS_KNOWN_FOR = timedelta(days=90)


@dataclass(frozen=True)
class Attempt:
    """An attempt that was let through and counted."""

    account: bytes
    source: str
    is_known: bool


async def admit(
    connection: psycopg.AsyncConnection,
    context: Context,
    email: str,
    user_id: uuid.UUID,
    network: str,
    device_token: str | None,
) -> Attempt:
    """Count an attempt and let it through.

    Args:
        connection: acts as that person; it must commit before the password is looked at.
        context: of the request; credentials live by the world's clock.
        email: what was tried, whether or not somebody has it.
        user_id: who has it; a random one where nobody does.
        network: where it comes from, shortened.
        device_token: if one was shown.

    Raises:
        Problem: too_many_attempts.
    """
    secret, now = context.installation.secret, context.world_now
    device = devices.source(secret, device_token, user_id, now)
    is_known = device is not None or await _has_network(connection, context, user_id, network)
    attempt = Attempt(account_key(secret, email), device or network, is_known)
    answered = await connection.execute(
        "select account.admit_login(%s, %s, %s, %s)",
        [attempt.account, attempt.source, attempt.is_known, now],
    )
    ((wait_seconds,),) = await answered.fetchall()
    if wait_seconds > 0:
        seconds = math.ceil(wait_seconds)
        raise Problem(
            "too_many_attempts",
            f"Wait {seconds} s. A device or network on which you signed in before is not held up"
            " by others; a password that was forgotten is set anew by mail:"
            " POST /v1/auth/password/forgot.",
            retry_after_s=seconds,
        )
    return attempt


async def was_right(connection: psycopg.AsyncConnection, attempt: Attempt) -> None:
    """Take an attempt back that was no guess."""
    await connection.execute(
        "select account.login_was_right(%s, %s, %s)",
        [attempt.account, attempt.source, attempt.is_known],
    )


async def forget(connection: psycopg.AsyncConnection, context: Context, email: str) -> None:
    """Nobody waits any more for what was guessed at an account."""
    key = account_key(context.installation.secret, email)
    await connection.execute("select account.forget_attempts(%s)", [key])


def account_key(secret: bytes, email: str) -> bytes:
    """What attempts at an account are counted under; no list of addresses that were tried."""
    return hmac.digest(secret, b"signalbox login\0" + email.lower().encode(), hashlib.sha256)


async def _has_network(
    connection: psycopg.AsyncConnection, context: Context, user_id: uuid.UUID, network: str
) -> bool:
    found = await connection.execute(
        "select exists (select from account.session"
        " where user_id = %s and network = %s and created_at > %s)",
        [user_id, network, context.world_now - NETWORK_IS_KNOWN_FOR],
    )
    ((is_known,),) = await found.fetchall()
    return bool(is_known)
