"""What an operator sees of the bars in Dagster."""

from datetime import timedelta

import dagster as dg
import polars as pl
import psycopg
import pytest

from assets.installation import Installation
from assets.market_data import PermanentSourceError, ingest
from assets.market_data.asset import KEY, bars_asset
from assets.market_data.quality import CHECKS
from sql.roles import WORKER, conninfo

HOUR = timedelta(hours=1)


@pytest.fixture
def materialize(database, day):
    """The partition of a slot, as Dagster runs it, a minute after the slot."""

    def run(source, slot):
        installation = Installation(
            connect=lambda: psycopg.connect(conninfo(database.url(WORKER)), autocommit=True),
            engine=lambda: pytest.fail("bars need no sandbox"),
            images=None, clock=lambda: slot + timedelta(minutes=1), api_url="",
            feed_delay=timedelta(minutes=2), live_deadline=timedelta(minutes=10),
        )  # fmt: skip
        grid = dg.HourlyPartitionsDefinition(start_date=f"{day:%Y-%m-%d-%H:%M}")
        with dg.DagsterInstance.ephemeral() as instance:
            return dg.materialize(
                [bars_asset(grid)], instance=instance, partition_key=f"{slot:%Y-%m-%d-%H:%M}",
                resources={"installation": installation, "market_source": source},
            )  # fmt: skip

    return run


def test_every_check_is_seen_and_a_failed_one_names_symbol_and_hours(materialize, given, bars, day):
    slot = day + 96 * HOUR
    closes = [1.0 + at % 7 for at in range(96)]
    holes = bars(closes).filter(pl.col("ts_open") != day + 90 * HOUR)
    result = materialize(given(X=bars(closes), Y=holes), slot)
    seen = {one.check_name: one for one in result.get_asset_check_evaluations()}
    assert set(seen) == set(CHECKS)
    assert not seen["no_gaps"].passed
    assert seen["no_gaps"].severity == dg.AssetCheckSeverity.WARN
    assert seen["no_gaps"].metadata["symbols_failed"].value == 1
    hours = [(day + 90 * HOUR).isoformat()]
    assert seen["no_gaps"].metadata["Y"].value == {"count": 1, "hours": hours}
    assert seen["feed_is_fresh"].passed


def test_a_symbol_that_fails_does_not_keep_the_others_from_their_hour(
    materialize, given, bars, day
):
    slot = day + 4 * HOUR
    broken = bars([1.0] * 4).with_columns(pl.col("close").cast(pl.Int64))
    result = materialize(given(X=bars([1.0, 2.0, 3.0, 4.0]), Y=broken), slot)
    (event,) = result.asset_materializations_for_node(KEY.to_python_identifier())
    assert event.metadata["new"].value == 4
    assert "column close is Int64" in event.metadata["failed"].value["Y"]
    seen = {one.check_name: one for one in result.get_asset_check_evaluations()}
    assert seen["feed_is_fresh"].metadata["Y"].value == {"newest_close": "none"}


def test_where_every_symbol_fails_the_run_fails_and_is_tried_again(given, bars, day, worker):
    broken = bars([1.0]).with_columns(pl.col("close").cast(pl.Int64))
    with pytest.raises(PermanentSourceError, match="X: column close"):
        ingest(worker, given(X=broken), ["X"], day, day, day, is_history=False, failures=[])


def test_bad_rows_are_counted_and_the_good_ones_are_there(materialize, given, bars, day):
    slot = day + 4 * HOUR
    result = materialize(given(X=bars([1.0, float("nan"), float("inf"), 2.0])), slot)
    (event,) = result.asset_materializations_for_node(KEY.to_python_identifier())
    assert (event.metadata["new"].value, event.metadata["rejected"].value) == (2, 2)
    gaps = next(c for c in result.get_asset_check_evaluations() if c.check_name == "no_gaps")
    assert (day + HOUR).isoformat() in gaps.metadata["X"].value["hours"]
