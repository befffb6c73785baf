"""The tree over the leaves: stored tiles and signed checkpoints against what the leaves make.

Theory of operation: hashes are collected 256 at a time, as tiles hold them. A full row is held
against its stored tile, and its root joins the row of the level above; what is not full yet is
in memory only, some rows of at most 256 hashes. Beside it runs the tree's right edge, whose root
is held against each checkpoint as the walk passes its size.
"""

import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg

from assets.transparency.fsck_faults import Faults
from signalbox.log.checkpoint import open_checkpoint, parse_checkpoint
from signalbox.log.errors import LogError
from signalbox.log.merkle import Frontier
from signalbox.log.note import parse_note
from signalbox.log.policy import Policy, open_evidence, parse_policy
from signalbox.log.tiles import WIDTH, subtree_root

CHECKPOINTS = """
select c.id, c.origin, c.size, c.root, c.note from transparency.checkpoint c order by c.size, c.id
"""
TILE = "select t.hashes, t.root from transparency.tile t where t.level = %s and t.index = %s"
COVERED = "select coalesce(max(c.size), 0) from transparency.checkpoint c"
TILES = "select count(*) from transparency.tile"
QUORUMS = """
select q.checkpoint_id, 'is of size ' || q.size || ', its checkpoint of ' || coalesce(c.size, -1)
from transparency.quorum q left join transparency.checkpoint c on c.id = q.checkpoint_id
where c.size is distinct from q.size
"""


SIGNED = """
select c.id, c.size, c.note,
       (select coalesce(string_agg(s.line || chr(10), '' order by s.received_at, s.key_name), '')
        from transparency.cosignature s where s.checkpoint_id = c.id), q.reached_at, q.policy
from transparency.checkpoint c left join transparency.quorum q on q.checkpoint_id = c.id
order by c.size, c.id
"""


class _Checkpoint(NamedTuple):
    id: int
    origin: str
    size: int
    root: bytes
    note: bytes

    @property
    def subject(self) -> str:
        return f"checkpoint {self.id} of size {self.size}"


class TreeWalk:
    """Takes leaf hashes in order, and holds the tree that they make against the stored one."""

    def __init__(self, connection: psycopg.Connection[Any], faults: Faults) -> None:
        self._connection = connection
        self._faults = faults
        self._frontier = Frontier()
        self._rows: list[list[bytes]] = [[]]
        self._tiles = 0
        self._covered = self._one(COVERED)
        self._checkpoints = self._read_checkpoints()
        self._next = next(self._checkpoints, None)
        self._seen: int | None = None
        self._pass_checkpoints()

    def append(self, leaf_hash: bytes) -> None:
        """The next leaf's."""
        self._frontier.append(leaf_hash)
        self._collect(0, leaf_hash)
        if self._next is not None and self._next.size <= self._frontier.size:
            self._pass_checkpoints()

    def finish(self) -> int | None:
        """Whether anything is stored beyond the leaves; the largest checkpoint's size, or None."""
        while self._next is not None:
            size = self._frontier.size
            self._faults.add("checkpoint", self._next.subject, f"covers more than {size} leaves")
            self._next = next(self._checkpoints, None)
        if (stored := self._one(TILES)) != self._tiles:
            self._faults.add("tile", "the log", f"has {stored} tiles, of which {self._tiles} are"
                             " over its leaves")  # fmt: skip
        for checkpoint, problem in self._connection.execute(QUORUMS):
            self._faults.add("checkpoint", f"quorum of checkpoint {checkpoint}", problem)
        return self._seen

    def _collect(self, level: int, joined: bytes) -> None:
        if level == len(self._rows):
            self._rows.append([])
        row = self._rows[level]
        row.append(joined)
        if len(row) == WIDTH:
            index = (self._frontier.size >> 8 * (level + 1)) - 1
            hashes = b"".join(row)
            row.clear()
            root = subtree_root(hashes)
            self._check_tile(level, index, hashes, root)
            self._collect(level + 1, root)

    def _check_tile(self, level: int, index: int, hashes: bytes, root: bytes) -> None:
        stored = self._connection.execute(TILE, [level, index]).fetchone()
        subject = f"tile {level}/{index}"
        if stored is None:
            if self._covered >= (index + 1) << 8 * (level + 1):
                self._faults.add("tile", subject, "is not there, though a checkpoint covers it")
            return
        self._tiles += 1
        if stored != (hashes, root):
            self._faults.add("tile", subject, "is not over the leaves below it")

    def _pass_checkpoints(self) -> None:
        while self._next is not None and self._next.size <= self._frontier.size:
            one = self._next
            if not hmac.compare_digest(one.root, self._frontier.root()):
                self._faults.add(
                    "checkpoint", one.subject, "has a root that its leaves do not make"
                )
            self._check_note(one)
            self._seen = one.size
            self._next = next(self._checkpoints, None)

    def _check_note(self, one: _Checkpoint) -> None:
        try:
            said = parse_checkpoint(parse_note(one.note).text)
        except LogError as error:
            self._faults.add("checkpoint", one.subject, f"has no readable note: {error}")
            return
        if (said.origin, said.size, said.root) != (one.origin, one.size, one.root):
            self._faults.add("checkpoint", one.subject, "is stored otherwise than it was signed")

    def _read_checkpoints(self) -> Iterator[_Checkpoint]:
        with self._connection.cursor(name="checkpoints", binary=True) as cursor:
            for row in cursor.execute(CHECKPOINTS):
                yield _Checkpoint(*row)

    def _one(self, query: str) -> int:
        row = self._connection.execute(query).fetchone()
        assert row is not None  # noqa: S101 - an aggregate always answers
        return int(row[0])


def check_signatures(
    connection: psycopg.Connection[Any], faults: Faults, policy: Policy | None
) -> None:
    """Every checkpoint under the log's keys, and every quorum under the policy that it names.

    Args:
        connection: in the transaction of the walk.
        faults: to add to.
        policy: whose log keys count. None: those of each quorum's own policy, which whoever
            owns the database could have written, too.
    """
    with connection.cursor(name="signatures", binary=True) as cursor:
        for id_, size, note, lines, reached_at, asked in cursor.execute(SIGNED):
            subject = f"checkpoint {id_} of size {size}"
            try:
                if policy is not None:
                    open_checkpoint(note, policy.log_keys)
                if asked is None:
                    continue
                evidence = open_evidence(note + lines.encode(), parse_policy(asked))
            except LogError as error:
                faults.add("signature", subject, f"does not hold: {error}")
                continue
            at = evidence.reached_at
            if at is not None and datetime.fromtimestamp(at, UTC) != reached_at:
                found = datetime.fromtimestamp(at, UTC)
                faults.add("quorum", subject, f"had its quorum at {found}, stored is {reached_at}")
