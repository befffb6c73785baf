"""Measures of quantiles and probabilities against libraries that nobody here wrote.

Our log score clips at a millionth, theirs elsewhere or not at all: they are compared where
no p is so near to 0 or 1, and the clip on its own.
"""

import math

import numpy as np
import polars as pl
import pytest
import scoringrules
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss, mean_pinball_loss

from assets.scores.forecast_measures import forecast_measures
from assets.scores.rules.probability import CLIP, brier_parts, reliability_table
from assets.scores.rules.quantiles import quantile_scores, widest_pair

number = st.floats(-1e3, 1e3).map(lambda x: round(x, 6))
LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


def scores_of(levels, values, outcomes):
    pairs = [[list(pair) for pair in zip(levels, row, strict=True)] for row in values]
    return quantile_scores(pl.DataFrame({"quantiles": pairs, "outcome": outcomes}))


@st.composite
def distributions(draw):
    levels = sorted(draw(st.sets(st.sampled_from(LEVELS), min_size=1)))
    rows = draw(st.integers(1, 6))
    values = [
        sorted(draw(st.lists(number, min_size=len(levels), max_size=len(levels))))
        for _ in range(rows)
    ]
    # Ties of outcome and quantile are what goes wrong first.
    outcomes = [draw(st.one_of(number, st.sampled_from(row))) for row in values]
    return levels, values, outcomes


@given(distributions())
@settings(max_examples=60, deadline=None)
def test_scores_of_quantiles_are_those_of_scoringrules_and_sklearn(given_):
    levels, values, outcomes = given_
    ours = scores_of(levels, values, outcomes)
    crps = scoringrules.crps_quantile(np.array(outcomes), np.array(values), np.array(levels))
    np.testing.assert_allclose(2 * ours["pinball_loss"], crps, rtol=1e-9, atol=1e-9)
    pinball = np.mean(
        [
            mean_pinball_loss(outcomes, [row[at] for row in values], alpha=level)
            for at, level in enumerate(levels)
        ]
    )
    np.testing.assert_allclose(ours["pinball_loss"].mean(), pinball, rtol=1e-9, atol=1e-9)
    pair = widest_pair(levels)
    if pair is None:
        assert ours["interval_score"].null_count() == len(ours)
        return
    lower, upper = ([row[levels.index(level)] for row in values] for level in pair)
    interval = scoringrules.interval_score(
        np.array(outcomes), np.array(lower), np.array(upper), 2 * pair[0]
    )
    np.testing.assert_allclose(ours["interval_score"], interval, rtol=1e-9, atol=1e-9)


@given(distributions())
@settings(max_examples=60, deadline=None)
def test_pit_is_between_the_levels_that_enclose_the_outcome(given_):
    levels, values, outcomes = given_
    for pit, row, outcome in zip(
        scores_of(levels, values, outcomes)["pit"], values, outcomes, strict=True
    ):
        below = [level for level, value in zip(levels, row, strict=True) if value <= outcome]
        above = [level for level, value in zip(levels, row, strict=True) if value >= outcome]
        assert min(above, default=1) <= pit <= max(below, default=0) or (
            max(below, default=0) <= pit <= min(above, default=1)
        )


def test_pit_interpolates_as_numpy_does_between_quantiles_that_differ():
    levels, row = [0.1, 0.5, 0.9], [-1.0, 0.5, 2.0]
    outcomes = np.linspace(-1, 2, 13)
    ours = scores_of(levels, [row] * 13, outcomes.tolist())["pit"]
    np.testing.assert_allclose(ours, np.interp(outcomes, row, levels), rtol=1e-12)


@pytest.mark.parametrize(
    ("row", "outcome", "expected"),
    [
        ([1.0, 1.0, 1.0], 1.0, 0.5),
        ([1.0, 1.0, 2.0], 1.0, 0.3),
        ([1.0, 1.5, 2.0], 0.0, 0.05),
        ([1.0, 1.5, 2.0], 9.0, 0.95),
    ],
)
def test_pit_of_ties_is_their_middle_and_outside_the_middle_of_what_is_left(row, outcome, expected):
    assert math.isclose(scores_of([0.1, 0.5, 0.9], [row], [outcome])["pit"].item(), expected)


def scored(**columns):
    rows = len(columns["outcome"])
    facts = {"slot": [None] * rows, "instrument_id": [1] * rows, "horizon_hours": [1] * rows}
    return pl.DataFrame(
        {**facts, "point": [0.0] * rows, "target": ["return"] * rows, **columns},
        schema_overrides={"slot": pl.Datetime("us", "UTC")},
    )


