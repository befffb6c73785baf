"""Point measures against libraries that nobody here wrote.

Where a definition differs from the library's, the test says how:
utilsforecast's smape is half of M4's and ours, and takes 0/0 as 0, where we leave it out.
"""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from utilsforecast import losses

from assets.scores import rules
from assets.scores.forecast_measures import by_horizon, forecast_measures
from assets.scores.rules import seasonal

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
X, Y = pl.col("x"), pl.col("y")

price = st.floats(0.01, 1e6)
share = st.floats(-0.5, 0.5).map(lambda x: round(x, 9))


def frame(points, outcomes, **columns):
    """Scored forecasts of one symbol at horizon 1, one an hour; of returns unless told."""
    hours = [START + n * HOUR for n in range(len(points))]
    given_ = {"target": "return", **columns}
    series = {
        name: value if isinstance(value, list) else [value] * len(points)
        for name, value in given_.items()
    }
    return pl.DataFrame(
        {"slot": hours, "instrument_id": [1] * len(hours), "horizon_hours": [1] * len(hours),
         "point": points, "outcome": outcomes, **series},
        schema_overrides={"point": pl.Float64, "outcome": pl.Float64},
    )  # fmt: skip


def theirs(loss, points, outcomes, **arguments):
    table = pl.DataFrame(
        {"unique_id": ["a"] * len(points), "ds": list(range(len(points))), "y": outcomes,
         "m": points}
    )  # fmt: skip
    return loss(table, models=["m"], **arguments)["m"].item()


