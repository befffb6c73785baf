"""Asking for more of the market than may be seen."""

from collections.abc import Callable

import pytest

from sandbox.runner.run import SlotResult

Cold = Callable[..., SlotResult]


def test_reads_past_the_cut_off_off_the_manifest_and_of_too_much_are_refused(cold: Cold) -> None:
    result = cold("""
from datetime import datetime, timedelta
from signalbox import RefusedReadError
def forecast(window):
    hour, day = timedelta(hours=1), timedelta(days=1)
    now = window.as_of
    for symbol, start, end in [
        ("EURUSD", now - day, now),
        ("EURUSD", now - day, now + hour),
        ("EURUSD", now, now + day),
        ("AAPL", now - day, now),
        ("EURUSD", now, now),
        ("EURUSD", now, now - day),
        ("EURUSD", datetime(1000, 1, 1, tzinfo=now.tzinfo), now),
        ("EURUSD", datetime(2026, 1, 1), datetime(2026, 1, 2)),
    ]:
        try:
            print(window.historical(symbol, start, end).height)
        except RefusedReadError as refusal:
            print(refusal)
    return rows()
""")
    assert result.missed is None, result.log
    assert result.log.splitlines() == [
        "24",
        "end 2026-01-05T13:00:00+00:00 is past the slot; ask up to it",
        "end 2026-01-06T12:00:00+00:00 is past the slot; ask up to it",
        "AAPL is not in the manifest; it names EURUSD, GBPUSD",
        "the range is empty; end must be after start",
        "the range is empty; end must be after start",
        "one read carries at most 200000 hours; ask for less",
        "give start and end a time zone, such as UTC",
    ]


def test_a_refused_read_that_the_model_does_not_handle_is_missed_as_refused(cold: Cold) -> None:
    result = cold("""
def forecast(window):
    return window.historical("AAPL", window.as_of.replace(hour=0), window.as_of)
""")
    assert str(result.missed) == "refused: AAPL is not in the manifest; it names EURUSD, GBPUSD"


def test_reading_without_end_is_refused_after_a_hundred(cold: Cold) -> None:
    result = cold("""
def forecast(window):
    for count in range(1000):
        window.historical("EURUSD", window.as_of.replace(hour=0), window.as_of)
""")
    assert str(result.missed).startswith("refused: 100 reads were made in this slot")


def test_a_symbol_off_the_manifest_has_no_bars(cold: Cold) -> None:
    result = cold("def forecast(window): return window.bars('AAPL')")
    assert str(result.missed) == "refused: AAPL is not in the manifest; it names EURUSD, GBPUSD"


GREEDY = {
    "ask for 10 million rows": (
        "window.historical('EURUSD', now - timedelta(hours=10_000_000), now)",
        "one read carries at most 200000 hours",
    ),
    "ask for tomorrow": (
        "window.historical('EURUSD', now, now + timedelta(days=1))",
        "is past the slot; ask up to it",
    ),
    "ask for one microsecond too many": (
        "window.historical('EURUSD', now - timedelta(hours=1), now + timedelta(microseconds=1))",
        "is past the slot; ask up to it",
    ),
    "ask for tomorrow in another time zone": (
        "window.historical('EURUSD', now, now.astimezone(WEST) + timedelta(hours=1))",
        "is past the slot; ask up to it",
    ),
    "ask for a symbol off the manifest": (
        "window.historical('AAPL', now - timedelta(days=1), now)",
        "AAPL is not in the manifest",
    ),
    "ask for a path as a symbol": (
        "window.historical('../../etc/passwd', now - timedelta(days=1), now)",
        "is not in the manifest",
    ),
    "ask for SQL as a symbol": (
        'window.historical("EURUSD\' or true --", now - timedelta(days=1), now)',
        "is not in the manifest",
    ),
    "ask a thousand times": (
        "[window.historical('EURUSD', now - timedelta(hours=1), now) for _ in range(1000)]",
        "100 reads were made in this slot",
    ),
}


@pytest.mark.parametrize("attack", GREEDY)
def test_asking_for_more_than_may_be_seen_is_missed_as_refused(
    cold: Cold, tell_missed: Callable[..., None], attack: str
) -> None:
    asked, detail = GREEDY[attack]
    result = cold(f"""
from datetime import timedelta, timezone
WEST = timezone(timedelta(hours=-12))
def forecast(window):
    now = window.as_of
    {asked}
    return rows()
""")
    assert detail in str(result.missed)
    tell_missed(attack, result, {"refused"})
