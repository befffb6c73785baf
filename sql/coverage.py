"""How much of the log is public: signed, cosigned, and since when not."""

from datetime import datetime, timedelta
from typing import LiteralString

import msgspec

# Leaves wait for the next checkpoint no longer than this; then somebody should look.
UNCOVERED_AT_MOST = timedelta(minutes=1)
COVERAGE: LiteralString = """
select leaves, checkpoint_size, quorum_size, quorum_at, uncovered_since from transparency.coverage
"""


class Coverage(msgspec.Struct, frozen=True):
    """The log at an instant.

    Attributes:
        leaves: in it.
        checkpoint_size: how many of them the newest signed checkpoint covers.
        quorum_size: how many the newest one covers that had its quorum.
        quorum_at: when that one had it, UTC.
        uncovered_since: when the oldest leaf was appended that none covers, UTC.
    """

    leaves: int
    checkpoint_size: int
    quorum_size: int
    quorum_at: datetime | None
    uncovered_since: datetime | None

    def fault(self, now: datetime) -> str | None:
        """What is wrong, and what to do; None while all is covered in time."""
        if self.uncovered_since is None or now - self.uncovered_since <= UNCOVERED_AT_MOST:
            return None
        waited = now - self.uncovered_since
        behind = self.leaves - self.quorum_size
        step = (
            "no quorum: see the publisher's log for what the cosigners answer"
            if self.checkpoint_size == self.leaves
            else "not signed: see whether the processes log and signer run, and their logs"
        )
        return (
            f"{behind} leaves are covered by no checkpoint, the oldest for"
            f" {waited.total_seconds():.0f} s ({step})"
        )

    def metadata(self) -> dict[str, int | str]:
        """For people, one line each."""
        return {
            "checkpoint size": self.checkpoint_size,
            "quorum size": self.quorum_size,
            "quorum at": f"{self.quorum_at:%Y-%m-%d %H:%M:%S} UTC" if self.quorum_at else "never",
        }
