"""Access tokens whose session was looked up a moment ago; as `remembered.py` says."""

import uuid
from datetime import datetime
from typing import LiteralString

import psycopg
from psycopg_pool import AsyncConnectionPool

from api.auth import access_tokens
from api.auth.caller import Caller
from api.auth.remembered import Remembered, digest_of
from api.listener import Listener
from sql.session import act_as

# A login that was ended, and every one that a changed password ended, is refused at once.
PERSON_OF_SESSION: LiteralString = (
    "select u.handle, u.role, s.has_totp"
    " from account.user_account u join account.session s on s.user_id = u.id"
    " where u.id = %s and s.id = %s and s.ended_at is null and u.deleted_at is null"
)


class KnownSessions:
    """The look-up of access tokens of one process, each kind of token by one of its own."""

    def __init__(
        self,
        pool: AsyncConnectionPool[psycopg.AsyncConnection],
        listener: Listener,
        secret: bytes,
        audience: str = access_tokens.AUDIENCE,
    ) -> None:
        self._pool = pool
        self._listener = listener
        self._secret = secret
        self._audience = audience
        self._remembered = Remembered(listener)

    async def caller(self, token: str, now: datetime) -> Caller | None:
        """Whose token it is; None if its session has ended.

        Raises:
            InvalidTokenError: it is none of ours, or has expired.
        """
        digest = digest_of(token)
        if digest in self._remembered and await self._listener.caught_up():
            known = self._remembered.get(digest, now)
            if known is not None:
                return known
        shown = access_tokens.session_claims(self._secret, token, now, self._audience)
        generation = self._remembered.generation
        caller = await self._person(shown.user_id, shown.session_id, now)
        if caller is not None:
            self._remembered.keep(digest, caller, now, shown.expires_at, generation)
        return caller

    def known(self, token: str, now: datetime) -> Caller | None:
        """As `caller`, of what is remembered; for those who have `caught_up`."""
        return self._remembered.get(digest_of(token), now)

    async def _person(
        self, user_id: uuid.UUID, session_id: uuid.UUID, now: datetime
    ) -> Caller | None:
        async with self._pool.connection() as connection:
            await act_as(connection, user_id, now)
            found = await connection.execute(PERSON_OF_SESSION, [user_id, session_id])
            row = await found.fetchone()
        if row is None:
            return None
        handle, role, has_totp = row
        return Caller(user_id, handle, role, session_id=session_id, has_totp=has_totp)
