"""A tick as Dagster runs it: what an operator sees of good and bad versions."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from assets.forecasts.asset import CHECK
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
