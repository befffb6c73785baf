"""The rule's course by day, against pandas and empyrical."""

from datetime import UTC, date, datetime, timedelta

import empyrical
import numpy as np
import pandas as pd
import polars as pl
import pytest

from assets.scores.trading.curve import POINTS_AT_MOST, curve
from assets.scores.trading.returns import return_measures

FIRST = datetime(2026, 1, 5, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)
NO_SLOTS = pl.Series("slot", [], dtype=pl.Datetime("us", "UTC"))


def drawn(hours, seed=3):
    return 0.004 * np.random.default_rng(seed).standard_t(4, hours)


def of(returns, hours=None, slots=NO_SLOTS):
    hours = [FIRST + n * HOUR for n in range(len(returns))] if hours is None else hours
    series = pl.DataFrame(
        {"hour": hours, "net": np.asarray(returns, float)},
        schema={"hour": pl.Datetime("us", "UTC"), "net": pl.Float64},
    )
    return curve(series, slots)


@pytest.mark.parametrize("seed", range(3))
def test_a_day_is_what_empyrical_has_at_its_last_hour(seed):
    returns = drawn(1000, seed)
    index = pd.date_range(FIRST, periods=1000, freq="h")
    earned = empyrical.cum_returns(pd.Series(returns, index))
    fell = -(1 + earned).div((1 + earned).cummax().clip(lower=1)).sub(1)
    ours = of(returns)
    theirs = earned.groupby(index.date).last(), fell.groupby(index.date).max()
    assert ours.days == list(theirs[0].index)
    assert ours.total_return == pytest.approx(list(theirs[0]), abs=1e-8)
    assert ours.drawdown == pytest.approx(list(theirs[1]), abs=1e-8)


def test_it_ends_at_the_total_return_and_its_deepest_point_is_the_max_drawdown():
    returns = drawn(30 * 24 * 40)
    for length in (30, 500, len(returns)):
        series = pl.DataFrame({"net": returns[:length]})
        told = return_measures(series, 8760.0, length)
        ours = of(returns[:length])
        assert ours.total_return[-1] == pytest.approx(told["total_return"].value, abs=1e-8)
        assert max(ours.drawdown) == pytest.approx(told["max_drawdown"].value, abs=1e-8)


@pytest.mark.parametrize(
    ("days", "step", "points"), [(750, 1, 750), (751, 7, 108), (5250, 7, 750), (5251, 28, 188)]
)
def test_a_long_record_has_fewer_points_and_the_same_end(days, step, points):
    hours = [datetime(2000, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(days)]
    slots = pl.Series("slot", hours, dtype=pl.Datetime("us", "UTC"))
    ours = of(drawn(days), hours, slots)
    assert (ours.step_days, len(ours.days)) == (step, points)
    assert len(ours.days) <= POINTS_AT_MOST
    assert ours.days[-1] == hours[-1].date()
    assert {later - one for one, later in zip(ours.days, ours.days[1:], strict=False)} == {
        timedelta(days=step)
    }
    assert sum(ours.scored_slots) == days


def test_a_weekend_repeats_friday_and_is_no_fall():
    friday, monday = datetime(2026, 1, 9, 12, tzinfo=UTC), datetime(2026, 1, 12, 12, tzinfo=UTC)
    ours = of([0.02, -0.01, 0.0], [friday, friday + HOUR, monday])
    assert ours.days == [date(2026, 1, day) for day in (9, 10, 11, 12)]
    assert ours.total_return == pytest.approx([0.0098] * 4)
    assert ours.drawdown == pytest.approx([0.01, 0, 0, 0.01])


def test_slots_are_counted_on_their_own_day_before_the_first_hour_too():
    slots = pl.Series(
        "slot", [FIRST - 20 * HOUR, FIRST, FIRST + HOUR], dtype=pl.Datetime("us", "UTC")
    )
    ours = of([0.01, 0.01], slots=slots)
    assert (ours.days[0], ours.total_return[0]) == (date(2026, 1, 4), 0)
    assert ours.scored_slots == [1, 2]


def test_what_is_lost_stays_lost_and_nothing_traded_is_an_empty_curve():
    ours = of([0.5] * 10 + [-1.2] + [0.5] * 30)
    assert (ours.total_return[-1], ours.drawdown[-1]) == (-1, 1)
    assert (of([]).days, of([]).total_return) == ([], [])
