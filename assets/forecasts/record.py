"""Write down what a version answered: the record and its leaf, or neither.

Theory of operation: a due slot of a version gets exactly one record with
provenance `live`, `late` or `missed`, and that record one leaf, in one
transaction; a unique index refuses a second. Replays get records without a
leaf: they prove nothing about what was known at the time.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from assets.forecasts.run import Outcome
from assets.forecasts.version import PublishedVersion
from signalbox.commitment import SALT_BYTES, commit, payload_of
from sql.log import append_leaf

DUE = ("live", "late", "missed")


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


def provenance_of(
    version: PublishedVersion,
    slot: datetime,
    *,
    is_due: bool,
    has_answer: bool,
    now: datetime,
    live_deadline: timedelta,
) -> str:
    """How a record written at `now` came about.

    A due slot that was answered by its deadline is `live`, after it `late`, and
    without an answer `missed`. A replay is `backfilled` for slots before the
    version was published, `replayed` for later ones.
    """
    if not is_due:
        return "backfilled" if slot < version.published_at else "replayed"
    if not has_answer:
        return "missed"
    return "live" if now <= slot + live_deadline else "late"


def find_record(
    connection: psycopg.Connection[Any], version_id: int, slot: datetime, *, due_only: bool
) -> Recorded | None:
    """The record of a slot: the due one first, else (unless `due_only`) a replay's."""
    row = connection.execute(
        "select r.id, r.provenance, r.reason, (select count(*) from forecast.forecast f"
        " where f.slot_record_id = r.id), r.leaf_index, r.input_digest, r.wall_ms"
        " from forecast.slot_record r where r.version_id = %s and r.slot = %s"
        " and (not %s or r.provenance = any(%s))"
        " order by r.provenance = 'missed', r.leaf_index nulls last, r.id limit 1",
        [version_id, slot, due_only, list(DUE)],
    ).fetchone()
    return Recorded(*row) if row else None


def record(
    connection: psycopg.Connection[Any],
    outcome: Outcome,
    *,
    is_due: bool,
    now: datetime,
    live_deadline: timedelta,
    dagster_run_id: str | None = None,
) -> Recorded:
    """Store an outcome; a replayed slot without an answer is not stored but returned.

    Raises:
        psycopg.errors.UniqueViolation: the slot has such a record already.
    """
    version, result = outcome.version, outcome.result
    provenance = provenance_of(
        version,
        result.as_of,
        is_due=is_due,
        has_answer=result.rows is not None,
        now=now,
        live_deadline=live_deadline,
    )
    reason = str(result.missed) if result.missed else None
    if result.rows is None and not is_due:
        return Recorded(0, provenance, reason, 0, None, outcome.input_digest, result.wall_ms)
    with connection.transaction():
        salt, payload = secrets.token_bytes(SALT_BYTES), payload_of(result.rows or ())
        leaf_index = _leaf(connection, outcome, provenance, salt, payload, now) if is_due else None
        record_id = _slot_record(
            connection, outcome, provenance, reason, leaf_index, now, dagster_run_id
        )
        if result.rows is not None:
            _forecasts(connection, record_id, outcome)
        if provenance in ("live", "late"):
            connection.execute(
                "insert into forecast.opening (slot_record_id, salt, payload) values (%s, %s, %s)",
                [record_id, salt, payload],
            )
    return Recorded(
        record_id,
        provenance,
        reason,
        len(result.rows or ()),
        leaf_index,
        outcome.input_digest,
        result.wall_ms,
    )


def _leaf(
    connection: psycopg.Connection[Any],
    outcome: Outcome,
    provenance: str,
    salt: bytes,
    payload: bytes,
    now: datetime,
) -> int:
    version, slot = outcome.version, outcome.result.as_of
    signal = f"{version.provider}/{version.name}"
    facts: dict[str, Any] = {"sig": signal, "ver": version.version, "slot": int(slot.timestamp())}
    if provenance == "missed":
        kind = "missed/v1"
        facts["why"] = outcome.result.missed.kind if outcome.result.missed else "not_run"
    else:
        kind = "forecast/v1"
        facts |= {
            "vl": _version_leaf(connection, version),
            "img": version.image_digest,
            "inp": outcome.input_digest,
            "c": commit(signal, slot, salt, payload).hex(),
        }
    return append_leaf(connection, kind=kind, signal_id=version.signal_id, facts=facts, now=now)


def _version_leaf(connection: psycopg.Connection[Any], version: PublishedVersion) -> int:
    row = connection.execute(
        "select index from transparency.leaf where signal_id = %s and kind = 'version/v1'"
        " and convert_from(body, 'UTF8')::jsonb ->> 'ver' = %s",
        [version.signal_id, version.version],
    ).fetchone()
    if row is None:
        raise LookupError(f"{version.label} has no version leaf: run signalbox fsck")
    return int(row[0])


def _slot_record(
    connection: psycopg.Connection[Any],
    outcome: Outcome,
    provenance: str,
    reason: str | None,
    leaf_index: int | None,
    now: datetime,
    dagster_run_id: str | None,
) -> int:
    result, pin = outcome.result, outcome.pin
    row = connection.execute(
        "insert into forecast.slot_record (version_id, slot, provenance, reason, cutoff, max_batch,"
        " input_digest, image_digest, engine, path, recorded_at, wall_ms, cpu_ms, peak_memory_mb,"
        " dagster_run_id, leaf_index, log) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,"
        " %s, %s, %s, %s, %s) returning id",
        [
            outcome.version.id, result.as_of, provenance, reason, pin.cutoff, pin.max_batch,
            outcome.input_digest, outcome.version.image_digest, outcome.engine,
            outcome.path, now, result.wall_ms, result.usage.cpu_ms, result.usage.peak_memory_mb,
            dagster_run_id, leaf_index, result.log.replace("\0", "\\0"),
        ],
    ).fetchone()  # fmt: skip
    assert row is not None  # noqa: S101 - returning
    return int(row[0])


def _forecasts(connection: psycopg.Connection[Any], record_id: int, outcome: Outcome) -> None:
    rows = outcome.result.rows or ()
    ids = dict(
        connection.execute(
            "select symbol, id from market.instrument where symbol = any(%s)",
            [list({row.symbol for row in rows})],
        ).fetchall()
    )
    slot = outcome.result.as_of
    connection.cursor().executemany(
        "insert into forecast.forecast (slot_record_id, instrument_id, horizon_hours, target_time,"
        " point, quantiles, probability_up) values (%s, %s, %s, %s, %s, %s, %s)",
        [
            [
                record_id, ids[row.symbol], row.horizon_hours,
                slot + timedelta(hours=row.horizon_hours), row.point,
                Jsonb(sorted(row.quantiles.items()), dumps=_dumps) if row.quantiles else None,
                row.probability_up,
            ]
            for row in rows
        ],
    )  # fmt: skip


def _dumps(value: Any) -> bytes:
    return msgspec.json.encode(value)
