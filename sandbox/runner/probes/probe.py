"""What one attempt is, and what counts as its being held."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Holds:
    """Outcomes that are right, and the word for them.

    Attributes:
        word: what people read: `refused`, `nothing there`.
        outcomes: names of errnos or exceptions, or values, any of which is right.
    """

    word: str
    outcomes: tuple[str, ...]


REFUSED = Holds("refused", ("EPERM", "ENOSYS"))
NOTHING_THERE = Holds(
    "nothing there", ("ENOENT", "EACCES", "ENOTDIR", "EPERM", "ENXIO", "ESRCH", "empty", "[]")
)
NOT_WRITABLE = Holds(
    "not writable", ("EROFS", "EACCES", "EPERM", "ENOENT", "ENOTDIR", "EINVAL", "ETXTBSY", "EXDEV")
)
NOT_STOPPED = Holds("not stopped", ("done",))


@dataclass(frozen=True)
class Probe:
    """One attempt.

    Attributes:
        name: what is tried.
        source: a Python expression, evaluated inside with the helpers of `app.HELPERS`;
            `done` is the outcome of what got through.
        right: what it must run into.
        lack: words of an engine's `guarantees().lacks` by which it is known not to
            stop this; where they stand, `NOT_STOPPED` is right instead.
    """

    name: str
    source: str
    right: Holds
    lack: str | None = None

    def expected(self, lacks: Iterable[str]) -> Holds:
        """What is right under an engine that lacks so much."""
        if self.lack is not None and any(self.lack in line for line in lacks):
            return NOT_STOPPED
        return self.right


def value(text: str) -> Holds:
    """Right is this value alone."""
    return Holds(text, (text,))
