"""Whether a replay's answers depend on their slot alone.

Theory of operation: a replay keeps one process, so a model could carry state
from hour to hour and live runs could never repeat what it answered. Slots drawn
at random from what is on record are therefore run again, each in a fresh
sandbox, over bars cut the slow way, and must give the same digest and the same
bytes. The records stand as they are; the verdict is stored beside them.
"""

import itertools
import os
import random
import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from assets.forecasts.past import PastBars
from assets.forecasts.run import image_of
from assets.forecasts.version import PublishedVersion
from assets.installation import Installation
from assets.market_data.digest import input_digest
from assets.market_data.window import SlotPin
from sandbox.runner.engine import Engine, RunPath
from sandbox.runner.run import SlotResult, run_cold
from signalbox import Forecast

# A fresh sandbox costs some 10 ms of CPU time forked, and some 300 ms started.
SLOTS_BY_PATH: dict[RunPath, int] = {"forked": 100, "cold": 10}
AT_ONCE = os.cpu_count() or 1
CARRIED = "state carried from hour to hour, or not deterministic"

REPLAYED = """
select r.id, r.slot, r.max_batch, r.cutoff - r.slot, r.input_digest
from forecast.slot_record r
where r.version_id = %s and r.slot between %s and %s and r.path = 'replay'
order by r.slot
"""
ROWS = """
select f.slot_record_id, i.symbol, f.horizon_hours, f.point, f.quantiles, f.probability_up
from forecast.forecast f join market.instrument i on i.id = f.instrument_id
where f.slot_record_id = any(%s)
"""


@dataclass(frozen=True)
class Audit:
    """What came of running replayed slots again.

    Attributes:
        audited: how many slots.
        differing: how many of them gave another answer.
        first_difference: the earliest slot, and the first row that differs; None if none does.
        seconds: wall time.
    """

    audited: int
    differing: int
    first_difference: str | None
    seconds: float

    @property
    def verdict(self) -> str:
        """For people, in one line."""
        if not self.differing:
            return f"{self.audited} slots run again gave the same bytes"
        return (
            f"{self.differing} of {self.audited} slots differ when run again: {CARRIED};"
            f" first {self.first_difference}"
        )


class OtherBarsError(RuntimeError):
    """A slot's window cannot be made again as it was; the fault is not the model's."""

    def __init__(self, label: str, slot: datetime) -> None:
        self.slot = slot
        super().__init__(
            f"{label}: the bars of {slot:%Y-%m-%d %H:%M} UTC are not those that were replayed;"
            " run signalbox fsck"
        )


@dataclass(frozen=True)
class _Stored:
    id: int
    slot: datetime
    max_batch: int
    delay: timedelta
    input_digest: str


def audit_replay(
    installation: Installation,
    version: PublishedVersion,
    slots: Sequence[datetime],
    *,
    count: int | None = None,
    seed: int | None = None,
    dagster_run_id: str | None = None,
) -> Audit:
    """Run some replayed slots again in fresh sandboxes, and store what came of it.

    Args:
        installation: where the records are, and models run.
        version: whose replay.
        slots: ascending; of these, what a replay has on record is drawn from.
        count: how many, all where there are fewer; by the engine's path if not given.
        seed: of the draw; unforeseeable if not given.
        dagster_run_id: the run to name in the verdict.

    Raises:
        OtherBarsError: the same window cannot be made again.
        SandboxError: ours; nothing is learnt about the model.
    """
    began = time.monotonic()
    with installation.connect() as connection, closing(installation.engine()) as engine:
        there = [
            _Stored(*row) for row in connection.execute(REPLAYED, [version.id, slots[0], slots[-1]])
        ]
        wanted = SLOTS_BY_PATH[engine.path] if count is None else count
        dice = random.Random(secrets.randbits(64) if seed is None else seed)  # noqa: S311 - a draw
        drawn = sorted(dice.sample(there, min(wanted, len(there))), key=lambda one: one.slot)
        answers = _answers(connection, version, drawn)
        differences = [
            difference
            for one, fresh in _run_again(installation, connection, engine, version, drawn)
            if (difference := _difference(one.slot, answers[one.id], fresh))
        ]
        audit = Audit(
            audited=len(drawn),
            differing=len(differences),
            first_difference=differences[0] if differences else None,
            seconds=time.monotonic() - began,
        )
        if drawn:
            _store(installation, connection, version, drawn, audit, dagster_run_id)
        return audit


