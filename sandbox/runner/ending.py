"""What a process that ended early is missed for."""

import contextlib
import signal

from sandbox.runner.engine import Exit
from sandbox.runner.errors import Missed

SIGNALLED = 128


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
