"""Scales and naive rivals are of what a slot could know: neither the future nor corrections."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from assets.market_data import Delivery, InstrumentDeclaration, ingest
from assets.market_data.frames import DELIVERY_SCHEMA, UTC_TIME
from assets.scores.knowable import with_knowable
from sql.roles import WORKER

HOUR = timedelta(hours=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = 45 * 24
DELAY = timedelta(minutes=2)
SLOT = 40 * 24
WALK = 100 * np.exp(0.01 * np.random.default_rng(7).normal(size=HOURS).cumsum())


class Given:
    """Delivers bars that close, at the hours after START that are named, with the price named."""

    name = "given"
    is_sample = False

    def __init__(self, closes: dict[int, float]) -> None:
        self.closes = closes

    def instruments(self) -> list[InstrumentDeclaration]:
        return [InstrumentDeclaration("X", "24x7")]

    def fetch(self, symbol: str, start: datetime, end: datetime, now: datetime) -> Delivery:
        del symbol, start, end
        rows = [
            (START + (hour - 1) * HOUR, START + hour * HOUR, *([float(price)] * 4), None)
            for hour, price in self.closes.items()
        ]
        return Delivery(
            pl.DataFrame(rows, schema=DELIVERY_SCHEMA, orient="row"), fetched_at=now, raw_bytes=b""
        )


@pytest.fixture
def worker(database):
    with database.connect(WORKER) as connection:
        yield connection


def deliver(connection, closes, now, *, is_history=False):
    ingest(connection, Given(closes), ["X"], START, START + 99 * 24 * HOUR, now,
           is_history=is_history, feed_delay=DELAY)  # fmt: skip


def asked(slots, horizon=1, target="return"):
    return pl.DataFrame(
        {
            "instrument_id": [1] * len(slots),
            "slot": [START + slot * HOUR for slot in slots],
            "cutoff": [START + slot * HOUR + DELAY for slot in slots],
            "horizon_hours": [horizon] * len(slots),
            "target": [target] * len(slots),
            "reference": [0.0 if target == "return" else float(WALK[slot]) for slot in slots],
        },
        schema_overrides={
            "instrument_id": pl.Int32, "horizon_hours": pl.Int32, "slot": UTC_TIME,
            "cutoff": UTC_TIME,
        },
    )  # fmt: skip


def expected_scale(closes, slot, horizon, target):
    """By the definition, difference by difference."""
    lag = 24 * math.ceil(horizon / 24)

    def outcome(hour):
        return (
            closes[hour] if target == "price" else math.log(closes[hour] / closes[hour - horizon])
        )

    return np.mean(
        [abs(outcome(hour) - outcome(hour - lag)) for hour in range(slot - 28 * 24 + 1, slot + 1)]
    )


@pytest.mark.parametrize("target", ["return", "price"])
@pytest.mark.parametrize("horizon", [1, 24, 30])
def test_scale_and_seasonal_naive_are_those_of_the_definition(worker, horizon, target):
    deliver(worker, dict(enumerate(WALK)), START + 90 * 24 * HOUR, is_history=True)
    slots = [SLOT, SLOT + 1, SLOT + 50]
    answer = with_knowable(worker, asked(slots, horizon, target))
    for row, slot in zip(answer.iter_rows(named=True), slots, strict=True):
        assert math.isclose(row["scale"], expected_scale(WALK, slot, horizon, target))
        end = slot + horizon - 24 * math.ceil(horizon / 24)
        change = math.log(WALK[end] / WALK[end - horizon])
        naive = WALK[end] if target == "price" else change
        assert math.isclose(row["seasonal_naive"], naive, rel_tol=1e-9)
        assert row["naive2"] is not None


def test_a_correction_counts_for_the_slots_that_could_know_it(worker):
    known = {hour: price for hour, price in enumerate(WALK) if hour <= SLOT + 5}
    deliver(worker, known, START + 90 * 24 * HOUR, is_history=True)
    corrected = WALK.copy()
    corrected[SLOT - 100] *= 2
    # Learnt at SLOT + 2 h 30 min by the clock of those who read it.
    with_correction_at = START + (SLOT + 2.5) * HOUR
    worker_now = with_correction_at
    deliver(worker, {SLOT - 100: corrected[SLOT - 100]}, worker_now)
    answer = with_knowable(worker, asked([SLOT, SLOT + 2, SLOT + 3, SLOT + 4]))
    expected = [
        expected_scale(closes, SLOT + hours, 1, "return")
        for hours, closes in ((0, WALK), (2, WALK), (3, corrected), (4, corrected))
    ]
    np.testing.assert_allclose(answer["scale"], expected, rtol=1e-9)


def test_what_closes_after_the_slot_changes_nothing(worker):
    history = {hour: price for hour, price in enumerate(WALK) if hour <= SLOT}
    deliver(worker, history, START + 90 * 24 * HOUR, is_history=True)
    before = with_knowable(worker, asked([SLOT]))
    deliver(worker, {SLOT + 1: 9e9, SLOT + 2: 1e-9}, START + 90 * 24 * HOUR, is_history=True)
    assert with_knowable(worker, asked([SLOT])).equals(before)


def test_without_bars_everything_is_null_and_order_is_kept(worker):
    deliver(worker, {SLOT: 1.0}, START + 90 * 24 * HOUR, is_history=True)
    answer = with_knowable(worker, asked([SLOT + 9, SLOT]))
    assert answer["slot"].to_list() == [START + (SLOT + 9) * HOUR, START + SLOT * HOUR]
    assert answer.select("scale", "squared_scale", "seasonal_naive").null_count().row(0) == (2,) * 3
    # Where the close at the slot is known, and no season, Naive2 is no change.
    assert answer["naive2"].to_list() == [None, 0.0]
    assert with_knowable(worker, asked([])).columns[-4:] == [
        "scale", "squared_scale", "seasonal_naive", "naive2",
    ]  # fmt: skip
