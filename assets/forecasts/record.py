"""Write down what versions answered: records and their leaves, or neither.

Theory of operation: a due slot of a version gets exactly one record with
provenance `live`, `late` or `missed`, and that record one leaf, in one
transaction; a unique index refuses a second. Outcomes that come together are
written together: their number costs a handful of statements, not each of them.
Whoever writes a due record holds the log until commit, so that what another run
recorded first is seen, and stands, and costs the rest of the batch nothing.
Replays get records without a leaf: they prove nothing about what was known at
the time. Nor does a clock that stands behind the newest leaf: what is written by it
is `late`, because nobody can tell how late it is.
"""

import logging
import secrets
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from assets.forecasts.rows import Entry, insert_entries
from assets.forecasts.run import Outcome
from assets.forecasts.version import PublishedVersion
from signalbox.commitment import SALT_BYTES, commit, payload_of
from sql.log import NewLeaf, append_leaves, hold_log

logger = logging.getLogger(__name__)

# Clocks of our processes may differ by so much, and writers wait for each other.
CLOCKS_APART = timedelta(minutes=1)
NEWEST_LEAF = "select appended_at from transparency.leaf order by index desc limit 1"
DUE = ("live", "late", "missed")
ATTEMPTS = 3
FIND = """
select distinct on (r.version_id) r.version_id, r.id, r.provenance, r.reason,
       (select count(*) from forecast.forecast f where f.slot_record_id = r.id),
       r.leaf_index, r.input_digest, r.wall_ms, r.cpu_ms, r.peak_memory_mb,
       r.dagster_run_id
from forecast.slot_record r
where r.version_id = any(%s) and r.slot = %s and (not %s or r.provenance = any(%s))
order by r.version_id, r.provenance = 'missed', r.leaf_index nulls last, r.id
"""
VERSION_LEAVES = """
select v.id, l.index
from registry.version v
join transparency.leaf l on l.signal_id = v.signal_id and l.kind = 'version/v1'
 and convert_from(l.body, 'UTF8')::jsonb ->> 'ver' = v.version
where v.id = any(%s)
"""


@dataclass(frozen=True)
class Recorded:
    """The record of one version at one slot."""

    id: int
    provenance: str
    reason: str | None
    forecasts: int
    leaf_index: int | None
    input_digest: str | None
    wall_ms: float
    cpu_ms: float | None
    peak_memory_mb: float | None
    dagster_run_id: str | None


def provenance_of(
    version: PublishedVersion,
    slot: datetime,
    *,
    is_due: bool,
    has_answer: bool,
    now: datetime,
    live_deadline: timedelta,
    clock_went_back: bool = False,
) -> str:
    """How a record written at `now` came about.

    A due slot that was answered by its deadline is `live`, after it (or by a clock that went
    back) `late`, and without an answer `missed`. A replay is `backfilled` for slots before
    the version was published, `replayed` for later ones.
    """
    if not is_due:
        return "backfilled" if slot < version.published_at else "replayed"
    if not has_answer:
        return "missed"
    return "live" if now <= slot + live_deadline and not clock_went_back else "late"


def find_records(
    connection: psycopg.Connection[Any],
    version_ids: Collection[int],
    slot: datetime,
    *,
    due_only: bool,
) -> dict[int, Recorded]:
    """Records of a slot by version: the due one first, else (unless `due_only`) a replay's."""
    rows = connection.execute(FIND, [list(version_ids), slot, due_only, list(DUE)])
    return {version_id: Recorded(*rest) for version_id, *rest in rows}


def find_record(
    connection: psycopg.Connection[Any], version_id: int, slot: datetime, *, due_only: bool
) -> Recorded | None:
    """The record of one version; see `find_records`."""
    return find_records(connection, [version_id], slot, due_only=due_only).get(version_id)


