"""Ends what outlived its platform, on every engine of this machine."""

from datetime import datetime
from typing import get_args

from sandbox.runner.engine import EngineName, available_engine
from sandbox.runner.errors import SandboxUnavailableError


def reap_everywhere(now: datetime) -> tuple[str, ...]:
    """End and remove sandboxes and zygotes past their deadline.

    An engine that does not answer has nothing to end, or is looked at next time.

    Args:
        now: the machine's clock, UTC, by which deadlines were set; never a demonstration's.

    Returns:
        `engine: label or group` of each that was ended.
    """
    ended: list[str] = []
    for name in get_args(EngineName):
        try:
            engine = available_engine(name)
        except SandboxUnavailableError:
            continue
        try:
            ended += (f"{name}: {label}" for label in engine.reap(now))
        except SandboxUnavailableError:
            continue
        finally:
            engine.close()
    return tuple(ended)
