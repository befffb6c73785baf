"""A process of a model as `signalbox.testing` asks for one: in the sandbox, started cold."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from sandbox.runner.engine import Engine
from sandbox.runner.errors import Missed
from sandbox.runner.image import Image
from sandbox.runner.limits import Limits
from sandbox.runner.past import PastSession
from sandbox.runner.run import Feed, slot_seed, version_seed
from sandbox.runner.validate import AnswerCheck
from signalbox import Forecast, Manifest
from signalbox.protocol import Answer
from signalbox.testing import Given, Launch, NoAnswerError

T = TypeVar("T")


def sandboxes(engine: Engine, image: Image, manifest: Manifest, label: str) -> Launch:
    """Each call starts a sandbox of its own.

    Args:
        engine: where to run.
        image: the version's.
        manifest: the version's.
        label: names the version, and seeds its randomness.
    """

    @contextmanager
    def launch() -> Iterator[SandboxedProcess]:
        session = PastSession(
            engine, image, manifest,
            version_label=label, version_seed=version_seed(label), limits=Limits.of(manifest),
        )  # fmt: skip
        try:
            process = SandboxedProcess(session, manifest, label)
            process.start()
            yield process
        finally:
            session.close()

    return launch


class SandboxedProcess:
    """One session; see `signalbox.testing.Process`."""

    def __init__(self, session: PastSession, manifest: Manifest, label: str) -> None:
        self._session = session
        self._check = AnswerCheck(manifest)
        self._label = label
        self._seq = 0

    @property
    def alive(self) -> bool:
        return self._session.alive

    @property
    def has_history(self) -> bool:
        return self._session.has_history

    def start(self) -> None:
        self._asked(self._session.start)

    def forecast(self, given: Given) -> tuple[Forecast, ...]:
        seed = slot_seed(self._label, given.as_of)
        return self._checked(
            lambda: self._session.answer(
                given.as_of, self._next(), seed, given.tables, given.historical
            )
        )

    def look_back(self, given: Given) -> int:
        feed = Feed(given.as_of, given.tables, given.historical)
        # One seed for every length of history: only the bars differ between them.
        seed = version_seed(self._label)
        return self._asked(lambda: self._session.look_back(feed, self._next(), seed))

    def recall(self, as_of: datetime) -> tuple[Forecast, ...] | None:
        answer = self._asked(lambda: self._session.recall(as_of, self._next()))
        return self._checked(lambda: answer) if answer.rows else None

    def end(self) -> None:
        self._asked(self._session.end)

    def _checked(self, ask: Callable[[], Answer]) -> tuple[Forecast, ...]:
        return self._asked(lambda: self._check.checked(ask().rows))

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except Missed as missed:
            raise NoAnswerError(str(missed), self._session.take_log()) from missed

    def _next(self) -> int:
        self._seq += 1
        return self._seq
