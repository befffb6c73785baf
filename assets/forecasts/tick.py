"""One slot of many versions: run as there is room, handed back as they come.

Theory of operation: `admission.py` says who is next; a run that ends starts the
next itself, so that the sandboxes never wait for the database. Outcomes are
collected for a moment and handed back many at a time, because a transaction for
many costs little more than one for one; a slow run keeps nobody's outcome back.
A model's failure is an outcome. A failure of ours costs its own version only: it
is raised when all others have answered, or at once where it strikes again and
again, and nothing is recorded for the versions that it struck.
"""

import queue
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Self

import psycopg

from assets.forecasts.admission import Admission, Room
from assets.forecasts.feed import SlotBars
from assets.forecasts.run import Outcome, image_of
from assets.forecasts.version import PublishedVersion
from assets.market_data.window import SlotPin
from sandbox.registry.image import ImageStore
from sandbox.runner.engine import Engine
from sandbox.runner.run import run_cold
from sql import logs, traces

BATCH = 50
BATCH_SECONDS = 0.1
FAULTS_TO_GIVE_UP = 5
# Slower than any of its last runs is what a version must not be taken for.
RECENT_COST = """
select version.id, max(recent.wall_ms)
from unnest(%s::bigint[]) as version(id)
cross join lateral (
  select r.wall_ms from forecast.slot_record r
  where r.version_id = version.id and r.provenance in ('live', 'late', 'missed')
  order by r.slot desc limit 3) recent
group by version.id
"""


def tick(
    connection: psycopg.Connection[Any],
    engine: Engine,
    images: ImageStore,
    versions: Sequence[PublishedVersion],
    pin: SlotPin,
    room: Room | None = None,
) -> Generator[list[Outcome], None, None]:
    """Run every version once at the pinned slot; outcomes in the order in which they end.

    Args:
        connection: used for reads only, from several threads in turn.
        engine: where to run.
        images: the store the versions were built into.
        versions: at least one.
        pin: the slot.
        room: what they may take together; this machine's, unless given.

    Raises:
        SandboxError: ours, the first of them, after every outcome there was.
    """
    bars = SlotBars(connection, versions, pin)
    costs = recent_cost_ms(connection, [version.id for version in versions])

    def run(version: PublishedVersion) -> Outcome:
        pinned = bars.feed(version)
        image = image_of(engine, images, version)
        result = run_cold(engine, image, version.manifest, version.label, pinned.feed)
        return Outcome(version, pinned.pin, pinned.input_digest, result, engine.name, engine.path)

    room = room or Room.of_machine()
    with _Runs(run, Admission(versions, costs, room), room.runs) as runs:
        yield from runs.batches()


def recent_cost_ms(
    connection: psycopg.Connection[Any], version_ids: Collection[int]
) -> dict[int, float]:
    """The slowest of each version's last three due slots; without those who have none."""
    return dict(connection.execute(RECENT_COST, [list(version_ids)]).fetchall())


class _Runs:
    """The threads of a tick; what they did comes back through one queue."""

    def __init__(
        self, run: Callable[[PublishedVersion], Outcome], admission: Admission, threads: int
    ) -> None:
        self._run = run
        self._admission = admission
        self._lock = threading.Lock()
        self._done: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._faults: list[Exception] = []
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sandbox")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._admission.give_up()
        self._pool.shutdown()

    def batches(self) -> Iterator[list[Outcome]]:
        while batch := self._next_batch():
            yield batch
        if self._faults:
            first, *others = self._faults
            if others:
                first.add_note(f"and {len(others)} more, the last: {others[-1]}")
            raise first

    def _next_batch(self) -> list[Outcome]:
        """What has come; empty when nothing runs or waits any more."""
        batch: list[Outcome] = []
        until = None
        while len(batch) < BATCH:
            self._start_what_fits()
            with self._lock:
                is_over = not (self._admission.running or self._admission.waiting)
                to_room = self._admission.seconds_to_room(time.monotonic())
            waits = [w for w in (to_room, until and until - time.monotonic()) if w is not None]
            try:
                # Nothing is put after the end: what is there now is all.
                batch.append(
                    self._done.get_nowait()
                    if is_over
                    else self._done.get(timeout=max(min(waits, default=BATCH_SECONDS), 0.001))
                )
            except queue.Empty:
                if is_over or (until and time.monotonic() >= until):
                    break
            if batch and until is None:
                until = time.monotonic() + BATCH_SECONDS
        return batch

    def _start_what_fits(self) -> None:
        with self._lock:
            while (version := self._admission.start_next(time.monotonic())) is not None:
                # A thread of its own knows of which run and slot it is.
                self._pool.submit(copy_context().run, self._run_one, version)

    def _run_one(self, version: PublishedVersion) -> None:
        try:
            with (
                logs.bound(signal=f"{version.provider}/{version.name}", version=version.version),
                traces.span("sandbox", version=version.label),
            ):
                self._done.put(self._run(version))
        except Exception as fault:  # noqa: BLE001 - ours, whatever it is: raised by `batches`
            fault.add_note(f"while running {version.label}")
            self._faults.append(fault)
        with self._lock:
            self._admission.end(version.id)
            if len(self._faults) >= FAULTS_TO_GIVE_UP:
                self._admission.give_up()
            is_closing = not self._admission.waiting
        if not is_closing:
            self._start_what_fits()
