"""Logged forecasts computed again, by image and pinned input, in real sandboxes."""

import json
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from assets.forecasts.slot import run_slot
from assets.market_data.sample import SampleSource
from assets.transparency.reproduce import NotAForecastError, reproduce
from assets.transparency.reproduce_asset import CHECK
from assets.transparency.reproduce_sample import draw_of, reproduce_sample, sample
from pipelines.definitions import definitions_of

SLOT = datetime(2026, 11, 20, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
TOMORROW = date(2026, 11, 21)
HONEST = """
from signalbox import Forecast
def forecast(window):
    close = window.bars("BTCUSDT")["close"]
    return [Forecast("BTCUSDT", 1, float(close[-1] / close[0] - 1) + float(window.random.normal()))]
"""
CLOCK_READER = """
import time
from signalbox import Forecast
def forecast(window):
    return [Forecast("BTCUSDT", 1, (time.time_ns() % 1_000_000) / 1e7)]
"""
# Answers well only while it believes that it runs live.
TELLS_REPLAY_FROM_LIVE = """
import os
from signalbox import Forecast
def forecast(window):
    boot = os.stat("/proc/self").st_ctime_ns
    return [Forecast("BTCUSDT", 1, 0.001 + (boot % 997) / 1e5)]
"""

pytestmark = pytest.mark.parametrize("engine_choice", ["embedded-forked"], indirect=True)


@pytest.fixture
def ran(house):
    """`ran(app, ...)`: publish each, run a slot, and return the forecast leaves."""

    def run(*apps, slots=1):
        versions = [house.publish(f"model-{at}", app) for at, app in enumerate(apps)]
        engine = house.installation.engine()
        for at in range(slots):
            slot = SLOT + at * HOUR
            house.now[0] = slot + timedelta(minutes=3)
            for _ in run_slot(house.installation, engine, versions, slot):
                pass
        with house.connect() as connection:
            return [
                index
                for (index,) in connection.execute(
                    "select index from transparency.leaf where kind = 'forecast/v1' order by index"
                )
            ]

    return run


def tamper(database, statement, *values):
    """As a superuser who switches every trigger off."""
    with database.superuser() as connection, connection.transaction():
        connection.execute("set local session_replication_role = replica")
        assert connection.execute(statement, values).rowcount == 1


def test_a_forecast_computed_again_a_week_later_gives_the_same_bytes(house, ran):
    (leaf,) = ran(HONEST)
    house.now[0] = SLOT + timedelta(days=7)
    verdict = reproduce(house.installation, leaf)
    assert (verdict.result, verdict.differences) == ("reproduced", ())
    assert (verdict.signal, verdict.version, verdict.slot) == ("ada/model-0", "v1.0.0", SLOT)


def test_a_bar_corrected_since_changes_nothing_of_what_is_reproduced(house, database, ran):
    (leaf,) = ran(HONEST)
    with database.superuser() as connection:
        connection.execute(
            "insert into market.ingest_batch select id + 1, source, fetched_at, committed_at,"
            " is_history, raw_digest, counts from market.ingest_batch order by id desc limit 1"
        )
        corrected = connection.execute(
            "insert into market.bar select instrument_id, ts_open, ts_close, available_at,"
            " batch_id + 1, open, high * 2, low, close * 1.5, volume from market.bar"
        )
        assert corrected.rowcount > 48
    assert reproduce(house.installation, leaf).result == "reproduced"


@pytest.mark.parametrize("app", [CLOCK_READER, TELLS_REPLAY_FROM_LIVE])
def test_a_model_that_reads_the_clock_to_tell_replay_from_live_is_caught(house, ran, app):
    (leaf,) = ran(app)
    verdict = reproduce(house.installation, leaf)
    assert verdict.result == "differs"
    answer, commitment = verdict.differences
    assert answer.startswith('answer: logged {"horizon_hours":1,"point":')
    assert commitment.startswith("commitment of the fresh answer: logged ")


def test_bars_altered_under_a_forecast_are_named_as_another_input(house, database, ran):
    (leaf,) = ran(HONEST)
    tamper(
        database,
        "update market.bar set close = close * 1.0001 where ts_close = %s",
        SLOT,
    )
    verdict = reproduce(house.installation, leaf)
    assert verdict.result == "not_possible"
    assert verdict.why.startswith("input: logged sha256:")


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("delete from forecast.opening", "opening: it is lost"),
        ("update forecast.opening set payload = '[]'", "commitment: logged"),
        ("update forecast.opening set salt = 'short'", "commitment: logged"),
        ("update forecast.slot_record set input_digest = 'x'", "input of the record: logged"),
        ("update forecast.slot_record set image_digest = 'x'", "image of the record: logged"),
        ("update registry.version set image_digest = 'x'", None),
    ],
)
def test_what_was_altered_beside_the_leaf_is_named(house, database, ran, statement, names):
    """The image is the leaf's: a registry that names another changes nothing of the verdict."""
    (leaf,) = ran(HONEST)
    tamper(database, statement)
    verdict = reproduce(house.installation, leaf)
    if names is None:
        assert verdict.result == "reproduced"
    else:
        assert verdict.result == "differs"
        assert verdict.why.startswith(names)


