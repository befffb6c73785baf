"""What counts, what costs, what never counts; and when it is computed again."""

import math
from datetime import timedelta

import dagster as dg
import msgspec
import pytest

from api.performance.stored import Measured
from assets.installation import Installation
from assets.scores.asset import KEY as SCORES
from assets.scores.performance import update as updating
from assets.scores.performance.asset import performance_asset
from sql.roles import WORKER
from tests.api.performance.recorded_hours import (
    DEADLINE,
    END,
    FIRST,
    HOUR,
    LATE,
    MISSED,
    SLOTS,
    THEN,
    WALK,
    point,
    went,
)
from tests.api.performance.stored import measures, update


def test_documents_of_a_release_without_a_course_are_read_and_computed_anew_once(world):
    database, _, _, _ = world
    with database.superuser() as rows:
        rows.execute("update score.performance set measures = measures - 'curve' - 'afterwards'")
        (old,) = rows.execute("select measures::text from score.performance limit 1").fetchone()
    assert msgspec.json.decode(old, type=Measured).curve is None
    assert update(database).signals == 1
    assert update(database).signals == 0
    assert measures(database)["curve"]["live"]["days"]


def test_a_replay_however_good_moves_no_live_number(world):
    database, signal_id, version_id, recorder = world
    before = measures(database)
    for n in range(SLOTS):
        recorder.slot(signal_id, version_id, n, "replayed", say=went)
    assert update(database, everything=True).signals == 1
    after = measures(database)
    for part in ("live", "late", "backfilled", "by_horizon", "by_delay", "drawdown"):
        assert after[part] == before[part], part
    assert after["replayed"]["hit_rate"]["value"] == 1
    assert after["drift"]["hit_rate"]["value"] < before["drift"]["hit_rate"]["value"]


@pytest.mark.parametrize("drop", [[3], [3, 6, 9, 24]])
def test_not_answering_at_the_worst_hours_makes_no_record_better(world, drop):
    database, _, _, recorder = world
    before = measures(database)["live"]
    other = recorder.signal("ebb")
    version_id = recorder.version(other, "v1.0.0")
    for n in range(SLOTS):
        missed = n in (*MISSED, *drop)
        recorder.slot(other, version_id, n, "missed" if missed else "live",
                      proven=25 if n in LATE else 3)  # fmt: skip
    update(database)
    after = measures(database, version_id=version_id)["live"]
    assert after["hit_rate"]["value"] > before["hit_rate"]["value"]
    for name in ("hit_rate_with_misses", "skill_with_misses"):
        assert after[name]["value"] <= before[name]["value"], name


def test_a_new_version_starts_anew_and_the_family_does_not(world):
    database, signal_id, version_id, recorder = world
    before = measures(database)
    recorder.rows.execute(
        "update registry.version set state = 'offline' where id = %s", [version_id]
    )
    second = recorder.version(signal_id, "v2.0.0", published_at=END + HOUR / 2)
    for n in range(SLOTS + 3, SLOTS + 12):
        recorder.slot(signal_id, second, n, say=went)
    update(database, now=THEN)
    update(database, now=THEN + HOUR)
    family, first, fresh = (measures(database, version_id=v) for v in (None, version_id, second))
    assert fresh["live"]["hit_rate"]["value"] == 1
    assert family["live"]["hit_rate"]["count"] == before["live"]["hit_rate"]["count"] + 18
    assert family["live_since"] == before["live_since"] < fresh["live_since"]
    assert first["live"]["hit_rate"] == before["live"]["hit_rate"]
    # Between the two nobody answered, and that was no holiday.
    assert (family["slots"]["offline"], first["slots"]["offline"]) == (3, 0)
    assert family["trials"] == fresh["trials"] == before["trials"] + 1
    # Who starts anew has tried once more: the same returns are worth less.
    known = fresh["live"]
    assert known["deflated_sharpe"]["value"] < known["probabilistic_sharpe"]["value"]


def test_what_is_up_to_date_is_not_computed_again_and_an_hour_later_one_hour_is_written(world):
    database, _, _, _ = world
    assert update(database).signals == 0
    later = update(database, now=THEN + HOUR)
    assert (later.signals, later.rows, later.hours) == (1, 6, 1)


def test_a_corrected_bar_corrects_the_returns_of_its_hours_only(world):
    database, _, _, recorder = world
    at = FIRST + 20 * HOUR
    opened, closed = WALK.price(at)
    recorder.rows.execute(
        "insert into market.ingest_batch values (99, 'file', %s, %s, false, 'd', '{}')", [THEN] * 2
    )
    recorder.rows.execute(
        "insert into market.bar select id, %s, %s, %s, 99, %s, %s, %s, %s"
        " from market.instrument where symbol = 'BTCUSDT'",
        [at, at + HOUR, THEN, opened, opened + closed, opened / 2, closed * 1.01],
    )
    assert update(database, everything=True).hours == 2


