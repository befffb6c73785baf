"""The log in order: each leaf, and what is stored beside it."""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self

import msgspec
import psycopg

from assets.transparency.fsck_faults import Faults
from assets.transparency.fsck_registry import Registry
from assets.transparency.fsck_tree import TreeWalk
from signalbox.commitment import SALT_BYTES, commit
from signalbox.leaf import leaf_hash
from signalbox.log.errors import LeafError
from signalbox.log.leaves import (
    AuditLeaf,
    ForecastLeaf,
    Leaf,
    LiveLeaf,
    MissedLeaf,
    OfflineLeaf,
    PriceLeaf,
    RetiredLeaf,
    VersionLeaf,
    parse_leaf,
)

FETCHED = 2000

LEAVES = """
select l.index, l.kind, l.signal_id, l.seq, l.body, l.leaf_hash, l.appended_at, l.version,
       extract(epoch from l.slot)::bigint, r.id, r.version_id, r.slot, r.provenance, r.reason,
       r.input_digest, r.image_digest, o.salt, o.payload, numbers.rows
from transparency.leaf l
left join forecast.slot_record r on r.leaf_index = l.index
left join forecast.opening o on o.slot_record_id = r.id
left join lateral (
  select json_agg(json_build_array(
           i.symbol, f.horizon_hours, f.point, f.quantiles, f.probability_up,
           f.target_time = r.slot + make_interval(hours => f.horizon_hours)))::text as rows
  from forecast.forecast f join market.instrument i on i.id = f.instrument_id
  where f.slot_record_id = r.id) numbers on r.id is not null
where l.index >= %s
order by l.index
"""
# Where the walk begins in the middle, each chain goes on from here.
LAST_BEFORE = """
select distinct on (l.signal_id) l.signal_id, l.seq, l.leaf_hash from transparency.leaf l
where l.index < %s order by l.signal_id, l.seq desc
"""
VERSION_LEAVES = """
select l.index, l.signal_id, l.body from transparency.leaf l
where l.index < %s and l.kind in ('version/v1', 'offline/v1', 'live/v1', 'retired/v1')
order by l.index
"""
VERDICT = """
select t.leaf_index, t.result = 'reproduced', t.why from transparency.reproduction t
where t.audit_leaf = %s
"""


class Row(NamedTuple):
    """A leaf; from `record` on null where none stands beside it."""

    position: int
    kind: str
    signal_id: int
    seq: int
    body: bytes
    leaf_hash: bytes
    appended_at: datetime
    version: str | None
    slot: int | None
    record: int | None
    version_id: int | None
    record_slot: datetime | None
    provenance: str | None
    reason: str | None
    input_digest: str | None
    image_digest: str | None
    salt: bytes | None
    payload: bytes | None
    numbers: str | None

    @property
    def subject(self) -> str:
        return f"leaf {self.position}"


class _Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A forecast in an opening's payload."""

    symbol: str
    horizon_hours: int
    point: float
    quantiles: list[tuple[float, float]] | None
    probability_up: float | None


_Stored = tuple[str, int, float, list[tuple[float, float]] | None, float | None, bool]
_PAYLOAD = msgspec.json.Decoder(list[_Number])
_NUMBERS = msgspec.json.Decoder(list[_Stored])


def walk(
    connection: psycopg.Connection[Any],
    registry: Registry,
    faults: Faults,
    tree: TreeWalk | None,
    *,
    first: int = 0,
    live_deadline: timedelta | None = None,
) -> int:
    """Read the log in order from `first` on; returns how many leaves there were."""
    walking = _Walk.begin(connection, registry, faults, first, live_deadline)
    # All of it will be read: what the first rows cost does not matter.
    connection.execute("set local cursor_tuple_fraction = 1")
    with connection.cursor(name="leaves", binary=True) as cursor:
        cursor.itersize = FETCHED
        for values in cursor.execute(LEAVES, [first]):
            row = Row(*values)
            walking.take(row)
            if tree is not None:
                tree.append(row.leaf_hash)
    return walking.expected - first