def _run_again(
    installation: Installation,
    connection: psycopg.Connection[Any],
    engine: Engine,
    version: PublishedVersion,
    drawn: Sequence[_Stored],
) -> Iterator[tuple[_Stored, SlotResult]]:
    image = image_of(engine, installation.images, version)
    pasts: dict[tuple[int, timedelta], PastBars] = {}
    for one in drawn:
        if (pinned := (one.max_batch, one.delay)) not in pasts:
            last = max(each.slot for each in drawn if (each.max_batch, each.delay) == pinned)
            pin = SlotPin(slot=last, cutoff=last + one.delay, max_batch=one.max_batch)
            pasts[pinned] = PastBars(connection, version, one.slot, pin)

    def run(one: _Stored) -> SlotResult:
        feed = pasts[one.max_batch, one.delay].feed(one.slot)
        if input_digest(one.slot, feed.tables) != one.input_digest:
            raise OtherBarsError(version.label, one.slot)
        return run_cold(engine, image, version.manifest, version.label, feed)

    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="sandbox") as pool:
        yield from zip(drawn, pool.map(run, drawn), strict=True)


def _answers(
    connection: psycopg.Connection[Any], version: PublishedVersion, drawn: Sequence[_Stored]
) -> dict[int, tuple[Forecast, ...]]:
    found: dict[int, dict[tuple[str, int], Forecast]] = {one.id: {} for one in drawn}
    for record_id, symbol, hours, point, quantiles, up in connection.execute(
        ROWS, [[one.id for one in drawn]]
    ):
        levels = {float(level): float(value) for level, value in quantiles} if quantiles else None
        found[record_id][symbol, hours] = Forecast(symbol, hours, point, levels, up)
    forecast = version.manifest.forecast
    order = list(itertools.product(forecast.symbols, forecast.horizons_hours))
    return {
        record_id: tuple(rows[key] for key in order if key in rows)
        for record_id, rows in found.items()
    }


def _difference(slot: datetime, stored: Sequence[Forecast], fresh: SlotResult) -> str | None:
    """The first row that differs, for people; None where all are equal."""
    if fresh.rows is None:
        return f"{slot:%Y-%m-%d %H:%M} UTC: the fresh run was missed: {fresh.missed}"
    for replayed, again in itertools.zip_longest(stored, fresh.rows):
        if replayed != again:
            row = replayed or again
            return (
                f"{slot:%Y-%m-%d %H:%M} UTC {row.symbol} {row.horizon_hours} h:"
                f" replayed {_numbers(replayed)}, fresh {_numbers(again)}"
            )
    return None


def _numbers(row: Forecast | None) -> str:
    if row is None:
        return "nothing"
    levels = " ".join(f"{level:g}: {value:g}" for level, value in (row.quantiles or {}).items())
    up = "" if row.probability_up is None else f" up {row.probability_up:g}"
    return f"{row.point:g}{f' ({levels})' if levels else ''}{up}"


def _store(
    installation: Installation,
    connection: psycopg.Connection[Any],
    version: PublishedVersion,
    drawn: Sequence[_Stored],
    audit: Audit,
    dagster_run_id: str | None,
) -> None:
    connection.execute(
        "insert into forecast.replay_audit (version_id, first_slot, last_slot, audited, differing,"
        " first_difference, dagster_run_id, audited_at) values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            version.id, drawn[0].slot, drawn[-1].slot, audit.audited, audit.differing,
            audit.first_difference, dagster_run_id, installation.clock(),
        ],
    )  # fmt: skip
