"""Versions as the tick sees them, and which of their slots are due."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row

from signalbox import Manifest
from sql.clock import floor_hour
from sql.due import CATCH_UP, DUE

PUBLISHED = """
select v.id, v.signal_id, u.handle as provider, s.name, v.version, v.state, v.manifest,
       v.image_digest, v.published_at, v.deterministic, v.leak_report,
       greatest(v.published_at, (select max(e.at) from registry.version_event e
                                 where e.version_id = v.id and e.to_state = 'live')) as live_since,
       s.title
from registry.version v
join registry.signal s on s.id = v.signal_id
join account.user_account u on u.id = s.provider_id
where v.state = any(%(states)s) and (%(id)s::bigint is null or v.id = %(id)s)
order by v.id
"""


@dataclass(frozen=True)
class PublishedVersion:
    """A version that is live or offline.

    Attributes:
        live_since: when it last went live; slots from then on are due.
        deterministic: two runs of one hour gave the same; None: it was not asked.
        leak_report: as stored at publication; None likewise.
    """

    id: int
    signal_id: int
    provider: str
    name: str
    version: str
    state: str
    manifest: Manifest
    image_digest: str
    published_at: datetime
    live_since: datetime
    title: str
    deterministic: bool | None = None
    leak_report: dict[str, Any] | None = None

    @property
    def label(self) -> str:
        return f"{self.provider}/{self.name}@{self.version}"

    @property
    def asset_key(self) -> list[str]:
        return ["signals", self.provider, self.name, self.version]


def published_versions(connection: psycopg.Connection[Any]) -> list[PublishedVersion]:
    """All versions with an asset, oldest first."""
    return _published(connection, {"states": ["live", "offline"], "id": None})


def published_version(connection: psycopg.Connection[Any], version_id: int) -> PublishedVersion:
    """One version that was ever published, retired ones too: what it forecast stays provable.

    Raises:
        LookupError: it never was.
    """
    found = _published(connection, {"states": ["live", "offline", "retired"], "id": version_id})
    if not found:
        raise LookupError(f"version {version_id} was never published")
    return found[0]


def _published(
    connection: psycopg.Connection[Any], values: dict[str, Any]
) -> list[PublishedVersion]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return [
            PublishedVersion(**{**row, "manifest": msgspec.convert(row["manifest"], Manifest)})
            for row in cursor.execute(PUBLISHED, values)
        ]


def due_slots(connection: psycopg.Connection[Any], now: datetime) -> dict[datetime, list[int]]:
    """Slots up to `now` at which a version was live and has no record, oldest first.

    Slots further back than CATCH_UP stay open: an operator decides about them.

    Returns:
        Slot to the ids of the versions that owe it; one that is offline by now may be among them.
    """
    last = floor_hour(now)
    owed: dict[datetime, list[int]] = {}
    for version_id, slot in connection.execute(DUE, {"first": last - CATCH_UP, "last": last}):
        owed.setdefault(slot, []).append(version_id)
    return owed
