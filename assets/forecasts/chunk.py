"""Write down many replayed slots at once: one statement, one transaction."""

from datetime import datetime
from typing import Any

import msgspec
import psycopg

from assets.forecasts.version import PublishedVersion
from assets.market_data.window import SlotPin
from sandbox.runner.run import SlotResult
from signalbox import Forecast

# COPY would be no faster, and Postgres refuses it where row-level security holds.
STORE = """
with slots as (
  select * from unnest(%(slots)s::timestamptz[], %(provenances)s::text[], %(digests)s::text[],
                       %(wall_ms)s::float8[], %(logs)s::text[])
    with ordinality as s (slot, provenance, input_digest, wall_ms, log, at)
), records as (
  insert into forecast.slot_record
    (version_id, slot, provenance, cutoff, max_batch, input_digest, image_digest, engine, path,
     recorded_at, wall_ms, dagster_run_id, log)
  select %(version_id)s, slot, provenance, slot + %(delay)s, %(max_batch)s, input_digest,
         %(image_digest)s, %(engine)s, 'replay', %(now)s, wall_ms, %(dagster_run_id)s, log
  from slots order by at
  returning id, slot
)
insert into forecast.forecast
  (slot_record_id, instrument_id, horizon_hours, target_time, point, quantiles, probability_up)
select r.id, f.instrument_id, f.horizon_hours, r.slot + f.horizon_hours * interval '1 hour',
       f.point, f.quantiles, f.probability_up
from unnest(%(at)s::int[], %(instruments)s::int[], %(horizons)s::int[], %(points)s::float8[],
            %(quantiles)s::jsonb[], %(ups)s::float8[])
  as f (at, instrument_id, horizon_hours, point, quantiles, probability_up)
join slots s on s.at = f.at
join records r on r.slot = s.slot
"""


class Chunk:
    """Answered slots of one version that are not on record yet.

    The values of the many forecasts are kept as the text of Postgres arrays.
    """

    def __init__(self, version: PublishedVersion, instruments: dict[str, int]) -> None:
        self._version = version
        self._instruments = instruments
        self._slots: list[datetime] = []
        self._digests: list[str] = []
        self._wall_ms: list[float] = []
        self._logs: list[str] = []
        self._at: list[int] = []
        self._rows: list[Forecast] = []
        self._quantiles: list[str] = []

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, result: SlotResult, input_digest: str) -> None:
        """Take a slot that was answered."""
        rows = result.rows or ()
        self._slots.append(result.as_of)
        self._digests.append(input_digest)
        self._wall_ms.append(result.wall_ms)
        self._logs.append(result.log.replace("\0", "\\0"))
        self._at += [len(self._slots)] * len(rows)
        self._rows += rows
        self._quantiles += [_json(row) for row in rows]

    def store(
        self,
        connection: psycopg.Connection[Any],
        *,
        pin: SlotPin,
        engine: str,
        now: datetime,
        dagster_run_id: str | None,
    ) -> None:
        """Write all of it.

        Raises:
            psycopg.errors.UniqueViolation: a slot has been replayed meanwhile.
        """
        if not self._slots:
            return
        version, rows = self._version, self._rows
        provenances = [provenance(version, slot) for slot in self._slots]
        connection.execute(
            STORE,
            {
                "slots": self._slots, "provenances": provenances, "digests": self._digests,
                "wall_ms": self._wall_ms, "logs": self._logs, "version_id": version.id,
                "delay": pin.cutoff - pin.slot, "max_batch": pin.max_batch,
                "image_digest": version.image_digest, "engine": engine, "now": now,
                "dagster_run_id": dagster_run_id, "at": _array(self._at),
                "instruments": _array([self._instruments[row.symbol] for row in rows]),
                "horizons": _array([row.horizon_hours for row in rows]),
                "points": _array([row.point for row in rows]),
                "quantiles": _array(self._quantiles),
                "ups": _array(
                    ["null" if row.probability_up is None else row.probability_up for row in rows]
                ),
            },
        )  # fmt: skip


def provenance(version: PublishedVersion, slot: datetime) -> str:
    """Of a replayed slot; see `record.provenance_of`."""
    return "backfilled" if slot < version.published_at else "replayed"


def _json(row: Forecast) -> str:
    if not row.quantiles:
        return "null"
    # Numbers and brackets only: the quotes are all that an array's text needs.
    return f'"{msgspec.json.encode(sorted(row.quantiles.items())).decode()}"'


def _array(values: list[Any]) -> str:
    return f"{{{','.join(map(str, values))}}}"
