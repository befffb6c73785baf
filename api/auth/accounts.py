"""Accounts in the database."""

import uuid
from datetime import datetime

import msgspec
import psycopg

from api.problems import Problem
from api.rows import fetch_one

TAKEN = {
    "user_account_email_key": ("email_taken", "Sign in instead, or use another address."),
    "user_account_handle_key": ("handle_taken", "Choose another handle."),
}


class User(msgspec.Struct, frozen=True):
    id: uuid.UUID
    handle: str
    email: str
    role: str
    created_at: datetime


class UserWithHash(User, frozen=True):
    password_hash: str


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
        constraint = error.diag.constraint_name
        if constraint not in TAKEN:
            raise
        raise Problem(*TAKEN[constraint]) from None


async def by_email(connection: psycopg.AsyncConnection, email: str) -> UserWithHash | None:
    return await fetch_one(
        connection,
        UserWithHash,
        "select id, handle, email, role, created_at, password_hash"
        " from account.user_account where email = %s",
        [email.lower()],
    )


async def by_id(connection: psycopg.AsyncConnection, user_id: uuid.UUID) -> User | None:
    return await fetch_one(
        connection,
        User,
        "select id, handle, email, role, created_at from account.user_account where id = %s",
        [user_id],
    )
