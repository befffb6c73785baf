"""What a difference comes from: have the model look back on shorter and shorter histories.

The answer for one hour is asked of a history that ends at that hour. If it is the
same as out of the whole history, nothing after the hour was used. If not, histories
that end 1, 2, 4, ... hours later say how far ahead the model looks.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from signalbox.testing.leak import Cause, LeakReport, differing
from signalbox.testing.process import NoAnswerError, Rows

# Further than any horizon: not a window around the hour, but all that there is.
MAX_AHEAD = 168

AnswerAt = Callable[[datetime], Rows | None]
"""The answer for the hour in question, by a history that ends at the hour given."""


def explained(
    report: LeakReport,
    whole: Rows,
    end: datetime,
    answer_at: AnswerAt,
    longer_past: Callable[[], Rows | None],
) -> LeakReport:
    """The report with its cause.

    Args:
        report: of differences.
        whole: the answer for the first differing hour, out of the whole history.
        end: of the whole history.
        answer_at: the same hour's, out of shorter ones.
        longer_past: the hour's lockstep answer, given all of the past instead of the look-back.
    """
    hour = report.differences[0].as_of

    def is_settled(ahead: int) -> bool:
        answer = answer_at(hour + timedelta(hours=ahead))
        return answer is not None and not differing(hour, answer, whole)

    try:
        if is_settled(0):
            past = longer_past()
            uses_more = past is not None and not differing(hour, past, whole)
            return _with(report, "longer_past" if uses_more else "unknown")
        until_end = (end - hour) // timedelta(hours=1)
        ahead = _hours_ahead(is_settled, min(MAX_AHEAD, until_end - 1))
    except NoAnswerError:
        return _with(report, "unknown")
    if ahead is None:
        return _with(report, "whole_history")
    return _with(report, "looks_ahead", ahead)


def _hours_ahead(is_settled: Callable[[int], bool], limit: int) -> int | None:
    """The fewest hours after which the answer stands; None if it does not within `limit`.

    >>> _hours_ahead(lambda ahead: ahead >= 12, 168), _hours_ahead(lambda _: False, 168)
    (12, None)
    """
    low, high = 0, 1
    while high <= limit and not is_settled(high):
        low, high = high, 2 * high
    if high > limit and (limit <= low or not is_settled(limit)):
        return None
    high = min(high, limit)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_settled(middle) else (middle, high)
    return high


def _with(report: LeakReport, cause: Cause, ahead: int | None = None) -> LeakReport:
    return msgspec.structs.replace(
        report, cause=cause, hours_ahead=ahead, explanation=_sentence(cause, ahead or 0)
    )


def _sentence(cause: Cause, ahead: int) -> str:
    if cause == "looks_ahead":
        return (
            f"forecast_history looks {ahead} h ahead, as shift(-{ahead}) or a centred window of"
            f" {2 * ahead + 1} or {2 * ahead + 2} h would; use what stands before each hour only"
        )
    if cause == "whole_history":
        return (
            "each hour of forecast_history depends on the whole frame, as a mean or a scale taken"
            " over all of it would; take them over the hours before (expanding or rolling). Random"
            " numbers look the same: leave forecast_history out if you draw any"
        )
    if cause == "longer_past":
        return (
            "not the future: forecast_history uses more of the past than lookback_hours; raise"
            " lookback_hours, or use a window that long"
        )
    return (
        "not the future as far as could be told: forecast and forecast_history compute the same"
        " hour differently"
    )
