"""Credentials that were looked up a moment ago, and whose they are.

Theory of operation: an entry is found by the sha256 of what was presented, and holds
for thirty seconds, for the minute in which its use was noted, and until the credential
expires, whichever ends first: that is one comparison on each hit, because time sends no
notice. Any change of a key, a session or a role is told by the database, and removes its
person's entries. A look-up that began before such a notice must not store what it read, so
each notice counts `generation` up, and a look-up stores only in the generation it
began in. While nobody hears the notices, every credential is looked up anew.
"""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.auth.caller import Caller
from api.listener import Listener

CHANNEL = "signalbox_credential"
TTL = timedelta(seconds=30)
MINUTE = timedelta(minutes=1)
ENTRIES_AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    since: datetime
    until: datetime


class Remembered:
    """The credentials of one kind that a process has seen good.

    Attributes:
        generation: counts what was heard; show it again to `keep`.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._known: dict[bytes, _Known] = {}
        self.generation = 0
        listener.subscribe(CHANNEL, heard=self._heard, lost=self._forget_all)

    def __contains__(self, digest: bytes) -> bool:
        """Whether it was seen good since its person's credentials last changed."""
        return digest in self._known

    def get(self, digest: bytes, now: datetime) -> Caller | None:
        """Whose it is; None: look it up. True of the last instant in which it was `caught_up`."""
        known = self._known.get(digest)
        if known is not None and known.since <= now < known.until and self._listener.is_up:
            return known.caller
        return None

    def keep(
        self,
        digest: bytes,
        caller: Caller,
        now: datetime,
        expires_at: datetime | None,
        generation: int,
    ) -> None:
        """Remember a look-up that began in `generation`, unless something was heard since."""
        if not self._listener.is_up or generation != self.generation:
            return
        if digest not in self._known and len(self._known) >= ENTRIES_AT_MOST:
            del self._known[next(iter(self._known))]
        end_of_minute = now.replace(second=0, microsecond=0) + MINUTE
        until = min(now + TTL, end_of_minute, expires_at or end_of_minute)
        self._known[digest] = _Known(caller, now, until)

    def forget(self, user_id: uuid.UUID) -> None:
        """A person's keys, sessions or role have changed."""
        self.generation += 1
        for digest, known in list(self._known.items()):
            if known.caller.user_id == user_id:
                del self._known[digest]

    def _heard(self, payload: str) -> None:
        self.forget(uuid.UUID(payload))

    def _forget_all(self) -> None:
        self.generation += 1
        self._known.clear()


def digest_of(credential: str) -> bytes:
    """By what a credential is remembered."""
    return hashlib.sha256(credential.encode("utf-8", "surrogatepass")).digest()
