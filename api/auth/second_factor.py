"""Second factors in the database: enrolled, then confirmed, asked for from then on."""

import hashlib
import secrets
import uuid
from typing import Literal

import psycopg

from api import audit
from api.auth import totp
from api.auth.accounts import User
from api.installation import Context
from api.mail import letters

RECOVERY_CODES = 10
RECOVERY_BYTES = 10
GROUP = 4

Verdict = Literal["none", "absent", "right", "wrong"]


async def enrol(connection: psycopg.AsyncConnection, context: Context, user_id: uuid.UUID) -> bytes:
    """A new secret that waits for its confirmation, in place of another that waits.

    Raises:
        psycopg.errors.UniqueViolation: one is confirmed.
    """
    secret = totp.new_secret()
    await connection.execute(
        "delete from account.totp where user_id = %s and confirmed_at is null", [user_id]
    )
    await connection.execute(
        "insert into account.totp (user_id, sealed_secret, created_at, last_step)"
        " values (%s, %s, %s, 0)",
        [user_id, totp.seal(context.installation.secret, user_id, secret), context.world_now],
    )
    return secret


async def confirm(
    connection: psycopg.AsyncConnection, context: Context, user_id: uuid.UUID, code: str
) -> bool | None:
    """Ask for codes from now on. False: the code is wrong; None: nothing waits."""
    waiting = await _sealed(connection, user_id, is_confirmed=False)
    if waiting is None:
        return None
    if not await _take_code(connection, context, user_id, waiting, _plain(code)):
        return False
    await connection.execute(
        "update account.totp set confirmed_at = %s where user_id = %s", [context.world_now, user_id]
    )
    return True


async def judge(
    connection: psycopg.AsyncConnection, context: Context, person: User, code: str | None
) -> Verdict:
    """What a person shows beside their password; `none`: nothing is asked for."""
    sealed = await _sealed(connection, person.id, is_confirmed=True)
    if sealed is None:
        return "none"
    if code is None:
        return "absent"
    plain = _plain(code)
    if await _take_code(connection, context, person.id, sealed, plain):
        return "right"
    if await _take_recovery_code(connection, context, person, plain):
        return "right"
    return "wrong"


async def remove(connection: psycopg.AsyncConnection, user_id: uuid.UUID) -> None:
    await connection.execute("delete from account.totp where user_id = %s", [user_id])
    await connection.execute("delete from account.recovery_code where user_id = %s", [user_id])
    await connection.execute(
        "update account.session set has_totp = false where user_id = %s", [user_id]
    )


async def new_recovery_codes(connection: psycopg.AsyncConnection, user_id: uuid.UUID) -> list[str]:
    """Ten codes of 80 random bits; sha256 is enough, they cannot be guessed from their digest."""
    codes = [
        totp.base32(secrets.token_bytes(RECOVERY_BYTES)).lower() for _ in range(RECOVERY_CODES)
    ]
    await connection.execute("delete from account.recovery_code where user_id = %s", [user_id])
    for code in codes:
        await connection.execute(
            "insert into account.recovery_code (user_id, code_sha256) values (%s, %s)",
            [user_id, _digest(code)],
        )
    return ["-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP)) for code in codes]


async def is_enabled(connection: psycopg.AsyncConnection, user_id: uuid.UUID) -> bool:
    return await _sealed(connection, user_id, is_confirmed=True) is not None


async def _sealed(
    connection: psycopg.AsyncConnection, user_id: uuid.UUID, *, is_confirmed: bool
) -> bytes | None:
    found = await connection.execute(
        "select sealed_secret from account.totp"
        " where user_id = %s and (confirmed_at is not null) = %s",
        [user_id, is_confirmed],
    )
    row = await found.fetchone()
    return row[0] if row else None


async def _take_code(
    connection: psycopg.AsyncConnection,
    context: Context,
    user_id: uuid.UUID,
    sealed: bytes,
    code: str,
) -> bool:
    secret = totp.unseal(context.installation.secret, user_id, sealed)
    step = totp.matching_step(secret, code, context.world_now)
    if step is None:
        return False
    # Whoever moves the step forward has used the code; it and older ones are worth nothing now.
    taken = await connection.execute(
        "update account.totp set last_step = %s where user_id = %s and last_step < %s",
        [step, user_id, step],
    )
    return taken.rowcount == 1


async def _take_recovery_code(
    connection: psycopg.AsyncConnection, context: Context, person: User, code: str
) -> bool:
    taken = await connection.execute(
        "update account.recovery_code set used_at = %s"
        " where user_id = %s and code_sha256 = %s and used_at is null",
        [context.world_now, person.id, _digest(code)],
    )
    if taken.rowcount == 0:
        return False
    counted = await connection.execute(
        "select count(*) from account.recovery_code where user_id = %s and used_at is null",
        [person.id],
    )
    ((left,),) = await counted.fetchall()
    await audit.record(
        connection, context.now, person.id, "totp.recovery_code_used", str(person.id), left=left
    )
    await letters.write(
        connection, context, "recovery_code_used", person.id, person.handle, left=left
    )
    return True


def _plain(code: str) -> str:
    """As people write codes down: with spaces, dashes, capitals."""
    return code.replace(" ", "").replace("-", "").lower()


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
