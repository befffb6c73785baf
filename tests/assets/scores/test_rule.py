"""The declared trading rule, hour by hour, against arithmetic done by hand."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from assets.scores.trading.activity import activity_measures
from assets.scores.trading.decisions import decisions, directions
from assets.scores.trading.hours import open_hours
from assets.scores.trading.parameters import RuleParameters
from assets.scores.trading.rule import held, hourly
from assets.scores.trading.trades import closed_trades, trade_hit_rate

FIRST = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
COST = 0.001


def bars_of(prices, instrument=1, start=FIRST):
    """Hourly bars; each price is (open, close)."""
    rows = [(instrument, start + n * HOUR, *pair) for n, pair in enumerate(prices)]
    schema = {"instrument_id": pl.Int32(), "ts_open": pl.Datetime("us", "UTC"),
              "open": pl.Float64(), "close": pl.Float64()}  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def answers_of(signs, instrument=1, symbols=1, after=timedelta(minutes=3)):
    """A direction for each slot from FIRST on; None: no live forecast."""
    rows = [
        (FIRST + n * HOUR, FIRST + n * HOUR + after, instrument, symbols, float(sign))
        for n, sign in enumerate(signs)
        if sign is not None
    ]
    schema = {
        "slot": pl.Datetime("us", "UTC"),
        "available_at": pl.Datetime("us", "UTC"),
        "instrument_id": pl.Int32(),
        "symbols": pl.Int32(),
        "direction": pl.Float64(),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def run(answers, bars, slots, rule=None, calendars=("24x7",)):
    rule = rule or RuleParameters()
    end = FIRST + slots * HOUR
    decided = decisions(answers, FIRST, end, rule)
    bar_rows = held(decided, bars, rule)
    hours = open_hours(calendars, FIRST + HOUR, end)
    return hourly(bar_rows, hours, end), closed_trades(bar_rows)


def test_a_forecast_is_traded_at_the_next_open_and_held_until_the_next_ones():
    bars = bars_of([(100, 100), (100, 110), (121, 121), (121, 60.5)])
    series, _ = run(answers_of([1, 1, 0, 0]), bars, 4)
    # Long from 01:00, flat from 03:00: the hour before was nobody's, the jump at 02:00 is ours.
    assert series["hour"].to_list() == [FIRST + n * HOUR for n in (1, 2, 3)]
    assert series["gross"].to_list() == pytest.approx([0.1, 0.1, 0.0])
    assert series["cost"].to_list() == pytest.approx([COST, 0, COST])
    assert series["net"].to_list() == pytest.approx([0.099, 0.1, -COST])
    assert series["exposure"].to_list() == [1, 1, 0]


def test_turning_round_costs_twice():
    series, _ = run(answers_of([1, -1, -1]), bars_of([(100, 100)] * 3), 3)
    assert series["turnover"].to_list() == [1, 2]
    assert series["cost"].to_list() == pytest.approx([COST, 2 * COST])


@pytest.mark.parametrize("absent", [None, 0])
def test_a_missed_slot_is_flat_from_its_hour_on_and_pays_to_get_out_and_in(absent):
    rising = bars_of([(100, 100), (100, 101), (101, 102), (102, 103), (103, 104)])
    series, _ = run(answers_of([1, absent, 1, 1]), rising, 5)
    assert series["exposure"].to_list() == [1, 0, 1, 1]
    assert series["turnover"].to_list() == [1, 1, 1, 0]
    whole, _ = run(answers_of([1, 1, 1, 1]), rising, 5)
    assert series["net"].sum() < whole["net"].sum() - 2 * COST


def test_each_symbol_has_its_share_whether_or_not_the_others_have_a_direction():
    bars = pl.concat([bars_of([(100, 100), (100, 110)], n) for n in (1, 2)]).sort("ts_open")
    answers = pl.concat([answers_of([1, 1], 1, symbols=2), answers_of([0, 0], 2, symbols=2)])
    series, _ = run(answers, bars, 2)
    assert series["gross"].to_list() == pytest.approx([0.05])
    assert series["exposure"].to_list() == [0.5]


@pytest.mark.parametrize("delay", [0, 1, 2])
def test_a_delay_moves_every_decision_by_its_hours(delay):
    prices = [(100, 100), (100, 110), (110, 110), (110, 110), (110, 110), (110, 110)]
    series, _ = run(
        answers_of([1, 0, 0, 0, 0]), bars_of(prices), 6, RuleParameters(delay_hours=delay)
    )
    expected = {0: [0.1, 0, 0, 0, 0], 1: [0, 0, 0, 0], 2: [0, 0, 0]}[delay]
    assert series["gross"].to_list()[-len(expected) :] == pytest.approx(expected)
    assert series.filter(pl.col("exposure") > 0)["hour"].to_list() == [FIRST + (1 + delay) * HOUR]


def test_over_a_closed_market_the_position_earns_the_gap_when_it_opens():
    friday = datetime(2026, 1, 2, 19, tzinfo=UTC)
    bars = pl.concat([
        bars_of([(100, 100), (100, 100), (100, 100)], start=friday),
        bars_of([(90, 90), (90, 90)], start=datetime(2026, 1, 4, 22, tzinfo=UTC)),
    ])  # fmt: skip
    slots = [friday + n * HOUR for n in range(54)]
    answers = answers_of([1]).clear()
    answers = pl.DataFrame(
        {"slot": slots, "available_at": [s + timedelta(minutes=3) for s in slots],
         "instrument_id": 1, "symbols": 1, "direction": 1.0}
    ).cast(dict(answers.schema))  # fmt: skip
    rule, end = RuleParameters(), friday + 54 * HOUR
    rows = held(decisions(answers, friday, end, rule), bars, rule)
    series = hourly(rows, open_hours(["FX"], friday + HOUR, end), end)
    assert len(series) == 5
    assert series["gross"].to_list() == pytest.approx([0, 0, -0.1, 0, 0][:5])


def test_an_open_hour_without_a_bar_counts_and_its_move_is_in_the_next_bar():
    bars = bars_of([(100, 100), (100, 100), (0, 0), (120, 120)]).filter(pl.col("open") > 0)
    series, _ = run(answers_of([1, 1, 1, 1]), bars, 4)
    assert series["gross"].to_list() == pytest.approx([0, 0, 0.2])
    assert series["exposure"].to_list() == [1, 1, 1]


def test_a_trade_is_counted_when_closed_and_pays_for_both_its_ends():
    prices = [(100, 100), (100, 102), (103, 103), (103, 103), (103, 104), (104, 104)]
    series, trades = run(answers_of([1, -1, -1, 0, 1]), bars_of(prices), 6)
    assert len(trades) == 2
    # Long 01:00 to the open of 02:00; short from there to the open of 04:00.
    assert trades["net"].to_list() == pytest.approx([0.02 + 1 / 102 - 2 * COST, -2 * COST])
    assert trade_hit_rate(trades).value == 0.5
    # What is not closed yet has paid to get in, at 05:00.
    assert series["net"].sum() == pytest.approx(trades["net"].sum() - COST)


def test_the_shortest_horizon_decides_and_a_price_is_held_against_the_last_close_known():
    forecasts = pl.DataFrame(
        {"slot": [FIRST] * 4, "available_at": [FIRST] * 4, "instrument_id": [1, 1, 2, 3],
         "horizon_hours": [4, 1, 1, 1], "symbols": [3] * 4,
         "point": [0.5, -0.5, 101.0, 1.0], "reference": [0.0, 0.0, 100.0, None]}
    )  # fmt: skip
    decided = directions(forecasts).sort("instrument_id")
    assert decided["direction"].to_list() == [-1, 1, 0]


def test_turnover_is_by_the_day_of_the_calendar():
    series, _ = run(answers_of([1, -1] * 24), bars_of([(100, 100)] * 49), 49)
    measures = activity_measures(series)
    assert measures["turnover_per_day"].value == pytest.approx((1 + 2 * 47) / 2)
    assert measures["costs"].value == pytest.approx(95 * COST)
    assert activity_measures(series.clear())["exposure"].reason == "no hour in this period"
