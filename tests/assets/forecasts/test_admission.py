"""Who runs next, on a clock of the test's own."""

from datetime import UTC, datetime

import pytest

from assets.forecasts.admission import STEP_ASIDE_SECONDS, Admission, Room, default_memory_mb
from assets.forecasts.version import PublishedVersion
from signalbox import parse_manifest

AT = datetime(2026, 11, 20, tzinfo=UTC)
TOML = """
[signal]
name = "model"
title = "A model"
[forecast]
symbols = ["BTCUSDT"]
horizons_hours = [1]
lookback_hours = 48
[runtime]
memory_mb = {memory_mb}
[offer]
price = "5.00"
"""
ROOM = Room(cpu=2, memory_mb=10_000)


def version(number, provider="ada", memory_mb=64):
    manifest = parse_manifest(TOML.format(memory_mb=memory_mb))
    return PublishedVersion(
        number, number, provider, f"model-{number}", "v1.0.0", "live", manifest, "sha256:", AT, AT,
        "A model",
    )  # fmt: skip


def started(admission, clock=0.0):
    """Ids of what may begin now."""
    return [one.id for one in iter(lambda: admission.start_next(clock), None)]


def test_no_more_begin_at_once_than_there_are_cores_for():
    admission = Admission([version(n) for n in range(5)], {}, ROOM)
    assert len(started(admission)) == 2
    admission.end(0)
    assert started(admission) == [2]


def test_the_slowest_of_a_provider_goes_first_and_the_quick_go_shard_by_shard():
    costs = {0: 10.0, 1: 900.0, 2: 4_000.0, 3: 19_000.0}
    admission = Admission([version(n) for n in range(5)], costs, Room(cpu=9, memory_mb=10_000))
    assert started(admission) == [3, 2, 4, 0, 1]


def test_a_sleeper_steps_aside_after_its_first_second():
    admission = Admission([version(0), version(1, "bob")], {}, Room(cpu=1, memory_mb=10_000))
    assert started(admission, 0.0) == [0]
    assert started(admission, STEP_ASIDE_SECONDS / 2) == []
    assert admission.seconds_to_room(STEP_ASIDE_SECONDS / 2) == pytest.approx(
        STEP_ASIDE_SECONDS / 2
    )
    assert started(admission, STEP_ASIDE_SECONDS) == [1]
    assert admission.running == 2


def test_what_stepped_aside_still_holds_its_memory():
    versions = [version(0, memory_mb=600), version(1, "bob", memory_mb=600)]
    admission = Admission(versions, {}, Room(cpu=4, memory_mb=1000))
    assert started(admission, 0.0) == [0]
    assert started(admission, 60.0) == []
    admission.end(0)
    assert started(admission, 61.0) == [1]


def test_a_small_one_passes_a_large_one_that_does_not_fit():
    versions = [version(0), version(1, memory_mb=1000), version(2)]
    admission = Admission(versions, {1: 500.0, 2: 1.0, 0: 900.0}, Room(cpu=4, memory_mb=1000))
    assert started(admission) == [0, 2]


def test_one_that_asks_for_more_than_the_budget_runs_alone():
    versions = [version(0, memory_mb=4000), version(1)]
    admission = Admission(versions, {0: 5.0}, Room(cpu=4, memory_mb=1000))
    assert started(admission) == [1]
    admission.end(1)
    assert started(admission) == [0]


def test_a_provider_with_many_versions_and_one_with_few_take_turns():
    versions = [version(n, "ada") for n in range(100)] + [version(100, "bob"), version(101, "cy")]
    admission = Admission(versions, dict.fromkeys(range(102), 5.0), Room(cpu=4, memory_mb=10_000))
    assert {100, 101} <= set(started(admission))


def test_a_hundred_sleepers_of_one_provider_hold_its_share_and_nobody_else_back():
    sleepers = [version(n, "mallory") for n in range(100)]
    good = [version(100 + n, "ada") for n in range(5)]
    costs = dict.fromkeys(range(100), 60_000.0) | dict.fromkeys(range(100, 105), 5.0)
    admission = Admission([*sleepers, *good], costs, ROOM)
    clock = 0.0
    done = []
    while len(done) < len(good):
        for id_ in started(admission, clock):
            if id_ >= 100:
                admission.end(id_)
                done.append(id_)
        clock += STEP_ASIDE_SECONDS
    assert clock <= 4 * STEP_ASIDE_SECONDS
    assert admission.running == ROOM.cpu


def test_a_providers_own_sleepers_do_not_hold_back_what_it_has_that_is_quick():
    costs = dict.fromkeys(range(10), 60_000.0) | {10: 5.0}
    admission = Admission([version(n) for n in range(11)], costs, ROOM)
    assert started(admission, 0.0) == [0, 1]
    assert started(admission, STEP_ASIDE_SECONDS) == [10]


def test_runs_never_exceed_what_threads_and_descriptors_there_are():
    versions = [version(n, f"provider-{n}") for n in range(9)]
    admission = Admission(versions, {}, Room(cpu=2, memory_mb=10_000, runs=3))
    assert len(started(admission, 0.0)) == 2
    assert len(started(admission, 10.0)) == 1
    assert started(admission, 20.0) == []


def test_after_giving_up_nothing_begins():
    admission = Admission([version(n) for n in range(5)], {}, ROOM)
    started(admission)
    admission.give_up()
    admission.end(0)
    assert (admission.waiting, started(admission)) == (0, [])


def test_the_budget_is_the_operators_or_a_third_of_the_machine():
    assert Room.of_machine(777).memory_mb == 777
    assert Room.of_machine().memory_mb == default_memory_mb() > 0
