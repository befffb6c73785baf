"""Intervals: repeatable, of the right width, and by blocks."""

import numpy as np
import pytest
from scipy import stats

from assets.scores.honesty import bootstrap
from assets.scores.honesty.bootstrap import block_length, block_sums, interval


def mean(sums):
    return sums[:, 0] / sums[:, 1]


def terms_of(values):
    return np.column_stack((values, np.ones(len(values))))


def test_sums_of_blocks_are_those_of_the_series_laid_end_to_start():
    terms = np.random.default_rng(1).normal(size=(53, 2))
    sums = block_sums(terms, 8, replicates=20)
    starts = bootstrap._generator(terms, 8).integers(0, 53, size=(20, 7))
    for row, drawn in zip(sums, starts, strict=True):
        rows = [(start + step) % 53 for start in drawn for step in range(8)][:53]
        assert row == pytest.approx(terms[rows].sum(axis=0))


def test_blocks_of_one_are_scipys_plain_bootstrap():
    values = np.random.default_rng(2).gamma(2.0, size=400)
    ours = interval(terms_of(values), mean, 1, replicates=4000)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(3)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.06 * width)


def test_overlapping_outcomes_widen_the_interval_as_they_should():
    noise = np.random.default_rng(4).normal(size=5024)
    values = np.convolve(noise, np.ones(24) / 24, mode="valid")
    narrow, wide = (interval(terms_of(values), mean, block) for block in (1, 96))
    # The mean of 5,001 hours that are means of 24: its standard error is that of the noise.
    expected = 2 * 1.96 / np.sqrt(len(values))
    assert wide[1] - wide[0] == pytest.approx(expected, rel=0.2)
    assert narrow[1] - narrow[0] < expected / 3


def test_the_same_series_has_the_same_interval_and_another_has_another():
    values = np.random.default_rng(5).normal(size=300)
    first, again = (interval(terms_of(values), mean, 24) for _ in range(2))
    values[0] += 1e-9
    assert first == again
    assert first != interval(terms_of(values), mean, 24)


def test_a_record_of_fewer_than_ten_blocks_has_no_interval():
    assert interval(terms_of(np.arange(239.0)), mean, 24) is None
    assert interval(terms_of(np.arange(240.0)), mean, 24) is not None


def test_a_statistic_that_is_mostly_undefined_has_no_interval():
    rare = np.zeros((300, 2))
    rare[7] = (1.0, 1.0)
    assert interval(rare, mean, 24) is None


def test_a_block_is_never_shorter_than_the_longest_horizon_nor_than_a_day():
    assert [block_length(hours) for hours in (1, 24, 168)] == [24, 24, 168]
