"""Waiting for what another process, thread or server will bring about."""

import time
from collections.abc import Callable
from typing import Any

WAIT_SECONDS = 90.0
PAUSE_SECONDS = 0.05


def until(
    holds: Callable[[], Any],
    seconds: float = WAIT_SECONDS,
    why: Callable[[], object] | None = None,
) -> Any:
    """What `holds` gives, as soon as that is something.

    Raises:
        AssertionError: it was nothing for so long; `why` says more of it.
    """
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > deadline:
            raise AssertionError(f"nothing for {seconds:.0f} s: {why() if why else holds}")
        time.sleep(PAUSE_SECONDS)
    return found
