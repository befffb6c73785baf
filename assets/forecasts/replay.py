"""One version over many past slots, in lockstep, on record a chunk at a time.

Theory of operation: one sandbox is kept, and hour after hour is revealed to it.
While the model computes, the host hashes the window that it gave and takes down
the answer before; a thread with a connection of its own writes full chunks. What
is on record already is not run again, so that a replay that was interrupted goes
on after its last chunk. A model's failure is reported and not stored; the
platform's own is raised, and what was answered until then is stored.
"""

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import psycopg

from assets.forecasts.chunk import Chunk, provenance
from assets.forecasts.past import PastBars
from assets.forecasts.run import image_of
from assets.forecasts.version import PublishedVersion
from assets.installation import Installation
from assets.market_data.steps import Step
from assets.market_data.window import SlotPin, instrument_ids, pin
from sandbox.runner.engine import Engine
from sandbox.runner.run import Feed, SlotResult, replay

CHUNK_SLOTS = 1000
REPLAY_LOCK = 3
"""First key of the advisory lock that a replay holds; the second is its version."""

RECORDED = """
select distinct on (r.slot) r.slot, r.provenance,
       (select count(*) from forecast.forecast f where f.slot_record_id = r.id)
from forecast.slot_record r
where r.version_id = %s and r.slot between %s and %s and r.reason is null
order by r.slot, r.leaf_index nulls last, r.id
"""


class AlreadyReplayingError(RuntimeError):
    """Another replay of the version is running; its answers would be written twice."""

    def __init__(self, version: PublishedVersion) -> None:
        super().__init__(
            f"{version.label} is being replayed by another run: wait for it to end, or end it,"
            " then replay again; what is on record then is not run twice"
        )


@dataclass(frozen=True)
class Replayed:
    """A slot of a replay: answered now, on record already, or missed.

    Attributes:
        forecasts: how many it has.
        reason: why it has none; such a slot is not stored.
        is_new: whether it was run now.
    """

    slot: datetime
    provenance: str
    forecasts: int
    reason: str | None
    is_new: bool


def replay_version(
    installation: Installation,
    version: PublishedVersion,
    slots: Sequence[datetime],
    *,
    dagster_run_id: str | None = None,
) -> Generator[Replayed]:
    """Replay the slots that have no forecast yet, oldest first.

    All that was answered is on record when the generator has ended, however it
    ended: exhausted, closed or by an error.

    Args:
        installation: where bars and records are, and models run.
        version: whose past.
        slots: ascending.
        dagster_run_id: the run to name in the records.

    Raises:
        AlreadyReplayingError: another replay of this version has not ended.
        SandboxError: ours; replay again, it goes on where this one stopped.
    """
    if not slots:
        return
    with (
        installation.connect() as connection,
        installation.connect() as writing,
        _held(writing, version),
    ):
        there = _recorded(connection, version, slots)
        for slot in slots:
            if slot in there:
                yield there[slot]
        left = [slot for slot in slots if slot not in there]
        if not left:
            return
        pinned = pin(connection, left[-1], installation.feed_delay)
        ids = instrument_ids(connection, version.manifest.forecast.symbols)
        bars = PastBars(connection, version, left[0], pinned)
        with (
            closing(installation.engine()) as engine,
            _Recorder(
                installation, writing, version, ids, pinned, engine.name, dagster_run_id
            ) as recorder,
        ):
            yield from _replayed(installation, engine, version, bars, left, recorder)


@contextmanager
def _held(connection: psycopg.Connection[Any], version: PublishedVersion) -> Iterator[None]:
    """Be the version's only replay: until the block ends, or at the latest the connection."""
    lock = [REPLAY_LOCK, version.id]
    row = connection.execute("select pg_try_advisory_lock(%s, %s::int)", lock).fetchone()
    if row != (True,):
        raise AlreadyReplayingError(version)
    try:
        yield
    finally:
        # The server notices the end of a connection a little later than whoever replays next.
        with suppress(psycopg.Error):
            connection.execute("select pg_advisory_unlock(%s, %s::int)", lock)


def _recorded(
    connection: psycopg.Connection[Any], version: PublishedVersion, slots: Sequence[datetime]
) -> dict[datetime, Replayed]:
    return {
        slot: Replayed(slot, how, forecasts, reason=None, is_new=False)
        for slot, how, forecasts in connection.execute(RECORDED, [version.id, slots[0], slots[-1]])
    }


def _replayed(
    installation: Installation,
    engine: Engine,
    version: PublishedVersion,
    bars: PastBars,
    slots: Sequence[datetime],
    recorder: "_Recorder",
) -> Iterator[Replayed]:
    image = image_of(engine, installation.images, version)
    digests: dict[datetime, str] = {}

    def feeds() -> Iterator[Feed]:
        for step in bars.steps(slots):

            def meanwhile(step: Step = step) -> None:
                digests[step.slot] = step.input_digest
                recorder.take_down()

            read = bars.historical(step.slot)
            yield Feed(step.slot, _Tables(step), read, step.changes, meanwhile)

    for result in replay(engine, image, version.manifest, version.label, feeds()):
        digest = digests.pop(result.as_of, "")
        if result.rows is not None:
            recorder.add(result, digest)
        yield Replayed(
            result.as_of,
            provenance(version, result.as_of),
            len(result.rows or ()),
            str(result.missed) if result.missed else None,
            is_new=True,
        )


class _Tables(dict[str, bytes]):
    """Whole tables of a step, made when a process needs them."""

    def __init__(self, step: Step) -> None:
        self._step = step

    def __missing__(self, symbol: str) -> bytes:
        return self._step.table(symbol)


class _Recorder:
    """Takes answers, and stores them a chunk at a time while the replay goes on."""

    def __init__(
        self,
        installation: Installation,
        connection: psycopg.Connection[Any],
        version: PublishedVersion,
        instruments: dict[str, int],
        pinned: SlotPin,
        engine: str,
        dagster_run_id: str | None,
    ) -> None:
        self._installation = installation
        self._connection = connection
        self._version = version
        self._instruments = instruments
        self._pin = pinned
        self._engine = engine
        self._dagster_run_id = dagster_run_id
        self._answers: list[tuple[SlotResult, str]] = []
        self._chunk = Chunk(version, instruments)
        self._writing: Future[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="replay-writer")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._thread:
            self.take_down()
            self._write()
            self._wait()

    def add(self, result: SlotResult, input_digest: str) -> None:
        """Keep an answer until there is time for it."""
        self._answers.append((result, input_digest))

    def take_down(self) -> None:
        """Put the answers into the chunk; a full one goes to the writer."""
        for result, digest in self._answers:
            self._chunk.add(result, digest)
        self._answers.clear()
        if len(self._chunk) >= CHUNK_SLOTS:
            self._write()

    def _write(self) -> None:
        self._wait()
        chunk, self._chunk = self._chunk, Chunk(self._version, self._instruments)
        self._writing = self._thread.submit(
            chunk.store,
            self._connection,
            pin=self._pin,
            engine=self._engine,
            now=self._installation.clock(),
            dagster_run_id=self._dagster_run_id,
        )

    def _wait(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()
