"""Append leaves to the transparency log, inside the caller's transaction.

Theory of operation: a leaf is canonical JSON (sorted keys, no white space). Its
position in the log is taken under one advisory lock held until commit, so that
positions are gapless and in commit order. Within a signal `seq` counts without
gaps and `prev` is the leaf hash of the signal's previous leaf: who holds one
leaf can tell whether an earlier one was dropped or exchanged. Because the
fact a leaf speaks of is written in the same transaction, neither exists
without the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from signalbox.leaf import canonical, leaf_hash
from sql.arrays import Column, byteas, int8s, texts, timestamptzs

APPEND_LOCK = 2
DUE_KINDS = ("forecast/v1", "missed/v1")
LAST_OF_SIGNALS = """
select signal.id, last.seq, last.leaf_hash
from unnest(%s::bigint[]) as signal(id)
cross join lateral (select l.seq, l.leaf_hash from transparency.leaf l
                    where l.signal_id = signal.id order by l.seq desc limit 1) last
"""
INSERT = """
insert into transparency.leaf (index, kind, signal_id, seq, body, leaf_hash, version, slot,
                               appended_at)
select new.*, %s
from unnest(%s, %s, %s, %s, %s, %s, %s, %s) as new
"""
COLUMNS: tuple[Callable[[Sequence[Any]], Column], ...] = (
    int8s, texts, int8s, int8s, byteas, byteas, texts, timestamptzs,
)  # fmt: skip


@dataclass(frozen=True)
class NewLeaf:
    """What a leaf says.

    Attributes:
        kind: such as `forecast/v1`.
        signal_id: whose chain it joins.
        facts: the leaf's own fields; `kind`, `seq` and `prev` are added in the log.
    """

    kind: str
    signal_id: int
    facts: dict[str, Any]

    @property
    def version_and_slot(self) -> tuple[str | None, datetime | None]:
        """What a unique index holds to one leaf for each due slot; none for other kinds."""
        if self.kind not in DUE_KINDS:
            return None, None
        return self.facts["ver"], datetime.fromtimestamp(self.facts["slot"], UTC)


def hold_log(connection: psycopg.Connection[Any]) -> None:
    """Nobody else appends until the caller's transaction has ended."""
    connection.execute("select pg_advisory_xact_lock(%s)", [APPEND_LOCK])


def append_leaves(
    connection: psycopg.Connection[Any], leaves: Sequence[NewLeaf], now: datetime
) -> list[int]:
    """Append leaves in this order and return their indices.

    Args:
        connection: inside a transaction, whose commit makes the leaves real.
        leaves: any number, of any signals.
        now: UTC.
    """
    if not leaves:
        return []
    hold_log(connection)
    row = connection.execute("select coalesce(max(index) + 1, 0) from transparency.leaf").fetchone()
    assert row is not None  # noqa: S101 - an aggregate always answers
    first = int(row[0])
    signals = sorted({leaf.signal_id for leaf in leaves})
    last: dict[int, tuple[int, str]] = {
        signal_id: (seq, hashed.hex())
        for signal_id, seq, hashed in connection.execute(LAST_OF_SIGNALS, [signals])
    }
    rows = []
    for index, leaf in enumerate(leaves, start=first):
        seq, prev = last.get(leaf.signal_id, (-1, ""))
        body = canonical({**leaf.facts, "kind": leaf.kind, "seq": seq + 1, "prev": prev})
        hashed = leaf_hash(body)
        last[leaf.signal_id] = (seq + 1, hashed.hex())
        rows.append(
            (index, leaf.kind, leaf.signal_id, seq + 1, body, hashed, *leaf.version_and_slot)
        )
    columns = zip(COLUMNS, zip(*rows, strict=True), strict=True)
    connection.execute(INSERT, [now, *(kind(column) for kind, column in columns)])
    return list(range(first, first + len(leaves)))


def append_leaf(
    connection: psycopg.Connection[Any],
    *,
    kind: str,
    signal_id: int,
    facts: dict[str, Any],
    now: datetime,
) -> int:
    """Append one leaf and return its index; see `append_leaves`."""
    return append_leaves(connection, [NewLeaf(kind, signal_id, facts)], now)[0]
