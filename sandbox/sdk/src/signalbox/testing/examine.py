"""Ask a model often enough to know: does it answer, twice the same, and from its window alone?"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from signalbox.manifest import Manifest
from signalbox.testing.bars import HOUR, Past
from signalbox.testing.cause import explained
from signalbox.testing.leak import LeakReport, compare, not_comparable
from signalbox.testing.process import Given, Launch, NoAnswerError, Process, Rows

HISTORY_HOURS = 1000
FEWEST_HISTORY_HOURS = 48
HISTORY_BYTES = 32 * 1024 * 1024
BYTES_PER_BAR = 48
SAMPLED = 24
AT_THE_END = 4
SECONDS = 20.0
NO_HISTORY = "no forecast_history"
"""Said of most models: the function is optional."""


@dataclass(frozen=True)
class Examination:
    """What was learnt.

    Attributes:
        rows: the answer for the last hour.
        deterministic: two fresh processes gave the same answer for it.
        carries_state: a process that had answered other hours before gave another one;
            None where that cannot be told.
        leak: the leak report.
    """

    rows: Rows
    deterministic: bool
    carries_state: bool | None
    leak: LeakReport


class PastTooShortError(ValueError):
    """There are fewer hours of bars than the comparison takes; says how many it takes."""


def examine(
    launch: Launch, manifest: Manifest, past: Past, *, seconds: float = SECONDS
) -> Examination:
    """Ask fresh processes, one in lockstep, and the model's own history.

    Args:
        launch: starts a process.
        manifest: the model's.
        past: what is revealed to it.
        seconds: how long the lockstep goes on; a slow model is asked for fewer hours.

    Raises:
        NoAnswerError: the model does not answer for one hour in a fresh process.
        PastTooShortError: `past` is too short for the manifest's look-back.
    """
    span = history_hours(manifest, past)
    lookback = manifest.forecast.lookback_hours
    last = past.given(past.end, lookback)
    first = _fresh(launch, last)
    again = _fresh(launch, last)
    hours = sampled_hours(past.end, span)
    deadline = time.monotonic() + seconds
    with launch() as process:
        has_history = process.has_history
        answers = lockstep(process, past, lookback, hours, deadline)
    deterministic = first == again
    carried = past.end in answers and answers[past.end] != first
    return Examination(
        rows=first,
        deterministic=deterministic,
        carries_state=carried if deterministic and past.end in answers else None,
        leak=leak_report(launch, manifest, past, answers, time.monotonic() + seconds)
        if has_history
        else not_comparable(NO_HISTORY),
    )


def history_hours(manifest: Manifest, past: Past) -> int:
    """How many hours of `past` have a whole look-back before them, bounded by what they weigh.

    Raises:
        PastTooShortError: fewer than `FEWEST_HISTORY_HOURS`.
    """
    lookback = manifest.forecast.lookback_hours
    there = (past.end - past.first) // HOUR - lookback
    if there < FEWEST_HISTORY_HOURS:
        raise PastTooShortError(
            f"{there + lookback} hours of {past.origin} are too few: lookback_hours = {lookback}"
            f" and {FEWEST_HISTORY_HOURS} to compare make {lookback + FEWEST_HISTORY_HOURS}"
        )
    light = HISTORY_BYTES // (BYTES_PER_BAR * len(manifest.forecast.symbols)) - lookback
    return min(there, HISTORY_HOURS, max(light, FEWEST_HISTORY_HOURS))


def sampled_hours(end: datetime, span: int) -> list[datetime]:
    """The first hour of the span, the last few, and others spread between, ascending.

    Args:
        end: the last hour.
        span: how many hours there are, at least `SAMPLED`.
    """
    spread = SAMPLED - AT_THE_END
    back = {round(span - number * (span - AT_THE_END) / spread) for number in range(spread)}
    return [end - hours * HOUR for hours in sorted({*back, *range(AT_THE_END)}, reverse=True)]


def lockstep(
    process: Process, past: Past, lookback: int, hours: Sequence[datetime], deadline: float
) -> dict[datetime, Rows]:
    """Answers hour by hour in one process; an hour that is missed is left out.

    Args:
        process: a fresh one.
        past: what is revealed.
        lookback: in hours.
        hours: ascending.
        deadline: on `time.monotonic`, after which only the last hour is asked for.
    """
    answers = {}
    for hour in hours:
        if hour != hours[-1] and time.monotonic() > deadline:
            continue
        with suppress(NoAnswerError):
            answers[hour] = process.forecast(past.given(hour, lookback))
        if not process.alive:
            break
    return answers


def leak_report(
    launch: Launch,
    manifest: Manifest,
    past: Past,
    answers: dict[datetime, Rows],
    deadline: float,
) -> LeakReport:
    """`forecast_history` over the whole span, against the answers in lockstep."""
    lookback = manifest.forecast.lookback_hours
    first = past.end - history_hours(manifest, past) * HOUR - lookback * HOUR

    def recalled(
        process: Process, end: datetime, hours: Sequence[datetime]
    ) -> dict[datetime, Rows]:
        process.look_back(past.given(end, (end - first) // HOUR))
        found = {}
        for hour in hours:
            # At the edges of its history a model may have half an answer: it has none there.
            with suppress(NoAnswerError):
                found[hour] = process.recall(hour)
            if not process.alive:
                break
        return {hour: rows for hour, rows in found.items() if rows is not None}

    try:
        with launch() as process:
            whole = recalled(process, past.end, sorted(answers))
    except NoAnswerError as error:
        return not_comparable(f"forecast_history: {error.reason}")
    report = compare(answers, whole, past.origin)
    if report.verdict != "differs":
        return report
    hour = report.differences[0].as_of
    with launch() as process:

        def answer_at(end: datetime) -> Rows | None:
            if time.monotonic() > deadline:
                raise NoAnswerError("no time is left to look for the cause")
            return recalled(process, end, [hour]).get(hour)

        def longer_past() -> Rows | None:
            return process.forecast(past.given(hour, (hour - first) // HOUR))

        return explained(report, whole[hour], past.end, answer_at, longer_past)


def _fresh(launch: Launch, given: Given) -> Rows:
    with launch() as process:
        rows = process.forecast(given)
        process.end()
        return rows
