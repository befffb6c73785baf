"""A tick as Dagster runs it: what an operator sees of good and bad versions."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from assets.forecasts.asset import CHECK, POOL
from assets.market_data.sample import SampleSource
from pipelines.definitions import definitions_of
from pipelines.schedules import partition_key

SLOT = datetime(2026, 11, 20, 8, tzinfo=UTC)
ALL = [
    ["market_data", "bars"],
    ["signals", "ada", "good", "v1.0.0"],
    ["signals", "ada", "bad", "v1.0.0"],
]
HONEST = """
from signalbox import Forecast
def forecast(window):
    return [Forecast("BTCUSDT", 1, 0.001)]
"""
BAD = """
from signalbox import Forecast
def forecast(window):
    if window.as_of.month == 11:
        raise ValueError("only in November")
    return [Forecast("BTCUSDT", 1, 0.001)]
"""


@pytest.fixture
def run(house):
    """Materialize some assets for one slot, or for a range in one run."""

    def execute(selection=None, first=SLOT, last=None):
        grid = dg.HourlyPartitionsDefinition(start_date="2026-11-01-00:00", end_offset=1)
        definitions = definitions_of(
            house.installation, SampleSource(("BTCUSDT",)), grid, "1 * * * *"
        )
        tags = {
            "dagster/asset_partition_range_start": partition_key(first),
            "dagster/asset_partition_range_end": partition_key(last or first),
        }
        with dg.DagsterInstance.ephemeral() as instance:
            return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(key) for key in selection or ALL],
                partition_key=None if last else partition_key(first),
                tags=tags if last else None,
                raise_on_error=False,
            )

    return execute


def materialized(result):
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}


def checks(result):
    return {
        e.asset_key.to_user_string(): e.passed
        for e in result.get_asset_check_evaluations()
        if e.check_name == CHECK
    }


def test_a_version_that_fails_leaves_its_neighbour_its_check_failed_and_the_run_green(house, run):
    house.publish("good", HONEST)
    house.publish("bad", BAD)
    house.now[0] = SLOT + timedelta(minutes=1)
    result = run()
    assert result.success
    assert materialized(result) == {"market_data/bars", "signals/ada/good/v1.0.0"}
    assert checks(result) == {"signals/ada/good/v1.0.0": True, "signals/ada/bad/v1.0.0": False}
    (event,) = result.asset_materializations_for_node("shard_0000")
    assert event.metadata["provenance"].value == "live"
    assert event.metadata["leaf_index"].value in (2, 3)  # whichever ended first
    assert event.metadata["input_digest"].value.startswith("sha256:")


def test_running_a_recorded_partition_again_shows_what_is_recorded(house, run):
    house.publish("good", HONEST)
    house.publish("bad", BAD)
    house.now[0] = SLOT + timedelta(minutes=1)
    run()
    house.now[0] = SLOT + timedelta(hours=5)
    again = run([["signals", "ada", "good", "v1.0.0"]])
    assert again.success
    assert materialized(again) == {"signals/ada/good/v1.0.0"}
    with house.connect() as connection:
        (count,) = connection.execute(
            "select count(*) from forecast.slot_record where provenance <> 'missed'"
        ).fetchone()
    assert count == 1


def test_a_backfill_over_a_range_is_one_lockstep_run(house, run):
    house.publish("good", HONEST)
    house.now[0] = SLOT
    result = run(
        [["signals", "ada", "good", "v1.0.0"]],
        SLOT - timedelta(hours=6),
        SLOT - timedelta(hours=3),
    )
    assert result.success
    with house.connect() as connection:
        found = connection.execute(
            "select provenance, count(*) from forecast.slot_record group by provenance"
        ).fetchall()
    assert found == [("backfilled", 4)]


NEXT = SLOT + timedelta(hours=1)
ONLY_FIRST = """
from signalbox import Forecast
def forecast(window):
    if window.as_of.month == 11 and window.as_of.hour == 8:
        raise ValueError("only at eight")
    return [Forecast("BTCUSDT", 1, 0.001)]
"""


@pytest.fixture
def tick(house):
    """Run job `tick` for a slot in an instance that stays."""
    with dg.DagsterInstance.ephemeral() as instance:

        def execute(slot, job="tick", keys=None):
            grid = dg.HourlyPartitionsDefinition(start_date="2026-11-01-00:00", end_offset=1)
            source = SampleSource(("BTCUSDT",))
            definitions = definitions_of(house.installation, source, grid, "1 * * * *")
            house.now[0] = slot + timedelta(minutes=1)
            if keys:
                return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
                    instance=instance,
                    asset_selection=[dg.AssetKey(key) for key in keys],
                    partition_key=partition_key(slot),
                )
            return definitions.resolve_job_def(job).execute_in_process(
                instance=instance, partition_key=partition_key(slot)
            )

        yield instance, execute


def test_a_miss_turns_the_check_red_with_its_reason_and_the_next_good_slot_turns_it_green(
    house, tick
):
    instance, execute = tick
    house.publish("good", HONEST)
    house.publish("flaky", ONLY_FIRST)
    flaky = dg.AssetKey(["signals", "ada", "flaky", "v1.0.0"])
    check = dg.AssetCheckKey(flaky, CHECK)

    def shown():
        found = instance.event_log_storage.get_latest_asset_check_execution_by_key([check])
        evaluation = found[check].event.asset_check_evaluation
        return found[check].status.value, evaluation.metadata["reason"].value

    first = execute(SLOT)
    assert first.success
    assert shown() == ("FAILED", "error: ValueError: only at eight")
    assert instance.get_materialized_partitions(flaky) == set()
    second = execute(NEXT)
    assert second.success
    assert shown() == ("SUCCEEDED", "")
    assert instance.get_materialized_partitions(flaky) == {partition_key(NEXT)}
    evaluated = [
        {one.asset_key.path[2] for one in result.get_asset_check_evaluations()
         if one.check_name == CHECK}
        for result in (first, second)
    ]  # fmt: skip
    # What is green and stays green is not said again.
    assert evaluated == [{"good", "flaky"}, {"flaky"}]


def test_an_operator_sees_what_a_version_took_and_can_run_its_missed_partition_again(house, tick):
    instance, execute = tick
    house.publish("good", HONEST)
    house.publish("flaky", ONLY_FIRST)
    execute(SLOT)
    good = dg.AssetKey(["signals", "ada", "good", "v1.0.0"])
    shown = instance.get_latest_materialization_event(good).asset_materialization.metadata
    assert {
        "provenance", "forecasts", "latency_ms", "input_digest", "leaf_index", "image", "signal"
    } <= set(shown)  # fmt: skip
    flaky = ["signals", "ada", "flaky", "v1.0.0"]
    again = execute(SLOT, keys=[flaky])
    assert again.success
    assert checks(again) == {"signals/ada/flaky/v1.0.0": False}
    assert materialized(again) == set()


def test_shard_steps_are_in_the_pool_of_sandboxes(house):
    house.publish("good", HONEST)
    grid = dg.HourlyPartitionsDefinition(start_date="2026-11-01-00:00")
    definitions = definitions_of(house.installation, SampleSource(), grid, "1 * * * *")
    key = dg.AssetKey(["signals", "ada", "good", "v1.0.0"])
    assert definitions.resolve_assets_def(key).op.pools == {POOL}