def test_a_leaf_of_a_version_and_one_that_is_not_there_are_refused(house, ran):
    ran(HONEST)
    with pytest.raises(NotAForecastError, match="leaf 0 is version/v1"):
        reproduce(house.installation, 0)
    with pytest.raises(NotAForecastError, match="there is no leaf 99"):
        reproduce(house.installation, 99)


def test_nobody_can_choose_the_sample_and_a_second_run_of_a_day_adds_nothing(house, ran):
    leaves = ran(HONEST, CLOCK_READER, slots=3)
    house.now[0] = datetime(2026, 11, 21, 0, 24, tzinfo=UTC)
    with house.connect() as connection:
        draw = draw_of(connection, TOMORROW)
        chosen = sample(connection, draw, 4)
        assert (draw.size, len(chosen)) == (8, 4)
        assert set(chosen) < set(leaves)
        assert draw_of(connection, date(2026, 11, 20)) is None
    verdicts = reproduce_sample(house.installation, TOMORROW, count=4, dagster_run_id="first")
    assert [verdict.leaf for verdict in verdicts] == chosen
    # Their audit leaves make the log longer, but not the one that the day began with.
    assert reproduce_sample(house.installation, TOMORROW, count=4) == []
    more = reproduce_sample(house.installation, TOMORROW, count=6)
    assert sorted(one.leaf for one in [*verdicts, *more]) == leaves
    with house.connect() as connection:
        rows = connection.execute(
            "select t.leaf_index, t.result, t.why, l.kind, convert_from(l.body, 'UTF8')"
            " from transparency.reproduction t join transparency.leaf l on l.index = t.audit_leaf"
            " order by t.id"
        ).fetchall()
    for index, result, why, kind, body in rows:
        said = json.loads(body)
        assert (kind, said["leaf"], said["why"]) == ("audit/v1", index, why)
        assert said["reproduced"] == (result == "reproduced")
    results = [result for _, result, *_ in rows]
    assert (results.count("reproduced"), results.count("differs")) == (3, 3)


def test_the_nightly_asset_turns_its_check_red_and_names_the_version(house, ran):
    ran(HONEST, CLOCK_READER)
    grid = dg.HourlyPartitionsDefinition(start_date="2026-11-01-00:00", end_offset=1)
    source = SampleSource(("BTCUSDT",))
    job = definitions_of(house.installation, source, grid, "1 * * * *").resolve_job_def("reproduce")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, partition_key=f"{TOMORROW}")
    (event,) = result.get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert (metadata["drawn"].value, metadata["differs"].value) == (2, 1)
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == (CHECK, False)
    assert "ada/model-1@v1.0.0: answer: logged" in check.metadata["first"].value
