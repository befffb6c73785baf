"""Correlations, skill and the test of equal accuracy, against scipy and dieboldmariano."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from dieboldmariano import NegativeVarianceException, dm_test
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from assets.scores.forecast_measures import forecast_measures
from assets.scores.rules.comparison import diebold_mariano
from assets.scores.rules.student import two_sided_p
from assets.scores.skill import equal_accuracy, rival, skill

START = datetime(2026, 1, 1, tzinfo=UTC)


def market(hours=40, symbols=4, horizon=1, seed=1, target="return", *, ties=False):
    """Scored forecasts that know a little: (hour, symbol) arrays of x, y and the frame."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(hours, symbols))
    x = 0.3 * y + rng.normal(size=(hours, symbols))
    if ties:
        x, y = x.round(), y.round()
    price = rng.uniform(50, 150, size=(hours, symbols))
    reference = price if target == "price" else np.zeros_like(price)
    start = np.array([START + timedelta(hours=n) for n in range(hours)])
    frame = pl.DataFrame(
        {
            "slot": np.repeat(start, symbols).tolist(),
            "symbol": [f"S{n}" for n in range(symbols)] * hours,
            "horizon_hours": horizon,
            "target": target,
            "point": (reference + (price * x / 100 if target == "price" else x)).ravel(),
            "outcome": (reference + (price * y / 100 if target == "price" else y)).ravel(),
            "reference": reference.ravel(),
        }
    )
    return x, y, frame


@pytest.mark.parametrize(
    ("target", "ties"), [("return", False), ("return", True), ("price", False)]
)
def test_correlations_over_time_are_the_mean_of_scipys_over_symbols(target, ties):
    x, y, frame = market(target=target, ties=ties)
    measured = forecast_measures(frame)
    for name, theirs in (("correlation", stats.pearsonr), ("rank_correlation", stats.spearmanr)):
        expected = np.mean([theirs(x[:, n], y[:, n]).statistic for n in range(4)])
        assert math.isclose(measured[name].value, expected, rel_tol=1e-9)
        assert measured[name].count == 160


@pytest.mark.parametrize("target", ["return", "price"])
def test_the_information_coefficient_is_scipys_rank_correlation_across_symbols(target):
    x, y, frame = market(symbols=6, target=target)
    across = [stats.spearmanr(x[n], y[n]).statistic for n in range(40)]
    measured = forecast_measures(frame)
    ic, icir = measured["information_coefficient"], measured["icir"]
    assert math.isclose(ic.value, np.mean(across), rel_tol=1e-9)
    assert math.isclose(icir.value, np.mean(across) / np.std(across, ddof=1), rel_tol=1e-9)
    assert ic.count == icir.count == 40


def test_series_that_do_not_vary_and_hours_with_few_symbols_have_no_correlation():
    _, _, frame = market(symbols=2)
    measured = forecast_measures(frame.with_columns(point=0.1 + 0.2))
    for name in ("correlation", "rank_correlation"):
        assert measured[name].reason == "no series has 3 or more forecasts that vary"
    for name in ("information_coefficient", "icir"):
        assert measured[name].reason == "no slot has 3 or more symbols that vary"
    alone = forecast_measures(market(hours=1)[2])
    assert alone["correlation"].value is None
    assert (alone["icir"].value, alone["icir"].count) == (None, 1)


@given(st.floats(-40, 40), st.integers(1, 500))
@settings(max_examples=60, deadline=None)
def test_the_tails_of_students_t_are_scipys(statistic, degrees):
    expected = 2 * stats.t.sf(abs(statistic), degrees)
    # scipy's of a statistic near 0 is 1 too soon: 1 - 2/pi atan(5e-9) is 1 - 3.2e-9.
    assert math.isclose(two_sided_p(statistic, degrees), expected, rel_tol=1e-7)


@given(st.floats(0, 1e6))
@settings(max_examples=60, deadline=None)
def test_the_tails_of_one_degree_of_freedom_are_the_arc_tangents(statistic):
    expected = 2 / math.pi * math.atan2(1, statistic)
    assert math.isclose(two_sided_p(statistic, 1), expected, rel_tol=1e-12)


