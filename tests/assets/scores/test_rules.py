"""The formulas, by their examples and by what must always hold of them."""

import doctest
import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.scores import definitions, rules
from assets.scores.rules import association, direction, point, probability, quantiles, student

number = st.floats(-1e6, 1e6)
X, Y, R = pl.col("x"), pl.col("y"), pl.col("r")


def _value(rule, **columns):
    return pl.DataFrame({name: [value] for name, value in columns.items()}).select(rule).item()


@pytest.mark.parametrize(
    "module",
    [association, definitions, direction, point, probability, quantiles, student],
    ids=lambda module: module.__name__,
)
def test_the_examples_in_docstrings_are_true(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def test_a_forecast_above_the_outcome_has_a_positive_error():
    assert _value(rules.error(X, Y), x=3.0, y=1.0) == 2.0
    assert _value(rules.absolute_error(X, Y), x=1.0, y=3.0) == 2.0
    assert _value(rules.squared_error(X, Y), x=1.0, y=3.0) == 4.0


@pytest.mark.parametrize(
    ("point", "outcome", "reference", "expected"),
    [
        (101.0, 105.0, 100.0, True),
        (101.0, 99.0, 100.0, False),
        (99.0, 95.0, 100.0, True),
        (100.0, 105.0, 100.0, None),
        (101.0, 100.0, 100.0, None),
    ],
)
def test_the_direction_of_a_price_is_taken_from_the_last_close(point, outcome, reference, expected):
    assert _value(rules.hit(X, Y, R), x=point, y=outcome, r=reference) is expected


@given(x=number, y=number)
@settings(max_examples=50, deadline=None)
def test_the_pinball_loss_of_the_median_is_half_the_absolute_error(x, y):
    loss = _value(rules.pinball(X, Y, 0.5), x=x, y=y)
    assert math.isclose(loss, _value(rules.absolute_error(X, Y), x=x, y=y) / 2)


@given(x=number, y=number, level=st.floats(0.01, 0.99))
@settings(max_examples=50, deadline=None)
def test_no_loss_is_negative_and_the_outcome_itself_costs_nothing(x, y, level):
    assert _value(rules.pinball(X, Y, level), x=x, y=y) >= 0
    assert _value(rules.pinball(X, Y, level), x=y, y=y) == 0


@given(outcomes=st.lists(st.integers(0, 50), min_size=1, max_size=60), guess=st.floats(-10, 60))
@settings(max_examples=50, deadline=None)
def test_no_guess_beats_the_true_quantile(outcomes, guess):
    frame = pl.DataFrame({"y": [float(one) for one in outcomes]})
    best = sorted(outcomes)[math.ceil(0.9 * len(outcomes)) - 1]
    of_guess, of_best = (
        frame.select(rules.pinball(pl.lit(float(one)), Y, 0.9).mean()).item()
        for one in (guess, best)
    )
    assert of_best <= of_guess + 1e-9
