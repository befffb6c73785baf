"""Escape attempts to make from inside, and what each must run into.

`app_source()` is a model that tries all of them in one run and prints one line
each; `judged(log)` says how each ended, `leaks(log)` names those that got
through. `signalbox doctor` runs it on the machine it is on, and the tests under
every engine.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.runner.probes import app, calls, files, processes
from sandbox.runner.probes.app import MANIFEST
from sandbox.runner.probes.probe import NOT_STOPPED, Probe

__all__ = ["MANIFEST", "PROBES", "Judged", "Probe", "app_source", "judged", "leaks", "outcomes"]

PROBES: tuple[Probe, ...] = (*calls.PROBES, *files.PROBES, *processes.PROBES)
NEVER_TRIED = "never tried"


@dataclass(frozen=True)
class Judged:
    """How one attempt ended.

    Attributes:
        outcome: what it ran into, or the value it got.
        held: whether that is right under this engine.
        word: the word for it: of the right outcome, else the outcome itself.
        known: it got through, and the engine says in its guarantees that it would.
    """

    probe: Probe
    outcome: str
    held: bool
    word: str
    known: bool


def app_source(probes: Iterable[Probe] = PROBES) -> str:
    """`app.py` of a model that tries them, prints the outcomes and answers `MANIFEST`."""
    return app.app_source(probes)


def outcomes(log: str) -> dict[str, str]:
    """Probe's name to what it ran into, from the model's log.

    >>> outcomes("probe fork = EPERM")
    {'fork': 'EPERM'}
    """
    return dict(re.findall(r"^probe (.+?) = (.*)$", log, re.MULTILINE))


def judged(
    log: str, lacks: Iterable[str] = (), probes: Iterable[Probe] = PROBES
) -> tuple[Judged, ...]:
    """Each attempt, against what is right under an engine that lacks so much."""
    found, lines = outcomes(log), tuple(lacks)
    return tuple(_judge(probe, found.get(probe.name, NEVER_TRIED), lines) for probe in probes)


def leaks(log: str, lacks: Iterable[str] = (), probes: Iterable[Probe] = PROBES) -> tuple[str, ...]:
    """What got through unannounced: `name: outcome`."""
    return tuple(
        f"{each.probe.name}: {each.outcome}" for each in judged(log, lacks, probes) if not each.held
    )


def _judge(probe: Probe, outcome: str, lacks: tuple[str, ...]) -> Judged:
    right = probe.expected(lacks)
    held = outcome in right.outcomes
    return Judged(probe, outcome, held, right.word if held else outcome, right is NOT_STOPPED)
