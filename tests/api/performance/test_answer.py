"""The answer: each number is that of a plain loop, defined, and ranked only with a record."""

import math

import numpy as np
import pytest

from sql.clock import floor_hour
from sql.roles import API
from tests.api.performance.recorded_hours import (
    DEADLINE,
    FIRST,
    LATE,
    MISSED,
    THEN,
    by_hand,
    live_slots,
    point,
    went,
)
from tests.api.performance.stored import measures


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


def test_what_was_proven_too_late_is_beside_and_not_in_the_headline(recorded):
    found = measures(recorded[0])
    late = [(point(n, h) > 0) == (went(n, h) > 0) for n in LATE for h in (1, 4)]
    assert found["late"]["hit_rate"]["value"] == np.mean(late)
    assert found["live"]["mean_absolute_error"]["count"] == 2 * 57
