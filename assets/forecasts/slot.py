"""A slot, from its pin to its records.

Theory of operation: `run_slot` shows what is recorded already, runs what is not,
and writes it down batch by batch. Within a Dagster run, where the versions are
spread over steps that follow one another, `SlotRuns` has the first step start all
of them in a thread of their own: records never wait for a step, and a slow version
of one shard does not keep the next shard's back. Each step then takes its own.
Where steps are spread over several workers, each has those of its own steps.
"""

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

import psycopg

from assets.forecasts.admission import Room
from assets.forecasts.record import Recorded, Recorder, find_records
from assets.forecasts.run_pin import pin_of_run
from assets.forecasts.tick import tick
from assets.forecasts.version import PublishedVersion, due_slots
from assets.installation import Installation
from assets.market_data.window import SlotPin, pin
from sandbox.runner.engine import Engine
from sql import logs, traces

Settled = list[tuple[PublishedVersion, Recorded]]


def run_slot(
    installation: Installation,
    engine: Engine,
    versions: Sequence[PublishedVersion],
    slot: datetime,
    *,
    dagster_run_id: str | None = None,
) -> Iterator[Settled]:
    """Records of a slot, as they come; versions that are offline and have none give none.

    A slot that this very run recorded as missed stays so; an earlier run's miss is
    run again, as a replay.

    Raises:
        SandboxError: ours, when all other outcomes are recorded.
    """
    with installation.connect() as connection, installation.connect() as reading:
        due = set(due_slots(connection, installation.clock()).get(slot, []))
        others = [version.id for version in versions if version.id not in due]
        there = {
            version_id: done
            for version_id, done in find_records(connection, others, slot, due_only=False).items()
            if done.provenance != "missed"
            or (dagster_run_id is not None and done.dagster_run_id == dagster_run_id)
        }
        yield [(version, there[version.id]) for version in versions if version.id in there]
        waiting = [
            version
            for version in versions
            if version.id not in there
            and (version.state == "live" or version.id in due or slot < version.published_at)
        ]
        if not waiting:
            return
        recorder = Recorder(
            connection,
            waiting,
            due=due,
            live_deadline=installation.live_deadline,
            dagster_run_id=dagster_run_id,
        )
        with traces.span("pin"):
            pinned = _pin(installation, connection, slot, dagster_run_id)
        room = Room.of_machine(installation.memory_budget_mb)
        with closing(tick(reading, engine, installation.images, waiting, pinned, room)) as batches:
            for outcomes in batches:
                with traces.span("record", outcomes=len(outcomes)):
                    written = recorder.write(outcomes, installation.clock())
                yield [
                    (outcome.version, one) for outcome, one in zip(outcomes, written, strict=True)
                ]


def _pin(
    installation: Installation,
    connection: psycopg.Connection[Any],
    slot: datetime,
    dagster_run_id: str | None,
) -> SlotPin:
    delay = installation.feed_delay
    if dagster_run_id is None:
        return pin(connection, slot, delay)
    return pin_of_run(connection, slot, delay, dagster_run_id, installation.clock())


class _SlotRun:
    """All versions of one slot in one thread; any thread may ask for its own."""

    def __init__(
        self,
        installation: Installation,
        engine: Engine,
        versions: Sequence[PublishedVersion],
        slot: datetime,
        dagster_run_id: str,
    ) -> None:
        self._settled: dict[int, tuple[PublishedVersion, Recorded]] = {}
        self._changed = threading.Condition()
        self._fault: Exception | None = None
        self._is_over = False
        self._thread = threading.Thread(
            target=logs.bound(run_id=dagster_run_id, slot=f"{slot:%Y-%m-%dT%H:%MZ}")(self._run),
            args=(installation, engine, versions, slot, dagster_run_id),
            name=f"slot {slot:%Y-%m-%dT%H}",
            daemon=True,
        )
        self._thread.start()

    @property
    def has_failed(self) -> bool:
        return self._fault is not None

    def results(self, version_ids: Collection[int]) -> Iterator[Settled]:
        """What comes of these versions, until all is there or the run is over.

        Raises:
            Exception: what ended the run before these versions had their records.
        """
        left = set(version_ids)
        while left:
            with self._changed:
                while not (left & self._settled.keys() or self._is_over):
                    self._changed.wait()
                found = [self._settled[id_] for id_ in sorted(left & self._settled.keys())]
            if not found:
                break
            left -= {version.id for version, _ in found}
            yield found
        if left and self._fault is not None:
            raise self._fault

    def join(self) -> None:
        self._thread.join()

    def _run(
        self,
        installation: Installation,
        engine: Engine,
        versions: Sequence[PublishedVersion],
        slot: datetime,
        dagster_run_id: str,
    ) -> None:
        try:
            with traces.of_run(dagster_run_id), traces.span("slot", slot=f"{slot:%Y-%m-%dT%H:%MZ}"):
                for batch in run_slot(
                    installation, engine, versions, slot, dagster_run_id=dagster_run_id
                ):
                    with self._changed:
                        self._settled |= {version.id: (version, done) for version, done in batch}
                        self._changed.notify_all()
        except Exception as fault:  # noqa: BLE001 - raised to whoever waits for these versions
            self._fault = fault
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()


class SlotRuns:
    """The slots that one Dagster run is at, and the engine that they share; `close` it."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._engine: Engine | None = None
        self._runs: dict[datetime, _SlotRun] = {}

    def results(
        self,
        version_ids: Collection[int],
        versions: Sequence[PublishedVersion],
        slot: datetime,
        dagster_run_id: str,
    ) -> Iterator[Settled]:
        """Records of `version_ids`; whoever asks first starts all of `versions`.

        Raises:
            Exception: what struck one of these; asking again runs it again.
        """
        run = self._runs.get(slot)
        if run is None or run.has_failed:
            if self._engine is None:
                self._engine = self._installation.engine()
            run = self._runs[slot] = _SlotRun(
                self._installation, self._engine, versions, slot, dagster_run_id
            )
        yield from run.results(version_ids)

    def close(self) -> None:
        """End what runs, and wait until it has ended."""
        if self._engine is not None:
            self._engine.close()
        for run in self._runs.values():
            run.join()
