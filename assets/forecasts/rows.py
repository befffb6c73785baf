"""The rows of outcomes: one statement for each table, however many outcomes.

Arrays and `unnest` instead of COPY, which Postgres refuses on tables with
row-level security.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import psycopg

from assets.forecasts.run import Outcome
from sql.arrays import Column, byteas, float8s, int4s, int8s, texts, timestamptzs

SLOT_RECORDS = """
insert into forecast.slot_record (version_id, slot, provenance, reason, cutoff, max_batch,
  input_digest, image_digest, engine, path, wall_ms, cpu_ms, peak_memory_mb, leaf_index, log,
  recorded_at, dagster_run_id)
select new.*, %s, %s
from unnest(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) as new
returning version_id, id
"""
FORECASTS = """
insert into forecast.forecast (slot_record_id, instrument_id, horizon_hours, target_time, point,
  quantiles, probability_up)
select record, instrument, horizon, target, point, quantiles::jsonb, up
from unnest(%s, %s, %s, %s, %s, %s, %s)
  as new(record, instrument, horizon, target, point, quantiles, up)
"""
OPENINGS = """
insert into forecast.opening (slot_record_id, salt, payload)
select * from unnest(%s, %s, %s)
"""
SLOT_RECORD_COLUMNS = (
    int8s, timestamptzs, texts, texts, timestamptzs, int8s, texts, texts, texts, texts, float8s,
    float8s, float8s, int8s, texts,
)  # fmt: skip
FORECAST_COLUMNS = (int8s, int4s, int4s, timestamptzs, float8s, texts, float8s)
OPENING_COLUMNS = (int8s, byteas, byteas)


@dataclass(frozen=True)
class Entry:
    """An outcome, and what is decided about its record at the time of writing.

    Attributes:
        payload: canonical JSON of the forecasts, opened by `salt` in the leaf's commitment.
    """

    outcome: Outcome
    is_due: bool
    provenance: str
    salt: bytes
    payload: bytes

    @property
    def reason(self) -> str | None:
        missed = self.outcome.result.missed
        return str(missed) if missed else None


def insert_entries(
    connection: psycopg.Connection[Any],
    entries: Sequence[Entry],
    leaf_indices: Mapping[int, int],
    instruments: Mapping[str, int],
    now: datetime,
    dagster_run_id: str | None,
) -> dict[int, int]:
    """Insert records, forecasts and openings; returns ids of records by version.

    Args:
        connection: inside a transaction.
        entries: of different versions.
        leaf_indices: by version; none for a replay.
        instruments: ids by symbol.
        now: UTC; the records' `recorded_at`.
        dagster_run_id: noted with each record.
    """
    if not entries:
        return {}
    rows = [_slot_record(entry, leaf_indices) for entry in entries]
    ids: dict[int, int] = dict(
        connection.execute(
            SLOT_RECORDS, [now, dagster_run_id, *_columns(SLOT_RECORD_COLUMNS, rows)]
        ).fetchall()
    )
    forecasts = [
        row for entry in entries for row in _forecasts(entry, ids[entry.outcome.version.id],
                                                       instruments)
    ]  # fmt: skip
    if forecasts:
        connection.execute(FORECASTS, _columns(FORECAST_COLUMNS, forecasts))
    openings = [
        (ids[entry.outcome.version.id], entry.salt, entry.payload)
        for entry in entries
        if entry.provenance in ("live", "late")
    ]
    if openings:
        connection.execute(OPENINGS, _columns(OPENING_COLUMNS, openings))
    return ids


def _slot_record(entry: Entry, leaf_indices: Mapping[int, int]) -> tuple[Any, ...]:
    outcome, result = entry.outcome, entry.outcome.result
    return (
        outcome.version.id, result.as_of, entry.provenance, entry.reason, outcome.pin.cutoff,
        outcome.pin.max_batch, outcome.input_digest, outcome.version.image_digest, outcome.engine,
        outcome.path, result.wall_ms, result.usage.cpu_ms, result.usage.peak_memory_mb,
        leaf_indices.get(outcome.version.id), result.log.replace("\0", "\\0"),
    )  # fmt: skip


def _forecasts(
    entry: Entry, record_id: int, instruments: Mapping[str, int]
) -> Iterable[tuple[Any, ...]]:
    slot = entry.outcome.result.as_of
    for row in entry.outcome.result.rows or ():
        levels = sorted(row.quantiles.items()) if row.quantiles else None
        yield (
            record_id, instruments[row.symbol], row.horizon_hours,
            slot + timedelta(hours=row.horizon_hours), row.point,
            msgspec.json.encode(levels).decode() if levels else None, row.probability_up,
        )  # fmt: skip


def _columns(
    kinds: Sequence[Callable[[Sequence[Any]], Column]], rows: Sequence[tuple[Any, ...]]
) -> list[Column]:
    columns = zip(kinds, zip(*rows, strict=True), strict=True)
    return [kind(column) for kind, column in columns]
