"""Two signals, and leaves in their chains."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from sql.log import NewLeaf, append_leaves
from sql.roles import WORKER

SLOT = datetime(2026, 11, 20, 8, tzinfo=UTC)
IN_TIME = SLOT + timedelta(minutes=3)
DIGEST = "sha256:" + "a" * 64


@dataclass
class Chains:
    """Appends due leaves as the run worker does; hour 0 is 2026-11-20 08:00 UTC."""

    database: object
    tide: int
    ebb: int
    hours: int = 0
    SLOT: ClassVar[datetime] = SLOT
    IN_TIME: ClassVar[datetime] = IN_TIME

    @staticmethod
    def due(signal_id, hour, name="tide", version="v1.0.0"):
        slot = int((SLOT + timedelta(hours=hour)).timestamp())
        facts = {"sig": f"ada/{name}", "ver": version, "slot": slot, "vl": 0, "img": DIGEST}
        return NewLeaf("forecast/v1", signal_id, {**facts, "inp": DIGEST, "c": "00" * 32})

    def publish(self):
        """The leaf of ada/tide v1.0.0, which is the log's first."""
        digests = dict.fromkeys(("tree", "lock", "img", "base", "sbom"), DIGEST)
        facts = {"sig": "ada/tide", "ver": "v1.0.0", "commit": "c" * 40, **digests}
        with self.database.connect(WORKER) as connection, connection.transaction():
            append_leaves(connection, [NewLeaf("version/v1", self.tide, facts)], SLOT)

    def append(self, count, now=IN_TIME):
        """So many leaves of ada/tide, going on where the last call ended; their indices."""
        hours = range(self.hours, self.hours + count)
        self.hours += count
        with self.database.connect(WORKER) as connection, connection.transaction():
            leaves = [self.due(self.tide, hour) for hour in hours]
            return append_leaves(connection, leaves, now)


@pytest.fixture
def chains(database):
    with database.superuser() as connection:
        ada = uuid.uuid4()
        connection.execute(
            "insert into account.user_account values (%s, 'ada', 'a@example.org', 'x', 'member',"
            " now())",
            [ada],
        )
        ids = [
            connection.execute(
                "insert into registry.signal (provider_id, name, title, description, visibility,"
                " created_at) values (%s, %s, 'T', '', 'public', now()) returning id",
                [ada, name],
            ).fetchone()[0]
            for name in ("tide", "ebb")
        ]
    return Chains(database, *ids)
