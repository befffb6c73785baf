"""The page about scores and the definitions that measures come with are one."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from assets.scores.definitions import FORECAST_DEFINITIONS, as_table, definition_of
from assets.scores.forecast_measures import forecast_measures

PAGE = Path(__file__).parents[2] / "docs" / "subscriber" / "scores.md"


def test_the_table_of_measures_is_that_of_their_definitions():
    assert as_table() in PAGE.read_text()


def test_every_measure_has_its_definition_and_every_definition_its_measure():
    forecast = pl.DataFrame(
        {
            "slot": [datetime(2026, 1, 1, tzinfo=UTC)],
            "symbol": ["X"],
            "horizon_hours": [1],
            "point": [0.1],
            "outcome": [0.2],
            "quantiles": [[[0.1, 0.0]]],
        }
    )
    measured = forecast_measures(forecast)
    assert {definition_of(name) for name in measured} == set(FORECAST_DEFINITIONS)
    assert len({one.name for one in FORECAST_DEFINITIONS}) == len(FORECAST_DEFINITIONS)