@pytest.mark.parametrize("horizon", [1, 4, 24])
@pytest.mark.parametrize("count", [30, 200])
def test_the_test_of_equal_accuracy_is_that_of_dieboldmariano(horizon, count):
    rng = np.random.default_rng(count + horizon)
    outcomes, one, other = (rng.normal(size=count).tolist() for _ in range(3))
    losses = [(x - y) ** 2 for x, y in zip(one, outcomes, strict=True)]
    rival = [(x - y) ** 2 for x, y in zip(other, outcomes, strict=True)]
    ours = diebold_mariano(losses, rival, horizon)
    try:
        statistic, p = dm_test(outcomes, one, other, h=horizon)
    except NegativeVarianceException:
        assert ours.reason == f"the variance from {horizon} autocovariances is not positive"
        return
    assert math.isclose(ours.statistic, statistic, rel_tol=1e-9)
    # Theirs stops its fraction at 1e-10.
    assert math.isclose(ours.p_value, p, rel_tol=1e-7)
    assert ours.count == count


def test_where_there_is_no_test_of_equal_accuracy_it_says_why():
    assert diebold_mariano([1.0] * 5, [2.0] * 5, 1).reason == "5 common slots; it takes 8"
    assert diebold_mariano([1.0] * 9, [2.0] * 9, 9).reason == "9 common slots; it takes 10"
    same = diebold_mariano([1.0, 2.0] * 10, [1.0, 2.0] * 10, 1)
    assert (same.statistic, same.reason) == (None, "the losses differ by the same at every slot")
    with pytest.raises(ValueError, match="not finite"):
        diebold_mariano([math.nan] * 9, [1.0] * 9, 1)
    with pytest.raises(ValueError, match="two losses of each slot"):
        diebold_mariano([1.0] * 9, [1.0] * 8, 1)


def test_skill_is_one_less_the_ratio_of_losses_over_what_both_forecast():
    _, _, frame = market()
    naive = frame.with_columns(point=0.0)
    fewer = naive.filter(pl.col("slot") >= START + timedelta(hours=10))
    common = frame.filter(pl.col("slot") >= START + timedelta(hours=10))
    error = np.abs(common["point"] - common["outcome"]).mean()
    measured = skill(frame, fewer)
    assert math.isclose(measured.value, 1 - error / common["outcome"].abs().mean())
    assert measured.count == 120
    assert skill(frame, frame).value == 0
    assert skill(naive.with_columns(point="outcome"), naive).value == 1


@pytest.mark.parametrize("target", ["return", "price"])
def test_every_score_holds_the_naive_rivals_of_its_own_forecast(target):
    frame = market(target=target)[2].rename({"symbol": "instrument_id"})
    seasonal = [None, *range(1, len(frame))]
    frame = frame.with_columns(seasonal_naive=pl.Series(seasonal, dtype=pl.Float64))
    naive = np.abs(frame["reference"] - frame["outcome"]).mean()
    error = np.abs(frame["point"] - frame["outcome"]).mean()
    assert math.isclose(skill(frame, rival(frame, "naive")).value, 1 - error / naive)
    assert skill(frame, rival(frame, "seasonal_naive")).count == len(frame) - 1
    assert skill(frame, rival(frame, "naive2")).count == 0


def test_skill_that_cannot_be_computed_says_why():
    _, _, frame = market()
    later = frame.with_columns(pl.col("slot") + timedelta(days=9))
    assert skill(frame, later).reason == "no forecast of the same slot, symbol and horizon"
    prices = market(target="price")[2]
    assert skill(frame, prices).reason == "one forecasts price and the other return"
    perfect = frame.with_columns(point="outcome")
    assert skill(frame, perfect).reason == "the baseline was right to the last digit"
    assert skill(frame.clear(), frame).count == 0
    with pytest.raises(ValueError, match="no loss 'taste'"):
        skill(frame, frame, "taste")


def test_equal_accuracy_takes_the_mean_loss_of_each_slot_at_one_horizon():
    x, y, frame = market(horizon=4)
    nearer = market(horizon=1)[2]
    both = pl.concat([frame, nearer])
    tested = equal_accuracy(both, both.with_columns(point=0.0), 4)
    ours, naive = np.abs(x - y).mean(axis=1), np.abs(y).mean(axis=1)
    statistic, _ = dm_test(ours, naive, ours, loss=lambda one, other: 0 * one + other, h=4)
    assert math.isclose(tested.statistic, -statistic, rel_tol=1e-9)
    assert tested.count == 40
    assert equal_accuracy(both, both, 9).reason.startswith("0 common slots")
