"""A machine's clock jumps: nothing is called live that nobody can date."""

from datetime import timedelta

from assets.forecasts.slot import run_slot
from assets.transparency.fsck import fsck
from tests.conftest import SLOT

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MODEL = """
from signalbox import Forecast
def forecast(window):
    return [Forecast("BTCUSDT", 1, 0.0)]
"""
RECORDS = "select slot, provenance, reason from forecast.slot_record order by slot"


def test_a_clock_set_back_by_two_hours_records_nothing_as_live_until_it_has_caught_up(
    house, engine, caplog
):
    versions = [house.publish("tide", MODEL)]

    def tick(slot, clock):
        house.now[0] = clock
        return [done for batch in run_slot(house.installation, engine, versions, slot)
                for _, done in batch]  # fmt: skip

    # True time is 08:01; the clock says 10:01, then it is put right.
    assert [one.provenance for one in tick(SLOT, SLOT + 2 * HOUR + MINUTE)] == ["late"]
    assert [one.provenance for one in tick(SLOT + HOUR, SLOT + HOUR + MINUTE)] == ["late"]
    assert "the clock says" in caplog.text
    # From then on clocks agree with what is on record, to within a minute.
    assert [one.provenance for one in tick(SLOT + 2 * HOUR, SLOT + 2 * HOUR + MINUTE)] == ["live"]
    # What was recorded while the clock ran ahead is not recorded again.
    assert [one.provenance for one in tick(SLOT, SLOT + 2 * HOUR + 2 * MINUTE)] == ["late"]
    with house.connect() as connection:
        found = connection.execute(RECORDS).fetchall()
        report = fsck(connection, SLOT + 2 * HOUR + 3 * MINUTE, live_deadline=10 * MINUTE)
    assert [provenance for _, provenance, _ in found] == ["late", "late", "live"]
    assert (report.shown, report.owed) == ((), 0)