class Recorder:
    """Writes the outcomes of one slot; what does not change within it is looked up once."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        versions: Sequence[PublishedVersion],
        *,
        due: Collection[int],
        live_deadline: timedelta,
        dagster_run_id: str | None = None,
    ) -> None:
        """Look up leaves and instruments.

        Args:
            connection: autocommit; used by one thread at a time.
            versions: whose outcomes will come.
            due: ids of those that owe the slot; the others' are replays.
            live_deadline: after the slot.
            dagster_run_id: noted with each record.
        """
        self._connection = connection
        self._due = frozenset(due)
        self._live_deadline = live_deadline
        self._dagster_run_id = dagster_run_id
        owing = [version.id for version in versions if version.id in self._due]
        self._version_leaves: dict[int, int] = dict(
            connection.execute(VERSION_LEAVES, [owing]).fetchall()
        )
        symbols = {symbol for version in versions for symbol in version.manifest.forecast.symbols}
        self._instruments: dict[str, int] = dict(
            connection.execute(
                "select symbol, id from market.instrument where symbol = any(%s)", [list(symbols)]
            ).fetchall()
        )

    def write(self, outcomes: Sequence[Outcome], now: datetime) -> list[Recorded]:
        """Store outcomes in one transaction and return their records, in this order.

        Where another run was faster, its record is returned. A replayed slot without
        an answer is not stored but returned.

        Raises:
            LookupError: a version has no leaf; all the others were stored.
        """
        orphans = [o.version.label for o in outcomes if not self._has_leaf(o.version.id)]
        written = self._attempt([o for o in outcomes if self._has_leaf(o.version.id)], now)
        if orphans:
            raise LookupError(f"{', '.join(orphans)} has no version leaf: run signalbox fsck")
        return written

    def _attempt(self, outcomes: Sequence[Outcome], now: datetime) -> list[Recorded]:
        if not outcomes:
            return []
        for _ in range(ATTEMPTS - 1):
            # A replay of another run, which holds no lock: the next attempt sees it.
            with suppress(psycopg.errors.UniqueViolation), self._connection.transaction():
                return self._write(outcomes, now)
        with self._connection.transaction():
            return self._write(outcomes, now)

    def _has_leaf(self, version_id: int) -> bool:
        return version_id not in self._due or version_id in self._version_leaves

    def _write(self, outcomes: Sequence[Outcome], now: datetime) -> list[Recorded]:
        went_back = False
        if any(outcome.version.id in self._due for outcome in outcomes):
            hold_log(self._connection)
            went_back = self._clock_went_back(now)
        there = self._already_there(outcomes)
        new = {
            outcome.version.id: self._entry(outcome, now, went_back)
            for outcome in outcomes
            if outcome.version.id not in there
        }
        stored = {
            id_: entry
            for id_, entry in new.items()
            if entry.is_due or entry.outcome.result.rows is not None
        }
        due = [entry for entry in stored.values() if entry.is_due]
        leaves = [self._leaf(entry) for entry in due]
        indices = dict(
            zip(
                (entry.outcome.version.id for entry in due),
                append_leaves(self._connection, leaves, now),
                strict=True,
            )
        )
        ids = insert_entries(
            self._connection, list(stored.values()), indices, self._instruments, now,
            self._dagster_run_id,
        )  # fmt: skip
        return [
            there.get(id_) or self._recorded(new[id_], ids.get(id_, 0), indices.get(id_))
            for id_ in (outcome.version.id for outcome in outcomes)
        ]

    def _already_there(self, outcomes: Sequence[Outcome]) -> dict[int, Recorded]:
        ids, slot = {outcome.version.id for outcome in outcomes}, outcomes[0].result.as_of
        found = find_records(self._connection, ids & self._due, slot, due_only=True)
        replays = find_records(self._connection, ids - self._due, slot, due_only=False)
        return found | {id_: one for id_, one in replays.items() if one.provenance not in DUE}

    def _clock_went_back(self, now: datetime) -> bool:
        row = self._connection.execute(NEWEST_LEAF).fetchone()
        if row is None or now >= row[0] - CLOCKS_APART:
            return False
        logger.error(
            "the clock says %s, and the newest leaf was written at %s: recorded as late."
            " Set this machine's clock, and compare it with the others'", now, row[0],
        )  # fmt: skip
        return True

    def _entry(self, outcome: Outcome, now: datetime, went_back: bool) -> Entry:
        result, is_due = outcome.result, outcome.version.id in self._due
        return Entry(
            outcome=outcome,
            is_due=is_due,
            provenance=provenance_of(
                outcome.version,
                result.as_of,
                is_due=is_due,
                has_answer=result.rows is not None,
                now=now,
                live_deadline=self._live_deadline,
                clock_went_back=went_back,
            ),
            salt=secrets.token_bytes(SALT_BYTES),
            payload=payload_of(result.rows or ()),
        )

    def _leaf(self, entry: Entry) -> NewLeaf:
        version, result = entry.outcome.version, entry.outcome.result
        signal = f"{version.provider}/{version.name}"
        slot = int(result.as_of.timestamp())
        facts: dict[str, Any] = {"sig": signal, "ver": version.version, "slot": slot}
        if entry.provenance == "missed":
            facts["why"] = result.missed.kind if result.missed else "not_run"
            return NewLeaf("missed/v1", version.signal_id, facts)
        facts |= {
            "vl": self._version_leaves[version.id],
            "img": version.image_digest,
            "inp": entry.outcome.input_digest,
            "c": commit(signal, result.as_of, entry.salt, entry.payload).hex(),
        }
        return NewLeaf("forecast/v1", version.signal_id, facts)

    def _recorded(self, entry: Entry, record_id: int, leaf_index: int | None) -> Recorded:
        result = entry.outcome.result
        return Recorded(
            record_id,
            entry.provenance,
            entry.reason,
            len(result.rows or ()),
            leaf_index,
            entry.outcome.input_digest,
            result.wall_ms,
            result.usage.cpu_ms,
            result.usage.peak_memory_mb,
            self._dagster_run_id,
        )


def record(
    connection: psycopg.Connection[Any],
    outcome: Outcome,
    *,
    is_due: bool,
    now: datetime,
    live_deadline: timedelta,
    dagster_run_id: str | None = None,
) -> Recorded:
    """Store one outcome; see `Recorder.write`."""
    recorder = Recorder(
        connection,
        [outcome.version],
        due=[outcome.version.id] if is_due else [],
        live_deadline=live_deadline,
        dagster_run_id=dagster_run_id,
    )
    return recorder.write([outcome], now)[0]
