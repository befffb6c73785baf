"""What a push's hooks tell the git process of it: how long each step took, and how it ended.

The git process reads one end of a pipe when the push is over; the hooks inherit the other. A push
whose hooks were killed has told what it had come to, and no outcome.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import msgspec

VARIABLE = "SIGNALBOX_PUSH_REPORT"
MAX_BYTES = 65_536  # what a pipe holds

Outcome = Literal["published", "taken", "declined", "failed"]
# Words that a build says when it has come to them, and what the hooks do around it.
Step = Literal["wait", "reserved", "tree", "manifest", "lock", "scan", "image", "sandbox", "leak",
               "provenance", "publish"]  # fmt: skip


class StepTook(msgspec.Struct, frozen=True, tag="step"):
    """One step, in seconds; when it ended, in unix seconds."""

    step: Step
    seconds: float
    ended: float = 0.0


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """`taken`: branches alone; `declined`: theirs to mend; `failed`: ours."""

    outcome: Outcome


class Report:
    """The hooks' end; tells nobody where nobody listens."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._since = time.monotonic()

    @classmethod
    def of_environment(cls) -> "Report":
        """Of the push that this hook is part of."""
        text = os.environ.get(VARIABLE)
        return cls(int(text) if text else None)

    def ended(self, outcome: Outcome) -> None:
        """Later ones count: what was taken may have been published."""
        self._tell(Ended(outcome))

    @contextmanager
    def step(self, step: Step) -> Iterator[None]:
        """Time one step."""
        began = time.monotonic()
        yield
        self._tell(StepTook(step, time.monotonic() - began, time.time()))

    def timing(self, say: Callable[[str], None]) -> Callable[[str], None]:
        """Passes on what a build says, and takes its first word as what was done until then."""
        self._since = time.monotonic()

        def timed(text: str) -> None:
            word, now = text.partition(" ")[0], time.monotonic()
            try:
                step = msgspec.convert(word, Step)
            except msgspec.ValidationError:
                pass
            else:
                self._tell(StepTook(step, now - self._since, time.time()))
            self._since = now
            say(text)

        return timed

    def _tell(self, one: StepTook | Ended) -> None:
        if self._descriptor is not None:
            os.write(self._descriptor, msgspec.json.encode(one) + b"\n")


def read_report(descriptor: int) -> list[StepTook | Ended]:
    """What has been told until now; what is cut off is left out."""
    try:
        text = os.read(descriptor, MAX_BYTES)
    except BlockingIOError:
        return []
    found: list[StepTook | Ended] = []
    for line in text.splitlines():
        try:
            found.append(msgspec.json.decode(line, type=StepTook | Ended))
        except msgspec.DecodeError:
            break
    return found
