"""Deliver what is due in the outbox, in the background of the API's process.

Several processes may do so at once: each holds the letter that it is sending.
"""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec
import psycopg
import psycopg_pool

from api.installation import Installation
from api.mail.smtp import Letter, MailServer, RefusedLetterError, send
from api.rows import fetch_one

PAUSE_SECONDS = 1.0
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=15)
GIVEN_UP_AFTER = timedelta(days=3)
ERROR_CHARACTERS = 300

logger = logging.getLogger(__name__)


class DueLetter(msgspec.Struct, frozen=True):
    """A letter as `account.take_mail` hands it out."""

    id: uuid.UUID
    address: str
    subject: str
    text: str
    created_at: datetime
    attempts: int


@contextlib.asynccontextmanager
async def delivering(installation: Installation, server: MailServer | None) -> AsyncIterator[None]:
    """Deliver while the context lasts; without a server mail stays where it is."""
    if server is None:
        yield
        return
    task = asyncio.create_task(_deliver_for_ever(installation, server))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _deliver_for_ever(installation: Installation, server: MailServer) -> None:
    while True:
        try:
            was_due = await deliver_one(installation, server, installation.clock())
        except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
            logger.warning("mail waits for the database: %s", error)
            was_due = False
        if not was_due:
            await asyncio.sleep(PAUSE_SECONDS)


async def deliver_one(installation: Installation, server: MailServer, now: datetime) -> bool:
    """Try the letter that is due longest. False: none was due."""
    async with installation.transaction(None, now) as connection:
        due = await fetch_one(connection, DueLetter, "select * from account.take_mail(%s)", [now])
        if due is None:
            return False
        try:
            await asyncio.to_thread(send, server, _letter(server, due))
        except (RefusedLetterError, OSError) as error:
            again_at = _again_at(due, now, error)
            logger.warning("letter %s was not delivered, again at %s: %s", due.id, again_at, error)
            await connection.execute(
                "select account.mail_failed(%s, %s, %s)",
                [due.id, str(error)[:ERROR_CHARACTERS].replace("\0", ""), again_at],
            )
        else:
            await connection.execute("select account.mail_was_sent(%s, %s)", [due.id, now])
    return True


def _letter(server: MailServer, due: DueLetter) -> Letter:
    domain = server.sender.rpartition("@")[2].rstrip(">")
    return Letter(f"<{due.id}@{domain}>", due.address, due.subject, due.text, due.created_at)


def _again_at(due: DueLetter, now: datetime, error: Exception) -> datetime | None:
    """Twice as long each time; None: what the server refuses, or what is too old to matter."""
    if isinstance(error, RefusedLetterError) or now - due.created_at > GIVEN_UP_AFTER:
        return None
    wait: timedelta = FIRST_WAIT * 2 ** min(due.attempts, 10)
    return now + min(LONGEST_WAIT, wait)
