"""What a model that raised, or a process that ended early, is missed for."""

import contextlib
import signal

from sandbox.runner.engine import Exit
from sandbox.runner.errors import Missed, MissedKind
from signalbox.protocol import ModelError

SIGNALLED = 128
# What the model raised decides how its miss is counted; all else is `error`.
KIND_OF_EXCEPTION: dict[str, MissedKind] = {
    "MemoryError": "out_of_memory",
    "RefusedReadError": "refused",
}


class Raised(Missed):
    """The model raised; its process is intact."""


def raised(error: ModelError) -> Raised:
    """A miss that says what the model raised, in one line."""
    kind = KIND_OF_EXCEPTION.get(error.type, "error")
    detail = error.message if kind != "error" else f"{error.type}: {error.message}"
    return Raised(kind, _one_line(detail or error.type))


def ended(exit_: Exit | None, when: str) -> Missed:
    """A miss that says how; `exit_` is None for a process that only fell silent."""
    if exit_ is None:
        return Missed("invalid", f"closed its end of the protocol {when}")
    if exit_.out_of_memory:
        return Missed("out_of_memory", f"ended for want of memory {when}")
    return Missed("exit", f"ended with {_status(exit_.status)} {when}")


def _status(status: int) -> str:
    if status > SIGNALLED:
        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(status - SIGNALLED).name}"
    return f"status {status}"


def _one_line(text: str, limit: int = 500) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 3]}..."
