"""Accounts in the database."""

import uuid
from datetime import datetime
from typing import LiteralString

import msgspec
import psycopg

from api.problems import Problem
from api.rows import fetch_one

TAKEN = {
    "user_account_email_key": ("email_taken", "Sign in instead, or use another address."),
    "user_account_handle_key": ("handle_taken", "Choose another handle."),
}

WITH_HASH: LiteralString = (
    "select id, handle, email, role, created_at, password_hash,"
    " email_confirmed_at is not null as email_confirmed"
    " from account.user_account where deleted_at is null and "
)


class User(msgspec.Struct, frozen=True):
    id: uuid.UUID
    handle: str
    email: str
    role: str
    created_at: datetime


class UserWithHash(User, frozen=True, kw_only=True):
    password_hash: str
    email_confirmed: bool

    def shown(self) -> User:
        """What leaves the platform."""
        return User(self.id, self.handle, self.email, self.role, self.created_at)


async def create(connection: psycopg.AsyncConnection, user: User, password_hash: str) -> None:
    """Insert an account.

    Raises:
        Problem: email_taken or handle_taken.
    """
    try:
        await connection.execute(
            "insert into account.user_account (id, handle, email, password_hash, role, created_at)"
            " values (%s, %s, %s, %s, %s, %s)",
            [user.id, user.handle, user.email, password_hash, user.role, user.created_at],
        )
    except psycopg.errors.UniqueViolation as error:
        raise taken(error) from None


def taken(error: psycopg.errors.UniqueViolation) -> Exception:
    """What a person is told; the error itself where it is none of theirs."""
    constraint = error.diag.constraint_name
    return Problem(*TAKEN[constraint]) if constraint in TAKEN else error


async def by_email(connection: psycopg.AsyncConnection, email: str) -> UserWithHash | None:
    return await fetch_one(connection, UserWithHash, WITH_HASH + "email = %s", [email.lower()])


async def by_id(connection: psycopg.AsyncConnection, user_id: uuid.UUID) -> UserWithHash | None:
    return await fetch_one(connection, UserWithHash, WITH_HASH + "id = %s", [user_id])


async def hold(connection: psycopg.AsyncConnection, user_id: uuid.UUID) -> None:
    """Nothing begins for a person until the transaction ends: no login, nothing of theirs."""
    await connection.execute(
        "select 1 from account.user_account where id = %s for update", [user_id]
    )


async def still_opens(connection: psycopg.AsyncConnection, person: UserWithHash) -> bool:
    """Whether the password that was found right is the account's, and stays so until the end.

    It was looked at outside of any transaction: it may have been changed since, by
    somebody whose logins end only what they see.
    """
    found = await connection.execute(
        "select 1 from account.user_account"
        " where id = %s and password_hash = %s and deleted_at is null for share",
        [person.id, person.password_hash],
    )
    return await found.fetchone() is not None


async def set_password(
    connection: psycopg.AsyncConnection, user_id: uuid.UUID, password_hash: str
) -> None:
    await connection.execute(
        "update account.user_account set password_hash = %s where id = %s", [password_hash, user_id]
    )


async def set_email(
    connection: psycopg.AsyncConnection, user_id: uuid.UUID, email: str, now: datetime
) -> None:
    """The address that a token proved.

    Raises:
        Problem: email_taken, by somebody else in the meantime.
    """
    try:
        await connection.execute(
            "update account.user_account set email = %s, email_confirmed_at = %s where id = %s",
            [email, now, user_id],
        )
    except psycopg.errors.UniqueViolation as error:
        raise taken(error) from None