def test_what_is_read_of_ninety_days_gives_what_is_read_of_everything(world, monkeypatch):
    database, signal_id, _, _ = world
    recent = {"30d": 24 * HOUR, "90d": 25 * HOUR}
    monkeypatch.setattr(updating, "RECENT", recent)
    found = []
    as_of = updating.as_of_at(THEN, DEADLINE)
    for since in (None, as_of - recent["90d"] - updating.WARM_UP):
        assert since is None or since > FIRST
        hour = updating._Hour(THEN, as_of, DEADLINE, since)
        with database.connect(WORKER) as worker:
            updating._update(worker, [signal_id], hour)
        found.append([measures(database, period) for period in ("30d", "90d")])
    for ours, theirs in zip(*found, strict=True):
        assert {part for part in ours if ours[part] != theirs[part]} == set()
    assert found[0][0]["slots"]["live"] == 5


def test_at_each_hour_the_newest_version_that_answered_is_what_was_received(world):
    database, signal_id, _, recorder = world
    second = recorder.version(signal_id, "v2.0.0", published_at=END - HOUR / 2)
    first = recorder.rows.execute("select min(id) from registry.version where state = 'live'")
    (first,) = first.fetchone()
    for n in range(SLOTS, SLOTS + 9):
        recorder.slot(signal_id, first, n, say=lambda n, h: -went(n, h))
        recorder.slot(signal_id, second, n, "missed" if n == SLOTS + 4 else "live", say=went)
    before = measures(database)["live"]["hit_rate"]
    update(database, now=THEN + HOUR)
    rates = [measures(database, version_id=v)["live"]["hit_rate"] for v in (None, first, second)]
    right = [round(one["value"] * one["count"]) for one in (before, *rates)]
    # Eight hours of the second, all right; one of the first, all wrong; two horizons each.
    assert right == [right[0], right[0] + 16, right[0], 16]
    assert rates[0]["count"] == rates[1]["count"] == before["count"] + 18


def test_a_price_is_traded_against_the_close_that_its_model_saw(world):
    database, _, _, recorder = world

    def say(n, horizon):
        return WALK.price(FIRST + (n - 1) * HOUR)[1] * math.exp(point(n, horizon))

    other = recorder.signal("ebb")
    version_id = recorder.version(other, "v1.0.0", target="price")
    for n in range(SLOTS):
        recorder.slot(other, version_id, n, "missed" if n in MISSED else "live", say=say,
                      proven=25 if n in LATE else 3)  # fmt: skip
    update(database)
    returns, prices = (measures(database, version_id=v)["live"] for v in (None, version_id))
    for name in ("total_return", "sharpe", "trade_hit_rate", "hit_rate", "hit_rate_with_misses"):
        assert prices[name]["value"] == pytest.approx(returns[name]["value"]), name
    turnover = "select turnover from score.rule_return where signal_id = %s order by hour"
    positions = recorder.rows.execute(turnover, [other]).fetchall()
    at = FIRST + 19 * HOUR
    recorder.rows.execute(
        "insert into market.ingest_batch values (99, 'file', %s, %s, false, 'd', '{}')", [THEN] * 2
    )
    recorder.rows.execute(
        "insert into market.bar select id, %s, %s, %s, 99, 1, 9999, 1, 9999"
        " from market.instrument where symbol = 'BTCUSDT'",
        [at, at + HOUR, THEN],
    )
    update(database, everything=True)
    assert recorder.rows.execute(turnover, [other]).fetchall() == positions


def test_dagster_runs_it_after_scores(world):
    database, _, _, _ = world
    installation = Installation(
        connect=lambda: database.connect(WORKER),
        engine=lambda: pytest.fail("measures need no sandbox"),
        images=None,
        clock=lambda: THEN + 2 * HOUR,
        feed_delay=timedelta(minutes=2),
        live_deadline=DEADLINE,
        api_url="http://127.0.0.1:8700",
    )
    hours = dg.HourlyPartitionsDefinition(start_date="2026-01-01-00:00")
    result = dg.materialize(
        [performance_asset(hours, [SCORES])],
        partition_key="2026-01-01-05:00",
        resources={"installation": installation},
    )
    (event,) = result.get_asset_materialization_events()
    told = {name: value.value for name, value in event.materialization.metadata.items()}
    assert (told["signals"], told["rows"], told["hours"]) == (1, 6, 2)


def test_a_signal_that_never_answered_in_time_has_no_numbers_and_says_why(world):
    database, _, _, recorder = world
    silent = recorder.signal("ebb")
    version_id = recorder.version(silent, "v1.0.0")
    for n in range(5):
        recorder.slot(silent, version_id, n, "missed")
    update(database)
    live = measures(database, version_id=version_id)["live"]
    assert live["sharpe"] == {"reason": "no hour in this period"}
    assert live["hit_rate"] == {"reason": "no scored forecast"}
    assert live["hit_rate_with_misses"] == {"value": 0.0, "count": 10}
    assert live["skill_with_misses"]["value"] < 0
