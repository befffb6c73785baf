"""Performance from recorded slots to the answer: what counts, what costs, what never counts."""

import math
import shutil
from datetime import timedelta

import dagster as dg
import msgspec
import numpy as np
import pytest
from litestar.testing import TestClient

from api.app import create_app
from api.performance.stored import Measured
from api.settings import ApiSettings
from assets.installation import Installation
from assets.market_data import ingest
from assets.scores import score_resolved
from assets.scores.asset import KEY as SCORES
from assets.scores.performance import update as updating
from assets.scores.performance import update_performance
from assets.scores.performance.asset import performance_asset
from assets.transparency.signer.folder import SignerFolder
from sql.clock import floor_hour
from sql.roles import API, DATABASE, WORKER
from tests.api.recorded_hours import (
    BACKFILLED,
    DEADLINE,
    END,
    FIRST,
    HOUR,
    LATE,
    MISSED,
    SLOTS,
    THEN,
    WALK,
    Recorder,
    by_hand,
    live_slots,
    point,
    went,
)
from tests.conftest import copied


def update(database, now=THEN, **how):
    with database.connect(WORKER) as worker:
        score_resolved(worker, now)
        return update_performance(worker, now, DEADLINE, **how)


@pytest.fixture(scope="module")
def recorded(postgres, tmp_path_factory):
    """One signal with sixty due hours and forty before its publication; measured."""
    with copied(postgres, "test_performance", DATABASE) as database:
        folder = tmp_path_factory.mktemp("signer")
        SignerFolder(folder).prepare("example.org/log")
        recorder = Recorder(database, folder)
        with database.connect(WORKER) as worker:
            ingest(
                worker, WALK, ["BTCUSDT"], WALK.start, THEN, THEN, is_history=True
            )  # fmt: skip
        signal_id = recorder.signal()
        recorder.version(signal_id, "v0.9.0", "rejected")
        version_id = recorder.version(signal_id, "v1.0.0")
        for n in BACKFILLED:
            recorder.slot(signal_id, version_id, n, "backfilled")
        for n in range(SLOTS):
            provenance = "missed" if n in MISSED else "live"
            recorder.slot(signal_id, version_id, n, provenance, proven=25 if n in LATE else 3)
        recorder.close()
        update(database)
        yield database, signal_id, version_id, folder


@pytest.fixture
def world(postgres, recorded, request, tmp_path):
    """A copy of it, and a recorder that goes on where it ended."""
    database, signal_id, version_id, folder = recorded
    name = f"test_{abs(hash(request.node.nodeid)):x}"
    with copied(postgres, name, database.name) as copy:
        recorder = Recorder(copy, shutil.copytree(folder, tmp_path / "signer"))
        yield copy, signal_id, version_id, recorder
        recorder.close()


@pytest.fixture(scope="module")
def ask(postgres, recorded, tmp_path_factory):
    """GET of the API over a copy of it."""
    secret = tmp_path_factory.mktemp("api") / "secret"
    secret.write_bytes(b"0123456789abcdef0123456789abcdef")
    with copied(postgres, "test_performance_api", recorded[0].name) as copy:
        url = copy.url(API).render_as_string(hide_password=False)
        settings = ApiSettings(database_url=url, secret_key_file=str(secret), environment="test")
        with TestClient(create_app(settings)) as client:

            def get(path, **parameters):
                answer = client.get(path, params=parameters)
                assert answer.status_code == 200, answer.text
                return answer.json()

            yield get


def measures(database, period="all", version_id=None):
    with database.superuser() as rows:
        return rows.execute(
            "select measures from score.performance where period = %s"
            " and version_id is not distinct from %s::bigint",
            [period, version_id],
        ).fetchone()[0]


def test_the_rules_returns_are_those_of_a_plain_loop_over_the_bars(recorded):
    with recorded[0].connect(API) as rows:
        stored = dict(rows.execute("select hour, net from score.rule_return").fetchall())
    expected = by_hand(set(live_slots()))
    assert stored.keys() == expected.keys()
    assert [stored[hour] for hour in expected] == pytest.approx(list(expected.values()), abs=1e-12)


def test_the_answer_over_http_carries_what_was_computed(ask):
    answer = ask("/v1/signals/ada/tide/performance", window="all")
    measured = answer["measures"]
    net = np.array(list(by_hand(set(live_slots())).values()))
    assert measured["live"]["total_return"]["value"] == pytest.approx(np.prod(1 + net) - 1)
    assert measured["live"]["sharpe"]["value"] == pytest.approx(
        net.mean() / net.std(ddof=1) * math.sqrt(8760)
    )
    hits = [
        (point(n, h) > 0) == (went(n, h) > 0) for n in live_slots() for h in (1, 4) if point(n, h)
    ]
    assert measured["live"]["hit_rate"]["value"] == pytest.approx(np.mean(hits))
    assert measured["live"]["hit_rate"]["count"] == len(hits)
    assert measured["live"]["hit_rate"]["low"] is None or len(hits) >= 240
    charged = len(hits) + 2 * len((*MISSED, *LATE))
    assert measured["live"]["hit_rate_with_misses"]["value"] == pytest.approx(sum(hits) / charged)
    assert measured["slots"] == {
        "live": 57, "late": 1, "missed": 2, "unopened": 0, "offline": 0, "replayed": 0,
        "backfilled": 40,
    }  # fmt: skip
    assert (measured["hours_per_year"]["value"], measured["trials"]) == (8760, 2)
    assert (measured["rule"]["cost_bps"], measured["rule"]["delay_hours"]) == (10, 0)
    assert set(measured["by_horizon"]) == {"1", "4"}
    assert measured["by_horizon"]["4"]["hit_rate"]["value"] == pytest.approx(np.mean(hits[1::2]))
    assert set(measured["by_delay"]) == {"0", "1", "2", "4", "8", "24"}
    assert measured["by_delay"]["0"]["sharpe"]["value"] == measured["live"]["sharpe"]["value"]
    assert answer["as_of"] == f"{floor_hour(THEN - DEADLINE):%Y-%m-%dT%H:%M:%SZ}"
    assert (answer["live"]["count"], answer["due"]) == (57, 60)


