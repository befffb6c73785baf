"""Misses that cost, baselines that anybody could recompute, and drift."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from assets.scores.honesty.drift import drift
from assets.scores.honesty.missed import hit_rate, skill
from assets.scores.honesty.naive import naive_errors
from assets.scores.honesty.record import record_of
from assets.scores.skill import skill as plain_skill

FIRST = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURS = 400


def closes_of(seed=1, hours=HOURS):
    walk = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, hours)))
    return pl.DataFrame(
        {
            "instrument_id": 1,
            "ts_close": [FIRST + n * HOUR for n in range(hours)],
            "close": walk,
        }
    ).cast({"ts_close": pl.Datetime("us", "UTC")})


def owed_of(slots, horizon=1, target="return"):
    frame = {"slot": slots, "instrument_id": 1, "horizon_hours": horizon, "target": target}
    return pl.DataFrame(frame).cast({"slot": pl.Datetime("us", "UTC")})


@pytest.mark.parametrize("target", ["return", "price"])
@pytest.mark.parametrize("horizon", [1, 24, 30])
def test_the_baselines_are_what_a_loop_over_the_closes_finds(horizon, target):
    closes, prices = closes_of(), closes_of()["close"].to_list()
    slots = [FIRST + n * HOUR for n in range(HOURS)]
    found = naive_errors(owed_of(slots, horizon, target), closes).sort("slot")
    expected = []
    for at in range(HOURS - horizon):
        season = at + horizon - (48 if horizon > 24 else 24)
        then = prices[season] if season >= 0 else None
        if target == "price":
            outcome = prices[at + horizon]
            said = prices[at], then
        else:
            outcome = np.log(prices[at + horizon] / prices[at])
            said = 0.0, None if then is None else np.log(then / prices[at])
        errors = [None if one is None else abs(one - outcome) for one in said]
        expected.append((slots[at], pytest.approx(outcome), *map(pytest.approx, errors)))
    assert found.select("slot", "outcome", "naive", "seasonal_naive").rows() == expected


def measured(seed=2, skew=0.3):
    """Scored forecasts that know a little, with what the baselines would have said."""
    frame = naive_errors(owed_of([FIRST + n * HOUR for n in range(HOURS)]), closes_of())
    noise = np.random.default_rng(seed).normal(0, 0.01, len(frame))
    point = skew * pl.col("outcome") + pl.Series(noise) * (1 - skew)
    return frame.with_columns(
        point=point,
        size=point.abs(),
        absolute_error=(point - pl.col("outcome")).abs(),
        hit=point.sign() == pl.col("outcome").sign(),
    )


def test_skill_is_against_the_baseline_that_is_hardest_to_beat():
    frame = measured().drop_nulls("seasonal_naive")
    none = frame.clear()
    least = min(frame["naive"].sum(), frame["seasonal_naive"].sum())
    found = skill(frame, none, 24)
    assert found.value == pytest.approx(1 - frame["absolute_error"].sum() / least)
    assert found.count == len(frame)
    naive = frame.with_columns(point=pl.lit(0.0)).drop("absolute_error", "hit")
    seasonal = naive.with_columns(point=pl.col("outcome") + pl.col("seasonal_naive"))
    against = [plain_skill(frame, one).value for one in (naive, seasonal)]
    assert found.value == pytest.approx(min(against))
    assert skill(none, none, 24).reason == "no outcome is known yet"


def test_leaving_out_the_worst_hours_never_raises_the_hit_rate():
    frame = measured()
    whole = hit_rate(frame, frame.clear(), 24).value
    wrong = frame.filter(~pl.col("hit"))
    kept = frame.join(wrong, on="slot", how="anti")
    assert hit_rate(kept, frame.clear(), 24).value == 1
    assert hit_rate(kept, wrong, 24).value == pytest.approx(whole)
    good = frame.filter("hit")
    assert hit_rate(frame.join(good, on="slot", how="anti"), good, 24).value == 0


def test_leaving_out_hours_by_chance_or_by_foresight_lowers_skill():
    frame = measured().drop_nulls("seasonal_naive")
    whole = skill(frame, frame.clear(), 24).value
    dropped = frame.filter(pl.int_range(pl.len()) % 7 == 0)
    kept = frame.join(dropped, on="slot", how="anti")
    assert skill(kept, dropped, 24).value < whole


@pytest.mark.parametrize("skew", [0.1, 0.3, 0.9])
def test_knowing_which_directions_were_wrong_and_leaving_them_out_lowers_skill(skew):
    frame = measured(skew=skew).drop_nulls("seasonal_naive")
    whole = skill(frame, frame.clear(), 24).value
    wrong = frame.filter(~pl.col("hit"))
    kept = frame.join(wrong, on="slot", how="anti")
    assert skill(kept, frame.clear(), 24).value > whole
    assert skill(kept, wrong, 24).value < whole


def test_a_signal_that_missed_everything_was_wrong_about_everything():
    frame = measured()
    assert hit_rate(frame.clear(), frame, 24).value == 0
    assert skill(frame.clear(), frame.drop_nulls("seasonal_naive"), 24).value < -0.4
    assert hit_rate(frame.clear(), frame.clear(), 24).reason == "no forecast had a direction"


def test_a_rank_takes_thirty_days_and_two_hundred_slots():
    young = record_of(FIRST, 250, FIRST + timedelta(days=12))
    assert young.reason == "the record is too short for a rank: 12 of 30 days"
    thin = record_of(FIRST, 3, FIRST + timedelta(days=31))
    assert thin.reason == "the record is too short for a rank: 3 of 200 live slots"
    assert record_of(FIRST, 200, FIRST + timedelta(days=30)).reason is None
    assert "0 of 30 days, 0 of 200" in record_of(None, 0, FIRST).reason


def test_drift_is_found_where_there_is_some_and_not_where_there_is_none():
    live, same, better = measured(3), measured(4), measured(5, skew=0.9)
    returns = np.random.default_rng(6).normal(0, 0.01, (2, HOURS))
    found = drift(live, same, *returns, block=24)
    assert all(one.low < 0 < one.high for one in found.values())
    worse_live = drift(live, better, *returns, block=24)
    assert worse_live["hit_rate"].high < 0
    assert worse_live["mean_absolute_error"].low > 0
    value = live["hit"].mean() - better["hit"].mean()
    assert worse_live["hit_rate"].value == pytest.approx(value)


def test_drift_against_nothing_is_null_with_a_reason():
    live = measured()
    found = drift(live, live.clear(), np.ones(3), np.ones(0), 24)
    assert {one.reason for one in found.values()} == {"nothing replayed to compare"}
    assert {one.value for one in found.values()} == {None}
