"""What was forecast against what happened, and against what was corrected later."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
import psycopg
import pytest

from assets.market_data import Delivery, InstrumentDeclaration, ingest
from assets.market_data.frames import DELIVERY_SCHEMA
from assets.scores import score_resolved
from sql.roles import WORKER

HOUR = timedelta(hours=1)
DAY = datetime(2026, 1, 5, tzinfo=UTC)
SLOT = DAY + 3 * HOUR
LATER = DAY + 100 * HOUR


class GivenSource:
    """Delivers bars that close, at the hours after DAY that are named, with the price named."""

    name = "given"
    is_sample = False

    def __init__(self, closes: dict[int, float]) -> None:
        self.closes = closes

    def instruments(self) -> list[InstrumentDeclaration]:
        return [InstrumentDeclaration("X", "24x7")]

    def fetch(self, symbol: str, start: datetime, end: datetime, now: datetime) -> Delivery:
        del symbol, start, end
        rows = [
            (DAY + (hour - 1) * HOUR, DAY + hour * HOUR, price, price, price, price, None)
            for hour, price in self.closes.items()
        ]
        frame = pl.DataFrame(rows, schema=DELIVERY_SCHEMA, orient="row")
        return Delivery(frame, fetched_at=now, raw_bytes=b"raw")


def deliver(connection, closes, now=LATER, *, is_history=True):
    return ingest(
        connection, GivenSource(closes), ["X"], DAY, LATER, now, is_history=is_history
    ).batch_id


@pytest.fixture
def worker(database) -> Iterator[psycopg.Connection]:
    with database.superuser() as owner:
        owner.execute(
            "insert into account.user_account values (gen_random_uuid(), 'ada', 'ada@example.org',"
            " 'x', 'member', now())"
        )
        owner.execute(
            "insert into registry.signal (provider_id, name, title, description, visibility,"
            " created_at) select id, 'tide', 'Tide', '', 'public', now() from account.user_account"
        )
        for version, target in (("v1.0.0", "return"), ("v2.0.0", "price")):
            owner.execute(
                "insert into registry.version (signal_id, version, state, reserved_at,"
                " published_at, pushed_by, commit_sha, tree_digest, lock_digest, image_digest,"
                " manifest) select s.id, %s, 'live', now(), now(), s.provider_id, 'c', 't', 'l',"
                " 'i', jsonb_build_object('forecast', jsonb_build_object('target', %s::text))"
                " from registry.signal s",
                [version, target],
            )
    with database.connect(WORKER) as connection:
        yield connection


def forecast(connection, version, point, horizon=1, slot=SLOT, quantiles=None, up=None):
    record = connection.execute(
        "insert into forecast.slot_record (version_id, slot, provenance, cutoff, max_batch,"
        " image_digest, engine, path, recorded_at, wall_ms, log)"
        " select id, %s, 'replayed', now(), 1, 'i', 'embedded', 'replay', now(), 1, ''"
        " from registry.version where version = %s returning id",
        [slot, version],
    ).fetchone()[0]
    connection.execute(
        "insert into forecast.forecast values (%s, (select id from market.instrument"
        " where symbol = 'X'), %s, %s, %s, %s, %s)",
        [record, horizon, slot + horizon * HOUR, point, quantiles, up],
    )
    return record


def scores(connection):
    return connection.execute(
        "select slot_record_id, outcome_batch_id, outcome, error, absolute_error, squared_error,"
        " hit from score.score order by slot_record_id, outcome_batch_id"
    ).fetchall()


def test_a_return_is_the_log_of_the_closes_at_target_and_slot(worker):
    batch = deliver(worker, {3: 100.0, 4: 110.0})
    record = forecast(worker, "v1.0.0", 0.05)
    assert score_resolved(worker, LATER) == 1
    ((of, of_batch, outcome, error, absolute, squared, hit),) = scores(worker)
    assert (of, of_batch, hit) == (record, batch, True)
    assert math.isclose(outcome, math.log(1.1))
    assert error == 0.05 - outcome
    assert (absolute, squared) == (abs(error), error * error)


def test_a_price_is_the_close_at_target_and_its_direction_is_from_the_last_close(worker):
    deliver(worker, {3: 100.0, 5: 90.0})
    forecast(worker, "v2.0.0", 104.0, horizon=2)
    score_resolved(worker, LATER)
    assert scores(worker)[0][2:] == (90.0, 14.0, 14.0, 196.0, False)


@pytest.mark.parametrize(("point", "target"), [(0.0, 110.0), (0.1, 100.0)])
def test_without_a_direction_there_is_no_hit_and_no_miss(worker, point, target):
    deliver(worker, {3: 100.0, 4: target})
    forecast(worker, "v1.0.0", point)
    score_resolved(worker, LATER)
    assert scores(worker)[0][-1] is None


@pytest.mark.parametrize("known", [{3: 100.0}, {4: 100.0}, {2: 100.0, 5: 100.0}])
def test_in_a_closed_market_a_forecast_stays_open_and_is_never_zero(worker, known):
    deliver(worker, known)
    forecast(worker, "v1.0.0", 0.05)
    assert score_resolved(worker, LATER) == 0
    assert scores(worker) == []


def test_a_forecast_is_not_scored_before_its_hour_is_known(worker):
    deliver(worker, {3: 100.0, 4: 110.0})
    forecast(worker, "v1.0.0", 0.05)
    assert score_resolved(worker, SLOT + HOUR - timedelta(seconds=1)) == 0
    assert score_resolved(worker, SLOT + HOUR) == 0
    assert score_resolved(worker, SLOT + HOUR + timedelta(minutes=2)) == 1


def test_scoring_again_writes_nothing(worker):
    deliver(worker, {3: 100.0, 4: 110.0})
    forecast(worker, "v1.0.0", 0.05)
    assert [score_resolved(worker, LATER) for _ in range(2)] == [1, 0]


@pytest.mark.parametrize("corrected", [{4: 120.0}, {3: 90.0}])
def test_a_correction_of_either_bar_scores_again_in_a_new_row(worker, corrected):
    first = deliver(worker, {3: 100.0, 4: 110.0})
    forecast(worker, "v1.0.0", 0.05)
    score_resolved(worker, LATER)
    second = deliver(worker, corrected, LATER + HOUR)
    assert score_resolved(worker, LATER) == 0
    assert score_resolved(worker, LATER + HOUR) == 1
    closes = {3: 100.0, 4: 110.0} | corrected
    assert [row[1] for row in scores(worker)] == [first, second]
    assert math.isclose(scores(worker)[0][2], math.log(1.1))
    assert math.isclose(scores(worker)[1][2], math.log(closes[4] / closes[3]))


def test_a_correction_of_another_hour_scores_nothing(worker):
    deliver(worker, {3: 100.0, 4: 110.0, 5: 1.0})
    forecast(worker, "v1.0.0", 0.05)
    score_resolved(worker, LATER)
    deliver(worker, {5: 2.0}, LATER + HOUR)
    assert score_resolved(worker, LATER + 2 * HOUR) == 0


def test_only_the_versions_and_slots_asked_for_are_scored(worker):
    deliver(worker, {3: 100.0, 4: 110.0})
    forecast(worker, "v1.0.0", 0.05)
    forecast(worker, "v2.0.0", 105.0)
    (price,) = worker.execute("select id from registry.version where version = 'v2.0.0'").fetchone()
    assert score_resolved(worker, LATER, []) == 0
    assert score_resolved(worker, LATER, since=SLOT + HOUR) == 0
    assert score_resolved(worker, LATER, [price]) == 1
    assert score_resolved(worker, LATER, since=SLOT) == 1


def test_a_long_past_of_many_horizons_is_scored_at_once(worker):
    deliver(worker, {hour: 100.0 + hour % 7 for hour in range(1, 90)})
    for hour in range(1, 60):
        forecast(worker, "v1.0.0", 0.01, horizon=hour % 24 + 1, slot=DAY + hour * HOUR)
    assert score_resolved(worker, LATER) == 59
    for record, _, outcome, *_ in scores(worker):
        slot, horizon = worker.execute(
            "select r.slot, f.horizon_hours from forecast.slot_record r"
            " join forecast.forecast f on f.slot_record_id = r.id where r.id = %s",
            [record],
        ).fetchone()
        hour = (slot - DAY) // HOUR
        expected = math.log((100.0 + (hour + horizon) % 7) / (100.0 + hour % 7))
        assert math.isclose(outcome, expected, abs_tol=1e-12)


DISTRIBUTION = (
    "select reference, pinball_loss, interval_score, pit, brier, log_score, symmetric_error"
    " from score.score order by outcome_batch_id"
)


def test_quantiles_and_probability_are_scored_with_the_point_and_again_after_a_correction(worker):
    deliver(worker, {3: 100.0, 4: 110.0})
    quantiles = "[[0.1, 100.0], [0.5, 108.0], [0.9, 112.0]]"
    forecast(worker, "v2.0.0", 108.0, quantiles=quantiles, up=0.8)
    score_resolved(worker, LATER)
    deliver(worker, {4: 90.0}, LATER + HOUR)
    score_resolved(worker, LATER + HOUR)
    first, second = worker.execute(DISTRIBUTION).fetchall()
    assert first == pytest.approx(
        (100, (0.1 * 10 + 0.5 * 2 + 0.1 * 2) / 3, 12, 0.7, 0.04, -math.log(0.8), 4 / 218)
    )
    assert second == pytest.approx(
        (100, (0.9 * 10 + 0.5 * 18 + 0.1 * 22) / 3, 12 + 10 * 10, 0.05, 0.64, -math.log(0.2),
         36 / 198)
    )  # fmt: skip


def test_of_a_bare_point_the_scores_of_distributions_are_null(worker):
    deliver(worker, {3: 100.0, 4: 110.0})
    forecast(worker, "v1.0.0", 0.05)
    score_resolved(worker, LATER)
    (row,) = worker.execute(DISTRIBUTION).fetchall()
    assert row[:-1] == (0.0, None, None, None, None, None)
    assert math.isclose(row[-1], 2 * (110 - 100 * math.exp(0.05)) / (110 + 100 * math.exp(0.05)))


def test_the_scale_is_stored_where_the_slot_knew_a_day_of_seasonal_differences(worker):
    slot = DAY + 60 * HOUR
    deliver(worker, {hour: 100.0 + hour % 7 for hour in range(1, 90)})
    forecast(worker, "v2.0.0", 104.0, slot=slot)
    score_resolved(worker, LATER)
    scale, squared, naive = worker.execute(
        "select scale, squared_scale, seasonal_naive from score.score"
    ).fetchone()
    differences = [(hour % 7) - ((hour - 24) % 7) for hour in range(25, 61)]
    assert math.isclose(scale, sum(map(abs, differences)) / 36)
    assert math.isclose(squared, sum(one**2 for one in differences) / 36)
    assert naive == 100.0 + (61 - 24) % 7
