"""Returns and their ratios, against libraries that nobody here wrote."""

import math
from datetime import UTC, datetime, timedelta

import empyrical
import numpy as np
import polars as pl
import pytest
import skfolio.measures as skfolio
from scipy import stats

from assets.scores.honesty import sharpe as honest
from assets.scores.trading.drawdown import max_drawdown
from assets.scores.trading.hours import hours_per_year, open_hours
from assets.scores.trading.returns import RETURN_MEASURES, return_measures

FIRST = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
FX_YEAR = 6257.142857


def drawn(seed, hours=700, drift=2e-5):
    generator = np.random.default_rng(seed)
    return drift + 0.004 * generator.standard_t(4, hours)


def measured(returns, per_year=8760.0):
    return return_measures(pl.DataFrame({"net": np.asarray(returns, float)}), per_year, 24)


@pytest.mark.parametrize("per_year", [8760.0, FX_YEAR, 1764.0])
@pytest.mark.parametrize("seed", range(3))
def test_every_ratio_is_empyricals_annualised_by_the_markets_own_hours(seed, per_year):
    returns = drawn(seed)
    ours = {name: one.value for name, one in measured(returns, per_year).items()}
    by = {"annualization": per_year}
    theirs = {
        "total_return": empyrical.cum_returns_final(returns),
        "annualised_return": empyrical.annual_return(returns, **by),
        "volatility": empyrical.annual_volatility(returns, **by),
        "sharpe": empyrical.sharpe_ratio(returns, **by),
        "sortino": empyrical.sortino_ratio(returns, **by),
        "calmar": empyrical.calmar_ratio(returns, **by),
        # Theirs is the fall itself, below zero; ours its depth, as the table says.
        "max_drawdown": -empyrical.max_drawdown(returns),
    }
    assert set(ours) == set(RETURN_MEASURES)
    assert ours == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize(
    ("returns", "name", "reason"),
    [
        ([], "sharpe", "no hour in this period"),
        ([0.01], "sharpe", "fewer than 2 hours"),
        ([0.01], "volatility", "fewer than 2 hours"),
        ([0.01] * 50, "sharpe", "returns do not vary"),
        ([0.0] * 50, "sortino", "no hour lost"),
        ([0.01, -0.01], "annualised_return", "fewer than 100 hours"),
        ([0.01, -0.01], "calmar", "fewer than 100 hours"),
        ([0.001] * 200, "calmar", "it never fell"),
        ([0.5] * 120, "annualised_return", "too large a number"),
    ],
)
def test_what_cannot_be_computed_is_null_with_its_reason(returns, name, reason):
    measure = measured(returns)[name]
    assert (measure.value, measure.reason) == (None, reason)


def test_who_loses_everything_has_lost_it_and_no_logarithm_is_taken_of_it():
    measures = measured([0.01] * 100 + [-1.0])
    assert measures["total_return"].value == measures["annualised_return"].value == -1.0
    assert measures["max_drawdown"].value == 1.0


def test_a_ratio_stands_in_its_interval_and_a_short_record_has_none():
    long, short = measured(drawn(5))["sharpe"], measured(drawn(5, 239))["sharpe"]
    assert long.low < long.value < long.high
    assert (short.low, short.high) == (None, None)
    assert short.value is not None


def test_a_drawdown_says_when_it_began_ended_and_was_made_good():
    returns = np.array([0.1, -0.2, -0.1, 0.5, 0.0])
    fall = max_drawdown(returns, [FIRST + n * HOUR for n in range(6)])
    assert fall.depth == pytest.approx(1 - 0.8 * 0.9)
    assert (fall.peak_at, fall.trough_at) == (FIRST + HOUR, FIRST + 3 * HOUR)
    assert fall.recovered_at == FIRST + 4 * HOUR
    assert max_drawdown(returns[:3], [FIRST] * 4).recovered_at is None
    assert max_drawdown(np.array([0.1]), [FIRST, FIRST]) is None


def test_a_year_has_the_hours_its_market_is_open():
    assert hours_per_year(["24x7"], 2026) == 8760
    assert hours_per_year(["24x7", "FX"], 2026) == 8760
    # Five days of 24 hours a week, but for the hours that daylight saving moves.
    assert hours_per_year(["FX"], 2026) == pytest.approx(8760 * 120 / 168, rel=2e-3)
    weekend = open_hours(["FX"], datetime(2026, 1, 2, 20, tzinfo=UTC), FIRST)
    assert [h.hour for h in weekend["hour"]] == [20, 21, 22, 23]


def test_shares_have_seven_hours_a_trading_day_the_last_a_half():
    assert hours_per_year(["XNYS"], 2026) == pytest.approx(7 * 252, rel=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_the_probabilistic_sharpe_ratio_is_skfolios(seed):
    returns = drawn(seed)
    # skfolio corrects skewness and kurtosis for bias or not; the paper's are the moments.
    observed = honest.sharpe_per_hour(returns)
    skew, kurtosis = stats.skew(returns), stats.kurtosis(returns, fisher=False)
    spread = math.sqrt(1 - skew * observed + (kurtosis - 1) / 4 * observed**2)
    by_scipy = stats.norm.cdf((observed - 0.01) * math.sqrt(len(returns) - 1) / spread)
    ours = honest.probabilistic_sharpe(returns, 0.01).value
    assert ours == pytest.approx(by_scipy, abs=1e-12)
    assert ours == pytest.approx(skfolio.probabilistic_sharpe_ratio(returns, 0.01), abs=1e-6)


@pytest.mark.parametrize("trials", [2, 7, 100])
def test_the_best_of_many_tries_and_the_deflated_ratio_are_skfolios(trials):
    returns = drawn(9)
    tried = list(np.random.default_rng(trials).normal(0, 0.2, trials))
    variance = float(np.var(tried, ddof=1))
    assert honest.expected_maximum(trials, variance) == pytest.approx(
        skfolio.expected_max_sharpe_ratio(trials, math.sqrt(variance)), rel=1e-9
    )
    assert honest.deflated_sharpe(returns, trials, tried).value == pytest.approx(
        skfolio.deflated_sharpe_ratio(returns, tried), abs=1e-6
    )


def test_the_papers_example_of_a_deflated_ratio_comes_out():
    # Bailey and Lopez de Prado (2014): 100 tries, V 1/2 a year, five years of daily returns with
    # a ratio of 2.5 a year, skewness -3, kurtosis 10: SR0 0.1132 a day, and 0.9004.
    best = honest.expected_maximum(100, 0.5 / 250)
    assert best == pytest.approx(0.1132, abs=5e-5)
    observed = 2.5 / math.sqrt(250)
    spread = math.sqrt(1 + 3 * observed + 9 / 4 * observed**2)
    assert stats.norm.cdf((observed - best) * math.sqrt(1249) / spread) == pytest.approx(
        0.9004, abs=5e-4
    )


def test_each_try_costs_also_one_that_left_no_ratio():
    returns = drawn(11, drift=4e-4)
    chances = [honest.deflated_sharpe(returns, tries, []).value for tries in (1, 2, 10, 100)]
    assert chances[0] == honest.probabilistic_sharpe(returns).value
    assert chances == sorted(chances, reverse=True)
    assert len(set(chances)) == 4


@pytest.mark.parametrize("returns", [[], [0.1, 0.2], [0.1] * 9])
def test_a_chance_is_not_given_over_nothing(returns):
    for measure in (
        honest.probabilistic_sharpe(np.array(returns)),
        honest.deflated_sharpe(np.array(returns), 5, [0.1, 0.2]),
    ):
        assert measure.value is None
        assert measure.reason
