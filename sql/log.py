"""Append leaves to the transparency log, inside the caller's transaction.

Theory of operation: a leaf is canonical JSON (sorted keys, no white space). Its
position in the log is taken under one advisory lock held until commit, so that
positions are gapless and in commit order. Within a signal `seq` counts without
gaps and `prev` is the leaf hash of the signal's previous leaf: who holds one
leaf can tell whether an earlier one was dropped or exchanged. Because the
fact a leaf speaks of is written in the same transaction, neither exists
without the other.
"""

from datetime import datetime
from typing import Any

import psycopg

from signalbox.leaf import canonical, leaf_hash

APPEND_LOCK = 2


def append_leaf(
    connection: psycopg.Connection[Any],
    *,
    kind: str,
    signal_id: int,
    facts: dict[str, Any],
    now: datetime,
) -> int:
    """Append one leaf and return its index.

    Args:
        connection: inside a transaction, whose commit makes the leaf real.
        kind: such as `forecast/v1`.
        signal_id: whose chain it joins.
        facts: the leaf's own fields; `kind`, `seq` and `prev` are added here.
        now: UTC.
    """
    connection.execute("select pg_advisory_xact_lock(%s)", [APPEND_LOCK])
    (index,) = _one(connection, "select coalesce(max(index) + 1, 0) from transparency.leaf", [])
    last = connection.execute(
        "select seq, leaf_hash from transparency.leaf where signal_id = %s"
        " order by seq desc limit 1",
        [signal_id],
    ).fetchone()
    seq, prev = (last[0] + 1, last[1].hex()) if last else (0, "")
    body = canonical({**facts, "kind": kind, "seq": seq, "prev": prev})
    connection.execute(
        "insert into transparency.leaf (index, kind, signal_id, seq, body, leaf_hash, appended_at)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        [index, kind, signal_id, seq, body, leaf_hash(body), now],
    )
    return int(index)


def _one(connection: psycopg.Connection[Any], query: str, values: list[Any]) -> tuple[Any, ...]:
    row = connection.execute(query, values).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always answers
    return tuple(row)
