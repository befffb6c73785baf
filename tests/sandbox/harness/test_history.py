"""What `forecast_history` may return, and what is said of anything else."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from sandbox.harness.history import AnswersOf, WrongHistoryError
from signalbox import Forecast

HOUR = datetime(2026, 1, 5, 12, tzinfo=UTC)
ROW = Forecast("EURUSD", 1, 0.5, {0.1: -1.0})
FRAME = pl.DataFrame(
    {
        "as_of": [HOUR, HOUR, HOUR + timedelta(hours=1)],
        "symbol": ["EURUSD", "GBPUSD", "EURUSD"],
        "horizon_hours": [1, 1, 1],
        "point": [0.5, None, float("nan")],
        "q0.1": [-1.0, -1.0, -1.0],
    }
)


def answers_of(returned, levels=(0.1,)):
    answers = {HOUR: ["of the history before"]}
    hours = AnswersOf(lambda _: returned, levels, answers)(None)
    assert hours == len(answers)
    return answers


def test_a_frame_and_pairs_give_the_same_answers_and_missing_points_none():
    assert answers_of(FRAME) == answers_of([(HOUR, ROW)]) == {HOUR: [ROW]}


def test_another_time_zone_is_the_same_hour():
    shifted = HOUR.astimezone(__import__("zoneinfo").ZoneInfo("Europe/Berlin"))
    assert list(answers_of([(shifted, ROW)])) == [HOUR]


WRONG = {
    "None": (None, "returned NoneType; return pairs"),
    "rows without their hour": ([ROW], "returned Forecast where a pair"),
    "triples": ([(HOUR, ROW, 1)], "returned tuple where a pair"),
    "a pair of something else": ([(HOUR, 0.5)], "a pair with float where a Forecast belongs"),
    "a time without a zone": ([(HOUR.replace(tzinfo=None), ROW)], "is no time with a time zone"),
    "a frame without quantiles": (FRAME.drop("q0.1"), "a frame without q0.1"),
    "a frame without times": (FRAME.drop("as_of"), "a frame without as_of; it has symbol"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_history_of_anything_else_is_refused_with_what_belongs_there(wrong):
    returned, reason = WRONG[wrong]
    with pytest.raises(WrongHistoryError, match=reason):
        answers_of(returned)