@given(st.lists(st.tuples(price, price), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_errors_of_prices_are_those_of_utilsforecast(pairs):
    points, outcomes = [x for x, _ in pairs], [y for _, y in pairs]
    ours = forecast_measures(frame(points, outcomes, target="price", reference=100.0))
    for name, loss, factor in (
        ("mean_absolute_error", losses.mae, 1),
        ("root_mean_squared_error", losses.rmse, 1),
        ("smape", losses.smape, 2),
    ):
        assert math.isclose(ours[name].value, factor * theirs(loss, points, outcomes), rel_tol=1e-9)
        assert ours[name].count == len(pairs)
    assert math.isclose(
        ours["mean_error"].value, np.mean(np.subtract(points, outcomes)), rel_tol=1e-9, abs_tol=1e-6
    )


@given(st.lists(st.tuples(share, share), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_smape_of_returns_is_that_of_the_prices_they_mean(pairs):
    points, outcomes = [x for x, _ in pairs], [y for _, y in pairs]
    prices = [[70.0 * math.exp(one) for one in side] for side in (points, outcomes)]
    assert math.isclose(
        forecast_measures(frame(points, outcomes))["smape"].value,
        2 * theirs(losses.smape, *prices),
        rel_tol=1e-9,
        abs_tol=1e-12,
    )


def test_nothing_against_nothing_is_left_out_of_smape():
    zeros = pl.DataFrame({"x": [0.0, 1.0], "y": [0.0, 0.0]})
    assert zeros.select(rules.symmetric_error(X, Y)).to_series().to_list() == [None, 2.0]
    assert theirs(losses.smape, [0.0, 1.0], [0.0, 0.0]) == 0.5  # (0 + 1) / 2: 0/0 counted as 0


@pytest.mark.parametrize("lag", [24, 48])
@pytest.mark.parametrize(("ours", "theirs_"), [("mase", losses.mase), ("rmsse", losses.rmsse)])
def test_scaled_errors_are_those_of_utilsforecast_over_the_window_as_training(ours, theirs_, lag):
    rng = np.random.default_rng(lag)
    # As many hours as the window and a season: every difference of the window is in it.
    train = rng.normal(size=seasonal.WINDOW_HOURS + lag).cumsum()
    (scale,), (squared,) = seasonal.seasonal_scales(train, lag, np.array([len(train) - 1]))
    points, outcomes = rng.normal(size=9).tolist(), rng.normal(size=9).tolist()
    measured = forecast_measures(
        frame(points, outcomes, scale=float(scale), squared_scale=float(squared))
    )[ours]
    table = pl.DataFrame({"unique_id": ["a"] * 9, "ds": range(9), "y": outcomes, "m": points})
    past = pl.DataFrame({"unique_id": ["a"] * len(train), "ds": range(len(train)), "y": train})
    expected = theirs_(table, models=["m"], seasonality=lag, train_df=past)["m"].item()
    assert math.isclose(measured.value, expected, rel_tol=1e-12)
    assert measured.count == 9


def test_the_scale_looks_at_28_days_and_not_ahead():
    rng = np.random.default_rng(1)
    outcome = rng.normal(size=2000)
    place = np.array([1500])
    first = seasonal.seasonal_scales(outcome, 24, place)
    changed = outcome.copy()
    changed[1501:] = 1e9
    changed[: 1500 - seasonal.WINDOW_HOURS - 24 + 1] = 1e9
    assert seasonal.seasonal_scales(changed, 24, place) == first
    changed[1500 - seasonal.WINDOW_HOURS - 24 + 1] = 1e9
    assert seasonal.seasonal_scales(changed, 24, place) != first


def test_there_is_no_scale_of_too_few_hours_nor_of_hours_that_never_moved():
    for outcome in (np.arange(47.0), np.zeros(1000)):
        scale, squared = seasonal.seasonal_scales(outcome, 24, np.array([len(outcome) - 1]))
        assert np.isnan([*scale, *squared]).all()
    assert not np.isnan(seasonal.seasonal_scales(np.arange(48.0), 24, np.array([47]))[0]).any()
    measured = forecast_measures(frame([0.1], [0.2]))
    for name in ("mase", "rmsse", "owa"):
        assert measured[name].value is None
        assert "no scored forecast has a scale" in measured[name].reason


def test_owa_is_the_mean_of_both_ratios_to_naive2():
    rng = np.random.default_rng(3)
    points, outcomes, naive2 = (rng.uniform(90, 110, 30).tolist() for _ in range(3))
    scales = rng.uniform(1, 2, 30).tolist()
    shared = {"target": "price", "reference": 100.0, "scale": scales}
    ours = forecast_measures(frame(points, outcomes, naive2=naive2, **shared))
    rival = forecast_measures(frame(naive2, outcomes, **shared))
    expected = sum(ours[name].value / rival[name].value for name in ("smape", "mase")) / 2
    assert math.isclose(ours["owa"].value, expected, rel_tol=1e-12)
    assert forecast_measures(frame(naive2, outcomes, naive2=naive2, **shared))["owa"].value == 1


def test_naive2_undoes_a_season_that_is_multiplied_on_and_leaves_a_flat_one():
    season = 1 + 0.01 * np.sin(2 * np.pi * np.arange(24) / 24)
    closes = 100 * np.tile(season, 40)
    places = np.arange(800, 900)
    for horizon in (1, 24, 30):
        forecast = closes[places] * seasonal.naive2(closes, horizon, places)
        np.testing.assert_allclose(forecast, closes[places + horizon], rtol=1e-12)
    np.testing.assert_array_equal(seasonal.naive2(np.full(960, 7.0), 5, places), 1.0)


def test_naive2_does_not_adjust_where_an_hour_of_day_has_no_bar():
    closes = np.tile([np.nan] * 16 + [100.0, 101, 102, 103, 102, 101, 100, 99], 40)
    ratio = seasonal.naive2(closes, 1, np.arange(816, 840))
    assert np.isnan(ratio[:16]).all()
    assert (ratio[16:] == 1).all()


def test_theils_u_is_the_root_mean_square_over_that_of_no_change():
    points, outcomes = [0.1, -0.2, 0.3], [0.2, -0.1, 0.1]
    expected = theirs(losses.rmse, points, outcomes) / theirs(losses.rmse, [0.0] * 3, outcomes)
    assert math.isclose(forecast_measures(frame(points, outcomes))["theils_u"].value, expected)
    still = forecast_measures(frame([0.1], [0.0]))["theils_u"]
    assert (still.value, still.reason) == (None, "the outcome never moved")


def test_directions_count_those_that_had_none():
    measured = forecast_measures(frame([0.1, 0.1, 0.0, 0.1, 0.0], [0.2, -0.2, 0.2, 0.0, 0.0]))
    assert (measured["hit_rate"].value, measured["hit_rate"].count) == (0.5, 2)
    assert (measured["abstentions"].value, measured["abstentions"].count) == (2, 5)
    assert measured["unmoved"].value == 1
    silent = forecast_measures(frame([0.0], [0.2]))["hit_rate"]
    assert (silent.value, silent.reason) == (None, "no forecast had a direction")


@pytest.mark.parametrize("wrong", [math.nan, math.inf, None])
@pytest.mark.parametrize("column", ["point", "outcome"])
def test_what_is_no_number_is_refused(column, wrong):
    with pytest.raises(ValueError, match=f"{column} of a scored forecast is null or not finite"):
        forecast_measures(
            frame([0.1, 0.2], [0.1, 0.2]).with_columns(pl.lit(wrong, pl.Float64).alias(column))
        )


def test_of_nothing_every_measure_is_null_with_a_reason():
    for name, measure in forecast_measures(frame([], [])).items():
        assert (name, measure.value, measure.count) == (name, None, 0)
        assert measure.reason == "no scored forecast"


def test_without_a_target_there_is_no_direction_and_no_probability_to_score():
    measured = forecast_measures(frame([0.1], [0.2], target=None, probability_up=0.5))
    for name in ("hit_rate", "abstentions", "theils_u", "correlation"):
        assert "the target is not known" in measured[name].reason
    assert (measured["brier_score"].value, measured["mean_absolute_error"].count) == (None, 1)


def test_an_overflow_is_null_and_not_infinite():
    measured = forecast_measures(frame([1e200], [-1e200], target="price", reference=1.0))
    squared = measured["root_mean_squared_error"]
    assert (squared.value, squared.reason) == (None, "too large for a number")


def test_horizons_are_apart_and_the_nearest_is_first():
    both = pl.concat(
        [frame([0.1], [0.3]).with_columns(horizon_hours=hours) for hours in (24, 1)]
    ).with_columns(point=pl.col("horizon_hours") / 10)
    decay = by_horizon(both)
    assert list(decay) == [1, 24]
    assert math.isclose(decay[1]["mean_absolute_error"].value, 0.2)
    assert math.isclose(decay[24]["mean_absolute_error"].value, 2.1)


def test_columns_that_follow_from_others_need_not_be_stored():
    rng = np.random.default_rng(5)
    points, outcomes = rng.normal(size=9).tolist(), rng.normal(size=9).tolist()
    bare = frame(points, outcomes, probability_up=0.4, quantiles="[[0.1, -1.0], [0.9, 1.0]]")
    stored = bare.with_columns(error=pl.lit(1.0))
    assert forecast_measures(bare)["brier_score"].count == 9
    assert forecast_measures(stored)["mean_error"].value == 1.0