@dataclass
class _Walk:
    connection: psycopg.Connection[Any]
    registry: Registry
    faults: Faults
    live_deadline: timedelta | None
    last: dict[int, tuple[int, bytes]]
    expected: int

    @classmethod
    def begin(
        cls,
        connection: psycopg.Connection[Any],
        registry: Registry,
        faults: Faults,
        first: int,
        live_deadline: timedelta | None,
    ) -> Self:
        """Where `first` is not 0: what is before it is taken as it is."""
        last: dict[int, tuple[int, bytes]] = {}
        if first:
            last = {id_: (seq, hashed) for id_, seq, hashed in
                    connection.execute(LAST_BEFORE, [first])}  # fmt: skip
            for index, signal_id, body in connection.execute(VERSION_LEAVES, [first]):
                leaf = parse_leaf(body)
                if isinstance(leaf, VersionLeaf):
                    registry.leaves[registry.by_name.get((signal_id, leaf.ver), 0)] = index
                elif isinstance(leaf, OfflineLeaf | LiveLeaf | RetiredLeaf):
                    registry.take_move(f"leaf {index}", index, signal_id, leaf, faults)
        return cls(connection, registry, faults, live_deadline, last, first)

    def take(self, row: Row) -> None:
        if row.position != self.expected:
            self._add("position", row, f"stands where leaf {self.expected} should")
        self.expected += 1
        if not hmac.compare_digest(leaf_hash(row.body), row.leaf_hash):
            self._add("hash", row, "has a hash that is not that of its body")
        last = self.last.get(row.signal_id)
        self.last[row.signal_id] = (row.seq, row.leaf_hash)
        try:
            leaf = parse_leaf(row.body)
        except LeafError as error:
            self._add("form", row, f"cannot be read: {error}")
            return
        self._check_chain(row, leaf, last)
        self._check_columns(row, leaf)
        match leaf:
            case VersionLeaf():
                self.registry.take_version(
                    row.subject, row.position, row.signal_id, leaf, self.faults
                )
            case ForecastLeaf() | MissedLeaf():
                self._check_due(row, leaf)
            case OfflineLeaf() | LiveLeaf() | RetiredLeaf():
                self.registry.take_move(row.subject, row.position, row.signal_id, leaf, self.faults)
            case AuditLeaf():
                self._check_audit(row, leaf)
            case PriceLeaf():
                self.registry.take_price(row.subject, row.signal_id, leaf, self.faults)
        if row.record is not None and not isinstance(leaf, ForecastLeaf | MissedLeaf):
            self._add("record", row, f"is {row.kind}, but slot record {row.record} claims it")

    def _add(self, check: str, row: Row, problem: str) -> None:
        self.faults.add(check, row.subject, problem)

    def _check_chain(self, row: Row, leaf: Leaf, last: tuple[int, bytes] | None) -> None:
        seq, prev = (last[0] + 1, last[1].hex()) if last else (0, "")
        if leaf.seq != seq or row.seq != seq:
            self._add(
                "chain", row, f"says seq {leaf.seq}, stored as {row.seq}, where {seq} is next"
            )
        if leaf.prev != prev:
            self._add("chain", row, f"says prev {leaf.prev!r}, but the leaf before is {prev!r}")

    def _check_columns(self, row: Row, leaf: Leaf) -> None:
        """What indexes and queries read must be what is signed."""
        kind = leaf.__struct_config__.tag
        if row.kind != kind:
            self._add("columns", row, f"is {kind}, stored as {row.kind}")
        signal = self.registry.signals.get(row.signal_id)
        if leaf.sig != signal:
            self._add("columns", row, f"is of {leaf.sig}, stored as of {signal}")
        due = (leaf.ver, leaf.slot) if isinstance(leaf, ForecastLeaf | MissedLeaf) else (None, None)
        if due != (row.version, row.slot):
            self._add("columns", row, f"is of {due}, stored as of {(row.version, row.slot)}")

    def _check_due(self, row: Row, leaf: ForecastLeaf | MissedLeaf) -> None:
        if row.record is None or row.version_id is None or row.record_slot is None:
            self._add("record", row, "has no record of its slot")
            return
        version = self.registry.versions.get(row.version_id)
        if version is None or version.version != leaf.ver or version.signal_id != row.signal_id:
            self._add("record", row, f"is of {leaf.ver}, its record of another version")
            return
        if int(row.record_slot.timestamp()) != leaf.slot:
            self._add(
                "record", row, f"is of slot {_utc(leaf.slot)}, its record of {row.record_slot}"
            )
        published = self.registry.leaves.get(version.id)
        if published is None or leaf.slot < version.published_at.timestamp():
            self._add("order", row, f"is of a slot before {leaf.ver} was published")
        if self.registry.is_retired(version.id):
            self._add("order", row, f"comes after {leaf.ver} was retired")
        if isinstance(leaf, MissedLeaf):
            if row.provenance != "missed" or (row.reason or "").split(":")[0] != leaf.why:
                self._add("record", row, f"says missed ({leaf.why}), its record {row.provenance}"
                                         f" ({row.reason})")  # fmt: skip
            return
        if leaf.vl != published:
            self._add(
                "version", row, f"names leaf {leaf.vl} as its version's, which is {published}"
            )
        self._check_forecast(row, leaf)

    def _check_forecast(self, row: Row, leaf: ForecastLeaf) -> None:
        if row.provenance not in ("live", "late"):
            self._add("record", row, f"is a forecast, its record {row.provenance}")
        version = self.registry.versions[row.version_id or 0]
        if not leaf.img == row.image_digest == version.image:
            self._add("image", row, f"says {leaf.img}, its record {row.image_digest}, its version"
                                    f" {version.image}")  # fmt: skip
        if leaf.inp != row.input_digest:
            self._add("input", row, f"says {leaf.inp}, its record {row.input_digest}")
        if (
            row.provenance == "live"
            and self.live_deadline is not None
            and row.appended_at > datetime.fromtimestamp(leaf.slot, UTC) + self.live_deadline
        ):
            self._add("live", row, f"was appended at {row.appended_at}, too late to be live")
        if row.salt is None or row.payload is None:
            self._add("opening", row, "has no opening: its forecast counts as unopened")
            return
        slot = datetime.fromtimestamp(leaf.slot, UTC)
        if len(row.salt) != SALT_BYTES or (
            commit(leaf.sig, slot, row.salt, row.payload).hex() != leaf.c
        ):
            self._add("commitment", row, "is not opened by the salt and payload beside it")
            return
        if problem := _numbers_problem(row.payload, row.numbers):
            self._add("numbers", row, problem)

    def _check_audit(self, row: Row, leaf: AuditLeaf) -> None:
        stored = self.connection.execute(VERDICT, [row.position]).fetchall()
        said = (leaf.leaf, leaf.reproduced, leaf.why)
        if stored != [said] or leaf.leaf >= row.position:
            self._add("audit", row, f"says {said}, but stored is {stored}")


def _numbers_problem(payload: bytes, numbers: str | None) -> str | None:
    """How the rows that people read differ from those that were committed to."""
    committed = {(n.symbol, n.horizon_hours): (n.point, n.quantiles, n.probability_up)
                 for n in _PAYLOAD.decode(payload)}  # fmt: skip
    stored = _NUMBERS.decode(numbers) if numbers else []
    if len(stored) != len(committed):
        return f"commits to {len(committed)} forecasts, {len(stored)} are stored"
    for symbol, hours, point, quantiles, up, is_timed in stored:
        if committed.get((symbol, hours)) != (point, quantiles, up):
            return f"commits to other numbers than are stored of {symbol} {hours} h"
        if not is_timed:
            return f"has a target time of {symbol} that is not {hours} h after its slot"
    return None


def _utc(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
