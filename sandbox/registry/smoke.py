"""What is learnt of a model in the sandbox before anyone depends on it.

The smoke forecast (does it answer at all?), whether two fresh sandboxes give the
same bytes, whether a lockstep carries state, and the leak report; all cold, over
made-up bars. Only the first can refuse a version: the others are told, stored
with it and shown, because in lockstep a model that peeks gains nothing.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from sandbox.registry.errors import SmokeError
from sandbox.registry.examined import sandboxes
from sandbox.runner.engine import Engine
from sandbox.runner.image import Image
from sandbox.runner.run import Feed
from signalbox import Manifest
from signalbox.testing import Examination, NoAnswerError, examine, made_up_past

LOG_LINES = 12
STATE = "answers differ between a fresh process and one that ran before: state is carried over"


def smoke(engine: Engine, image: Image, manifest: Manifest, label: str) -> Examination:
    """Have the model answer, and say what was seen.

    Raises:
        SmokeError: it gave no valid forecast; carries the end of its log.
        SandboxError: ours.
    """
    past = made_up_past(manifest.forecast.symbols)
    try:
        return examine(sandboxes(engine, image, manifest, label), manifest, past)
    except NoAnswerError as error:
        tail = "\n".join(error.log.splitlines()[-LOG_LINES:])
        told_why = f"app.py: no valid forecast in the sandbox: {error.reason}\n{tail}"
        # The model's own words, and no database keeps a NUL.
        raise SmokeError(told_why.replace("\0", "\ufffd")) from error


def told(examined: Examination, engine: str) -> Iterator[str]:
    """For the pusher."""
    same = "" if examined.deterministic else "; NOT deterministic: two runs of one hour differ"
    yield f"sandbox     answered validly twice under {engine}{same}"
    if examined.carries_state:
        yield f"state       {STATE}"
    first, *more = examined.leak.lines()
    yield f"leak        {first}"
    yield from (f"            {line}" for line in more)


def stored(examined: Examination) -> dict[str, Any]:
    """As the version keeps it: the leak report, and whether state is carried over."""
    report: dict[str, Any] = msgspec.to_builtins(examined.leak)
    return {**report, "carries_state": examined.carries_state}


def made_up_feed(manifest: Manifest) -> Feed:
    """The last hour of a market that never was, for all that the manifest names."""
    past = made_up_past(manifest.forecast.symbols)
    given = past.given(past.end, manifest.forecast.lookback_hours)
    return Feed(as_of=given.as_of, tables=given.tables, historical=given.historical)
