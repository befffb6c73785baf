"""The examples in the docstrings run."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("module", ["calendar", "comparisons", "digest", "file"])
def test_the_examples_in_docstrings_are_true(module):
    result = doctest.testmod(importlib.import_module(f"assets.market_data.{module}"))
    assert result.attempted > 0
    assert result.failed == 0