def test_coverage_is_the_share_at_or_below_each_level():
    rng = np.random.default_rng(2)
    outcomes = rng.normal(size=400)
    measured = forecast_measures(
        scored(outcome=outcomes, quantiles=[[[0.1, -1.2816], [0.9, 1.2816]]] * 400)
    )
    for level, value in ((0.1, -1.2816), (0.9, 1.2816)):
        one = measured[f"coverage_{level}"]
        assert math.isclose(one.value, float(np.mean(outcomes <= value)))
        assert one.count == 400
    assert abs(measured["coverage_0.9"].value - 0.9) < 0.05


def test_a_mean_scaled_interval_score_is_the_mean_of_interval_score_over_scale():
    rng = np.random.default_rng(4)
    outcomes, scale = rng.normal(size=50), rng.uniform(1, 2, 50)
    expected = scoringrules.interval_score(outcomes, np.full(50, -1.0), np.full(50, 1.0), 0.2)
    measured = forecast_measures(
        scored(outcome=outcomes, quantiles=[[[0.1, -1.0], [0.5, 0.0], [0.9, 1.0]]] * 50,
               scale=scale)
    )  # fmt: skip
    assert math.isclose(measured["interval_score"].value, expected.mean())
    assert math.isclose(measured["msis"].value, (expected / scale).mean())


def test_without_quantiles_pairs_or_probabilities_measures_say_so():
    bare = forecast_measures(scored(outcome=[0.1, 0.2]))
    lone = forecast_measures(scored(outcome=[0.1], quantiles=[[[0.5, 0.0]]]))
    assert bare["crps"].reason == bare["pit_mean"].reason == "no scored forecast has quantiles"
    assert bare["brier_score"].reason == "no scored forecast has a probability"
    assert bare["brier_resolution"].value is None
    assert not any(name.startswith("coverage_") for name in bare)
    assert lone["crps"].value == pytest.approx(0.1)
    assert lone["interval_score"].reason == "no scored forecast has levels symmetric about 0.5"


@given(
    st.lists(
        st.tuples(st.integers(1, 99).map(lambda n: n / 100), st.sampled_from([-0.1, 0.1, 0.0])),
        min_size=1,
        max_size=60,
    )
)
@settings(max_examples=40, deadline=None)
def test_scores_of_probabilities_are_those_of_sklearn_and_scoringrules(said):
    probability = [p for p, _ in said]
    outcome = [y for _, y in said]
    rose = [int(y > 0) for y in outcome]
    measured = forecast_measures(scored(outcome=outcome, probability_up=probability))
    brier = measured["brier_score"].value
    assert math.isclose(
        brier, brier_score_loss(rose, probability, labels=[0, 1], pos_label=1), rel_tol=1e-9
    )
    assert math.isclose(
        brier, scoringrules.brier_score(np.array(rose), np.array(probability)).mean(), rel_tol=1e-9
    )
    logarithmic = measured["log_score"].value
    assert math.isclose(logarithmic, log_loss(rose, probability, labels=[0, 1]), rel_tol=1e-9)
    theirs = scoringrules.log_score(np.array(rose), np.array(probability)).mean()
    assert math.isclose(logarithmic, theirs, rel_tol=1e-9)


def test_a_sure_forecast_that_fails_costs_what_the_clip_says():
    measured = forecast_measures(scored(outcome=[-0.1, 0.1], probability_up=[1.0, 0.0]))
    assert math.isclose(measured["log_score"].value, -math.log(CLIP))
    assert measured["brier_score"].value == 1


@given(st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=1, max_size=80))
@settings(max_examples=40, deadline=None)
def test_murphys_parts_add_up_where_the_forecasts_of_a_tenth_are_equal(said):
    # 1.0 stands in the tenth of 0.9; it is left out, as two values would share a bin.
    table = pl.DataFrame(
        {"probability": [min(p, 9) / 10 for p, _ in said], "rose": [o for _, o in said]}
    )
    parts = brier_parts(table)
    whole = scoringrules.brier_score(
        table["rose"].to_numpy().astype(float), table["probability"].to_numpy()
    ).mean()
    assert math.isclose(
        parts.reliability - parts.resolution + parts.uncertainty, whole, abs_tol=1e-12
    )


def test_the_reliability_table_is_numpys_histogram():
    rng = np.random.default_rng(6)
    probability = rng.uniform(size=500).round(3)
    rose = rng.uniform(size=500) < probability
    table = reliability_table(pl.DataFrame({"probability": probability, "rose": rose}))
    counts, _ = np.histogram((probability * 1000).round(), bins=np.arange(0, 1001, 100))
    hits, _ = np.histogram((probability[rose] * 1000).round(), bins=np.arange(0, 1001, 100))
    assert table["count"].to_list() == counts.tolist()
    np.testing.assert_allclose(table["frequency"], hits / counts)
