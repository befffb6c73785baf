"""A version's forecasts: cold for one slot, or replayed over many in lockstep.

Theory of operation: every slot ends with a `SlotResult`, which holds forecasts
or a `Missed`, never both and never neither. Errors of ours pass through as
`SandboxError` and record nothing. Seeds derive from version and slot alone, so
that the cold run, the replay and anybody's re-run draw the same numbers.
"""

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from sandbox.runner.engine import NOT_MEASURED, Engine, Usage
from sandbox.runner.errors import Missed
from sandbox.runner.image import Image
from sandbox.runner.limits import Limits
from sandbox.runner.reads import HistoricalRead
from sandbox.runner.session import Session
from sandbox.runner.validate import AnswerCheck
from signalbox import Forecast, Manifest
from signalbox.protocol import Answer
from signalbox.seed import slot_seed, version_seed

__all__ = ["Feed", "SlotResult", "replay", "run_cold", "slot_seed", "version_seed"]


@dataclass(frozen=True)
class Feed:
    """What a slot's model is given.

    Attributes:
        as_of: the slot, UTC.
        tables: symbol to Arrow IPC stream of its bars, for the manifest's symbols.
        historical: answers `window.historical` with an Arrow IPC stream under the
            slot's cut-off; may raise `RefusedReadError`.
        changes: symbol to CHANGE, what makes these tables of those of the feed
            before; None where there is none before.
        meanwhile: the host's own work, done while the model computes; not its time.
    """

    as_of: datetime
    tables: Mapping[str, bytes]
    historical: HistoricalRead
    changes: Mapping[str, bytes] | None = None
    meanwhile: Callable[[], None] | None = None


@dataclass(frozen=True)
class SlotResult:
    """One slot's outcome: `rows`, canonical, or `missed`.

    Attributes:
        log: what the model printed, and the traceback of what it raised.
        wall_ms: from launch (cold) or from the slot's revelation (replay) to the
            verified answer.
        usage: of the slot's own sandbox; nothing is known of a slot among others (replay).
    """

    as_of: datetime
    rows: tuple[Forecast, ...] | None
    missed: Missed | None
    log: str
    wall_ms: float
    usage: Usage = NOT_MEASURED


def run_cold(
    engine: Engine,
    image: Image,
    manifest: Manifest,
    version_label: str,
    feed: Feed,
    *,
    limits: Limits | None = None,
) -> SlotResult:
    """One slot in a sandbox of its own: the reference every other path must equal.

    Args:
        engine: where to run.
        image: the version's.
        manifest: the version's.
        version_label: names the version, and seeds its randomness.
        feed: the slot and what its model may see.
        limits: the manifest's under the default caps, unless given.

    Raises:
        SandboxError: ours; run the slot again.
    """
    began = time.monotonic()
    session = _session(engine, image, manifest, version_label, limits)
    rows: tuple[Forecast, ...] | None = None
    missed: Missed | None = None
    try:
        with session:
            try:
                answer = _step(session, version_label, feed, 1)
                rows = AnswerCheck(manifest).checked(answer.rows)
            except Missed as fault:
                missed = fault
            session.end()
    except Missed as fault:
        rows, missed = None, missed or fault
    log = session.take_log()
    return SlotResult(feed.as_of, rows, missed, log, _ms_since(began), session.usage)


def replay(
    engine: Engine,
    image: Image,
    manifest: Manifest,
    version_label: str,
    feeds: Iterable[Feed],
    *,
    limits: Limits | None = None,
) -> Iterator[SlotResult]:
    """Slot after slot in one process: nothing of a slot is revealed before the last answer.

    A slot's answer is looked at while the model computes the next one's, and handed
    out then; what is wrong with it cannot change which slot comes next. A process
    that holds the tables of the feed before is sent the changes only. One that dies
    costs its slot; the next slot begins in a new one. Close the generator (or exhaust
    it) to end the process.

    Raises:
        SandboxError: ours; nothing is recorded for the slot it struck.
    """
    limits = limits or Limits.of(manifest)
    check = AnswerCheck(manifest)
    session: Session | None = None
    last: _Answered | None = None
    with ExitStack() as running:
        for seq, feed in enumerate(feeds, start=1):
            began = time.monotonic()
            answer: Answer | Missed
            if session is None or not session.alive or _is_old(session, limits):
                running.close()
                session = _session(engine, image, manifest, version_label, limits)
                running.callback(session.close)
            try:
                if not session.alive:
                    session.start()
                answer = _step(session, version_label, feed, seq, last)
            except Missed as fault:
                answer = fault
            except Exception:
                if last is not None:
                    yield last.result
                raise
            wall_ms, log = _ms_since(began), session.take_log()
            if last is not None:
                yield last.result
            last = _Answered(check, feed.as_of, answer, log, wall_ms)
    if last is not None:
        yield last.result


class _Answered:
    """A slot whose answer is held; its result is made when there is time for it."""

    def __init__(
        self, check: AnswerCheck, as_of: datetime, answer: Answer | Missed, log: str, wall_ms: float
    ) -> None:
        self._check = check
        self._as_of = as_of
        self._answer = answer
        self._log = log
        self._wall_ms = wall_ms

    @functools.cached_property
    def result(self) -> SlotResult:
        rows: tuple[Forecast, ...] | None = None
        missed: Missed | None = None
        try:
            if isinstance(self._answer, Missed):
                raise self._answer
            rows = self._check.checked(self._answer.rows)
        except Missed as fault:
            missed = fault
        return SlotResult(self._as_of, rows, missed, self._log, self._wall_ms)


def _session(
    engine: Engine,
    image: Image,
    manifest: Manifest,
    version_label: str,
    limits: Limits | None,
) -> Session:
    return Session(
        engine,
        image,
        manifest,
        version_label=version_label,
        version_seed=version_seed(version_label),
        limits=limits or Limits.of(manifest),
    )


def _step(
    session: Session, version_label: str, feed: Feed, seq: int, last: _Answered | None = None
) -> Answer:
    def meanwhile() -> None:
        if feed.meanwhile is not None:
            feed.meanwhile()
        if last is not None:
            last.result  # noqa: B018 - made now, handed out later

    seed = slot_seed(version_label, feed.as_of)
    return session.answer(
        feed.as_of, seq, seed, feed.tables, feed.historical, feed.changes, meanwhile
    )


def _is_old(session: Session, limits: Limits) -> bool:
    # Before the reaper takes it for a leftover.
    return session.age_seconds > limits.lifetime_seconds / 2


def _ms_since(began: float) -> float:
    return (time.monotonic() - began) * 1000
