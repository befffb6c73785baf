"""Is everything whole: log, registry, forecasts, images, each held against the others?

Theory of operation: one read-only transaction sees one state of the database. The log is
walked once, in order, together with the record, the opening and the numbers that stand beside
each leaf (`fsck_leaves.py`), and with the tree over it (`fsck_tree.py`). What a walk cannot
see, because it is not there, is asked for afterwards (`fsck_records.py`, `fsck_registry.py`),
and so are the images (`fsck_images.py`). Leaves come from a cursor and faults are counted, not
kept: memory grows with the number of signals and versions, not with the log.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg

from assets.transparency.fsck_faults import Fault, Faults
from assets.transparency.fsck_images import check_images
from assets.transparency.fsck_leaves import walk
from assets.transparency.fsck_records import check_records, owed_slots
from assets.transparency.fsck_registry import Registry, check_registry
from assets.transparency.fsck_tree import TreeWalk, check_signatures
from sandbox.registry.image import ImageStore
from signalbox.log.policy import Policy

RECENT = timedelta(hours=26)
LEAVES_BEFORE = """
select l.index + 1 from transparency.leaf l where l.appended_at < %s order by l.index desc limit 1
"""


@dataclass(frozen=True)
class Report:
    """What was looked at, and what is wrong.

    Attributes:
        leaves: walked.
        first: index of the first of them; 0 for the whole log.
        versions: ever published.
        layers: re-hashed; null when the images were not looked at.
        tree_size: of the newest checkpoint that was held against the leaves; null: none was.
        owed: due slots without an outcome that the schedule will still work off.
        faults: how many there are.
        by_check: how many of each kind.
        shown: the first of them, in the order found.
    """

    leaves: int
    first: int
    versions: int
    layers: int | None
    tree_size: int | None
    owed: int
    faults: int
    by_check: Mapping[str, int]
    shown: tuple[Fault, ...] = field(repr=False)

    @property
    def is_whole(self) -> bool:
        return self.faults == 0


def fsck(
    connection: psycopg.Connection[Any],
    now: datetime,
    *,
    images: ImageStore | None = None,
    policy: Policy | None = None,
    live_deadline: timedelta | None = None,
    first: int = 0,
) -> Report:
    """Look at everything, or at the log from a leaf on.

    Args:
        connection: autocommit, as `signalbox_worker`.
        now: UTC; what is due by then is asked for.
        images: the store to re-hash; not looked at if not given.
        policy: whose log keys must have signed; those named beside each checkpoint if not given.
        live_deadline: after the slot; what was logged later cannot be live.
        first: begin at this leaf. The tree over the log is walked from 0 only.
    """
    faults = Faults()
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        registry = Registry.read(connection)
        tree = TreeWalk(connection, faults) if first == 0 else None
        leaves = walk(connection, registry, faults, tree, first=first, live_deadline=live_deadline)
        tree_size = tree.finish() if tree else None
        if tree:
            check_signatures(connection, faults, policy)
        check_registry(registry, faults, whole=first == 0)
        check_records(connection, faults, now, first)
        owed = owed_slots(connection, now)
        layers = check_images(images, registry, faults) if images else None
    return Report(
        leaves=leaves,
        first=first,
        versions=len(registry.versions),
        layers=layers,
        tree_size=tree_size,
        owed=owed,
        faults=faults.total,
        by_check=Counter(faults.by_check),
        shown=tuple(faults.shown),
    )


def audit_log(connection: psycopg.Connection[Any]) -> tuple[int, list[Fault]]:
    """The log and the records beside it, without what is due by a clock; leaves and faults."""
    faults = Faults()
    with connection.transaction():
        registry = Registry.read(connection)
        tree = TreeWalk(connection, faults)
        leaves = walk(connection, registry, faults, tree)
        tree.finish()
        check_signatures(connection, faults, None)
        check_registry(registry, faults)
        check_records(connection, faults, None)
    return leaves, faults.shown


def first_of_day(connection: psycopg.Connection[Any], slot: datetime) -> int:
    """Where an hourly audit begins: at 00:00 UTC with the whole log, else a day and more back."""
    if slot.hour == 0:
        return 0
    row = connection.execute(LEAVES_BEFORE, [slot - RECENT]).fetchone()
    return row[0] if row else 0
