"""A replay's windows, told as changes: the same bars and the same bytes as cut one by one."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.market_data import OutsideHistoryError, SlotPin, arrow_ipc, input_digest
from assets.market_data.digest import arrow_ipc_of_bars, frame_of
from assets.market_data.frames import UTC_TIME, WINDOW_SCHEMA
from assets.market_data.history import History
from assets.market_data.steps import steps
from sandbox.harness.bars import Bars

HOUR = timedelta(hours=1)
DAY = datetime(2026, 1, 5, tzinfo=UTC)
HOURS = 40
PIN = SlotPin(slot=DAY + HOURS * HOUR, cutoff=DAY + HOURS * HOUR + 2 * HOUR / 60, max_batch=1)
SCHEMA = {**WINDOW_SCHEMA, "ts_close": UTC_TIME, "available_at": UTC_TIME}

# Of one bar: its hour, and of each version how late it came (minutes) and whether it has a volume.
BAR = st.tuples(
    st.integers(0, HOURS - 1),
    st.lists(st.tuples(st.integers(0, 600), st.booleans()), min_size=1, max_size=3),
)


def history_of(bars: dict[str, list]) -> History:
    frames = {}
    for symbol, found in bars.items():
        rows = []
        for hour, versions in sorted(found):
            opened = DAY + hour * HOUR
            for late, has_volume in sorted(versions):
                price = 100.0 + len(rows)
                rows.append(
                    (opened, price, price + 1, price - 1, price, price * 2 if has_volume else None,
                     opened + HOUR, opened + HOUR + timedelta(minutes=late))
                )  # fmt: skip
        frames[symbol] = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return History(frames, DAY, PIN.slot, PIN)


PAST = st.lists(BAR, max_size=60, unique_by=lambda bar: bar[0])
SLOTS = st.sets(st.integers(8, HOURS), min_size=1).map(sorted)


@settings(max_examples=150, deadline=None)
@given(PAST, PAST, SLOTS)
def test_late_bars_corrections_and_gaps_change_a_window_into_what_a_live_read_gives(
    eurusd, btcusdt, hours
):
    history = history_of({"EURUSD": eurusd, "BTCUSDT": btcusdt})
    slots = [DAY + hour * HOUR for hour in hours]
    held: dict[str, Bars] = {}
    for step in steps(history, slots, 8):
        tables = {
            symbol: arrow_ipc(frame) for symbol, frame in history.frames_at(step.slot, 8).items()
        }
        assert {symbol: step.table(symbol) for symbol in tables} == tables
        assert step.input_digest == input_digest(step.slot, tables)
        for symbol, table in tables.items():
            if step.changes is None:
                held[symbol] = Bars.of_table(table)
            else:
                held[symbol].change(step.changes[symbol])
            assert arrow_ipc(frame_of(held[symbol].cells)) == table


def test_a_window_kept_from_an_earlier_slot_still_shows_that_slot():
    bars = [(hour, [(0, True), (200, True)]) for hour in range(HOURS)]
    history = history_of({"EURUSD": bars})
    slots = [DAY + hour * HOUR for hour in range(8, HOURS)]
    held, kept = None, []
    for step in steps(history, slots, 8):
        if held is None:
            held = Bars.of_table(step.table("EURUSD"))
        else:
            held.change(step.changes["EURUSD"])
        kept.append(held.cells)
    for slot, cells in zip(slots, kept, strict=True):
        assert frame_of(cells).equals(history.frames_at(slot, 8)["EURUSD"])


def test_an_ordinary_hour_costs_one_bar_on_the_wire():
    history = history_of({"EURUSD": [(hour, [(0, True)]) for hour in range(HOURS)]})
    later = list(steps(history, [DAY + hour * HOUR for hour in range(8, HOURS)], 8))[1:]
    assert {len(step.changes["EURUSD"]) for step in later} == {8 + 6 * 8}


def test_peeking_outside_the_history_is_refused():
    history = history_of({"EURUSD": []})
    for slots in ([DAY + 7 * HOUR], [DAY + 8 * HOUR, DAY + (HOURS + 1) * HOUR]):
        with pytest.raises(OutsideHistoryError):
            list(steps(history, slots, 8))


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 500])
@pytest.mark.parametrize("unknown", ["none", "some", "all"])
def test_bytes_put_together_from_cells_are_those_of_the_frame(count, unknown):
    columns = np.random.default_rng(count).uniform(1, 2, (6, count))
    columns[5, {"none": count, "some": count // 2, "all": 0}[unknown] :] = np.nan
    cells = columns.view(np.int64)
    cells[0] = np.arange(count) * 3_600_000_000
    frame = frame_of(cells)
    assert frame["volume"].null_count() == np.isnan(columns[5]).sum()
    assert arrow_ipc_of_bars(cells) == arrow_ipc(frame)
    assert pl.read_ipc_stream(arrow_ipc_of_bars(cells)).equals(frame)
