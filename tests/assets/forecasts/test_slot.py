"""A slot of good, slow, failing and hostile versions, in the real sandbox."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest

from assets.forecasts.admission import Room
from assets.forecasts.record import Recorder
from assets.forecasts.run_pin import pin_of_run
from assets.forecasts.slot import SlotRuns, run_slot
from assets.forecasts.tick import recent_cost_ms, tick
from assets.forecasts.version import due_slots
from assets.market_data.sample import SampleSource
from assets.market_data.store import ingest
from assets.market_data.window import pin
from assets.transparency.fsck import audit_log
from sandbox.registry.errors import BuildError

SLOT = datetime(2026, 11, 20, 8, tzinfo=UTC)
IN_TIME = SLOT + timedelta(minutes=3)
DELAY = timedelta(minutes=2)
GOOD = """
from signalbox import Forecast
def forecast(window):
    return [Forecast("BTCUSDT", 1, 0.001)]
"""
# Well-behaved when they are published, and no more once they are live. Their time-out is 1 s.
ONCE_LIVE = """
import time
from signalbox import Forecast
def forecast(window):
    if window.as_of.year == 2026 and window.as_of.month == 11:
        {what}
    return [Forecast("BTCUSDT", 1, 0.001)]
"""
SLEEPER = ONCE_LIVE.format(what="time.sleep(60)")
SPINNER = ONCE_LIVE.format(what="while True: pass")
FAILING = ONCE_LIVE.format(what="raise ValueError('no')")
EXITING = ONCE_LIVE.format(what="raise SystemExit(3)")


@pytest.fixture
def slot(house):
    """Run the slot for some versions; batches of (name, record)."""
    engine = house.installation.engine()

    def run(versions, run_id=None):
        house.now[0] = IN_TIME
        for batch in run_slot(house.installation, engine, versions, SLOT, dagster_run_id=run_id):
            yield [(version.name, done) for version, done in batch]

    return run


def publish(house, provider="ada", **apps):
    return [house.publish(name.replace("_", "-"), app, provider) for name, app in apps.items()]


def provenances(batches):
    return {name: done.provenance for batch in batches for name, done in batch}


def test_sleepers_spinners_and_failing_models_come_after_their_good_neighbours(house, slot):
    bad = publish(
        house, a_sleeper=SLEEPER, b_spinner=SPINNER, c_sleeper=SLEEPER, d_failing=FAILING,
        e_exiting=EXITING,
    )  # fmt: skip
    good = publish(house, "bob", x_good=GOOD, y_good=GOOD)
    order = [name for batch in slot([*bad, *good]) for name, _ in batch]
    slow = {"a-sleeper", "b-spinner", "c-sleeper"}
    first_slow = min(order.index(name) for name in slow)
    assert max(order.index("x-good"), order.index("y-good")) < first_slow
    with house.connect() as connection:
        found = dict(
            connection.execute(
                "select s.name, r.provenance from forecast.slot_record r"
                " join registry.version v on v.id = r.version_id"
                " join registry.signal s on s.id = v.signal_id"
            ).fetchall()
        )
        assert {name for name, kind in found.items() if kind == "live"} == {"x-good", "y-good"}
        assert {name for name, kind in found.items() if kind == "missed"} == {
            *slow, "d-failing", "e-exiting"
        }  # fmt: skip
        assert audit_log(connection) == (14, [])
        assert due_slots(connection, IN_TIME) == {}
        costs = recent_cost_ms(connection, [version.id for version in bad + good])
    assert all(costs[version.id] >= 1000 for version in bad[:3])


def test_an_image_that_is_gone_costs_its_own_version_and_is_raised_after_the_others(house, slot):
    versions = publish(house, a_gone=GOOD + "# other\n", b_good=GOOD, c_good=GOOD)
    images = house.installation.images
    config = images.root / "images" / f"{versions[0].image_digest.removeprefix('sha256:')}.json"
    hidden = config.with_suffix(".hidden")
    config.rename(hidden)
    batches = []
    try:
        with pytest.raises(BuildError, match="restore the store's backup") as raised:
            batches.extend(slot(versions))
        assert raised.value.__notes__ == ["while running ada/a-gone@v1.0.0"]
        assert provenances(batches) == {"b-good": "live", "c-good": "live"}
    finally:
        shutil.move(hidden, config)
    assert provenances(slot(versions)) == dict.fromkeys(("a-gone", "b-good", "c-good"), "live")
    with house.connect() as connection:
        assert audit_log(connection) == (6, [])


def test_a_run_shows_its_own_miss_again_and_a_later_run_tries_again(house, slot):
    versions = publish(house, failing=FAILING)
    assert provenances(slot(versions, "first")) == {"failing": "missed"}
    assert provenances(slot(versions, "first")) == {"failing": "missed"}
    ((_, again),) = [one for batch in slot(versions, "second") for one in batch]
    assert (again.provenance, again.id) == ("replayed", 0)


def test_memory_of_all_runs_together_stays_within_the_budget(house):
    """Three sleepers of 512 MB and room for one: each begins when the last has ended."""
    versions = publish(house, a_sleeper=SLEEPER, b_sleeper=SLEEPER, c_sleeper=SLEEPER)
    house.now[0] = IN_TIME
    with house.connect() as connection, house.connect() as reading:
        pinned = pin(connection, SLOT, DELAY)
        recorder = Recorder(
            connection,
            versions,
            due=[version.id for version in versions],
            live_deadline=timedelta(minutes=10),
        )
        room = Room(cpu=8, memory_mb=600)
        engine, images = house.installation.engine(), house.installation.images
        batches = [
            recorder.write(outcomes, IN_TIME)
            for outcomes in tick(reading, engine, images, versions, pinned, room)
        ]
    assert [len(batch) for batch in batches] == [1, 1, 1]


def test_all_processes_of_a_run_see_the_bars_that_its_first_one_saw(house):
    house.now[0] = IN_TIME
    with house.connect() as connection:
        first = pin_of_run(connection, SLOT, DELAY, "run", IN_TIME)
        ingest(
            connection, SampleSource(("BTCUSDT",)), ["BTCUSDT"], SLOT - timedelta(hours=1),
            SLOT, SLOT, is_history=False,
        )  # fmt: skip
        again = pin_of_run(connection, SLOT, DELAY, "run", IN_TIME)
        other = pin_of_run(connection, SLOT, DELAY, "another run", IN_TIME)
    assert again == first
    assert other.max_batch > first.max_batch


def test_whoever_asks_first_starts_all_and_each_step_gets_its_own(house):
    versions = publish(house, a_sleeper=SLEEPER, b_good=GOOD)
    sleeper, good = versions
    house.now[0] = IN_TIME
    runs = SlotRuns(house.installation)
    try:
        first = [one for batch in runs.results([sleeper.id], versions, SLOT, "run")
                 for one in batch]  # fmt: skip
        second = [one for batch in runs.results([good.id], versions, SLOT, "run")
                  for one in batch]  # fmt: skip
    finally:
        runs.close()
    assert [(version.name, done.provenance) for version, done in first + second] == [
        ("a-sleeper", "missed"),
        ("b-good", "live"),
    ]
    assert second[0][1].leaf_index < first[0][1].leaf_index


def test_what_struck_one_step_is_raised_to_it_alone_and_asking_again_runs_it_again(house):
    versions = publish(house, a_gone=GOOD + "# another\n", b_good=GOOD)
    gone, good = versions
    images = house.installation.images
    config = images.root / "images" / f"{gone.image_digest.removeprefix('sha256:')}.json"
    hidden = config.with_suffix(".hidden")
    house.now[0] = IN_TIME
    config.rename(hidden)
    runs = SlotRuns(house.installation)
    try:
        with pytest.raises(BuildError):
            list(runs.results([gone.id], versions, SLOT, "run"))
        assert len(list(runs.results([good.id], versions, SLOT, "run"))) == 1
    finally:
        shutil.move(hidden, config)
    try:
        ((_, done),) = next(runs.results([gone.id], versions, SLOT, "run"))
    finally:
        runs.close()
    assert done.provenance == "live"