def test_the_course_over_http_is_a_plain_loops_day_by_day(ask):
    curve = ask("/v1/signals/ada/tide/performance", window="all")["measures"]["curve"]["live"]
    wealth, by_day = 1.0, {}
    for hour, net in by_hand(set(live_slots())).items():
        wealth *= 1 + net
        by_day[hour.date().isoformat()] = wealth - 1
    course = dict(zip(curve["days"], curve["total_return"], strict=True))
    assert {day: course[day] for day in by_day} == pytest.approx(by_day, abs=1e-8)
    assert (set(curve["days"]) - set(by_day)) <= {FIRST.date().isoformat()}
    assert sum(curve["scored_slots"]) == 57


def test_what_was_run_afterwards_has_its_own_course_and_numbers(ask):
    measured = ask("/v1/signals/ada/tide/performance", window="all")["measures"]
    curve, told = measured["curve"]["afterwards"], measured["afterwards"]
    assert curve["total_return"][-1] == pytest.approx(told["total_return"]["value"], abs=1e-8)
    assert max(curve["drawdown"]) == pytest.approx(told["max_drawdown"]["value"], abs=1e-8)
    assert (told["total_return"]["count"], sum(curve["scored_slots"])) == (40, 40)
    assert told["total_return"] != measured["live"]["total_return"]


def test_documents_of_a_release_without_a_course_are_read_and_computed_anew_once(world):
    database, _, _, _ = world
    with database.superuser() as rows:
        rows.execute("update score.performance set measures = measures - 'curve' - 'afterwards'")
        (old,) = rows.execute("select measures::text from score.performance limit 1").fetchone()
    assert msgspec.json.decode(old, type=Measured).curve is None
    assert update(database).signals == 1
    assert update(database).signals == 0
    assert measures(database)["curve"]["live"]["days"]


def test_a_young_record_is_shown_and_not_ranked(ask, recorded):
    record = ask("/v1/signals/ada/tide/performance", window="all")["measures"]["record"]
    assert record["reason"] == (
        "the record is too short for a rank: 3 of 30 days, 57 of 200 live slots"
    )
    shown = ask("/v1/signals/ada/tide/performance", window="all")["measures"]
    assert {shown[name]["reason"] for name in ("sharpe", "skill", "hit_rate")} == {record["reason"]}
    with recorded[0].connect(API) as rows:
        ranked = rows.execute(
            "select sharpe, max_drawdown, skill, hit_rate, live_slots from score.performance"
        ).fetchall()
    assert set(ranked) == {(None, None, None, None, 57)}


def test_every_measure_is_defined(ask):
    metrics = {one["name"]: one for one in ask("/v1/metrics")["items"]}
    measured = ask("/v1/signals/ada/tide/performance", window="all")["measures"]
    for group in ("live", "late", "replayed", "backfilled", "drift"):
        assert {name for name in measured[group] if not name.startswith("coverage_")} <= set(
            metrics
        )
    assert metrics["sharpe"]["better"] == "higher"
    assert all(one["formula"] and one["source"] and one["unit"] for one in metrics.values())


def test_each_period_and_version_has_its_row_and_a_version_alone_is_its_signal(ask):
    whole = ask("/v1/signals/ada/tide/performance", window="30d")
    alone = ask("/v1/signals/ada/tide/performance", window="30d", version="v1.0.0")
    assert whole["measures"] == alone["measures"]
    rejected = ask("/v1/signals/ada/tide/performance", version="v0.9.0")
    assert rejected["measures"] is None
    assert rejected["measures_reason"].startswith("not computed yet")


def test_the_familys_page_keeps_what_was_rejected(ask):
    record = ask("/v1/signals/ada/tide/track-record")
    assert [(one["version"], one["state"]) for one in record["versions"]] == [
        ("v1.0.0", "live"),
        ("v0.9.0", "rejected"),
    ]
    live, rejected = record["versions"]
    assert record["trials"] == 2
    assert record["measures"]["sharpe"]["value"] == live["sharpe"]
    assert (live["max_drawdown"] > 0, live["reason"]) == (True, None)
    assert (rejected["sharpe"], rejected["published_at"]) == (None, None)
    assert rejected["reason"] == "it was rejected, and answered nothing"


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


def test_what_was_proven_too_late_is_beside_and_not_in_the_headline(recorded):
    found = measures(recorded[0])
    late = [(point(n, h) > 0) == (went(n, h) > 0) for n in LATE for h in (1, 4)]
    assert found["late"]["hit_rate"]["value"] == np.mean(late)
    assert found["live"]["mean_absolute_error"]["count"] == 2 * 57


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
