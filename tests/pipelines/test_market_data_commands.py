"""`signalbox ingest` and `signalbox bars`, as an operator calls them."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from sql.roles import WORKER

DOCS = Path(__file__).parents[2] / "docs" / "operations" / "market-data.md"
YAHOO = ("AAPL", "AMZN", "GOOGL", "META", "MSFT", "NVDA", "TSLA")


@pytest.fixture
def signalbox(database, tmp_path):
    def run(*arguments):
        given = {k: v for k, v in os.environ.items() if not k.startswith("SIGNALBOX_")}
        url = database.url(WORKER).render_as_string(hide_password=False)
        return subprocess.run(
            [sys.executable, "-c", "from signalbox.cli import main; main()", *arguments],
            env={
                **given, "SIGNALBOX_DATABASE_URL": url, "SIGNALBOX_IMAGE_STORE": str(tmp_path),
            },
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip

    return run


# What the checks have to say about each recorded file: check, symbol, words of its metadata.
DEFECTS = [
    ("no_repeated_hours", "BTCUSD.COINBASE", "2017-11-12T05:00:00+00:00"),
    ("no_flat_runs", "BTCUSD.COINBASE", "2018-08-10T08:00:00+00:00"),
    ("opens_are_opens", "BTCUSD.COINBASE", "share"),
    ("no_symbol_is_another", "BTCUSD.BITFINEX", "17582 of 17583 common hours are equal"),
    ("volume_in_one_unit", "BTCUSD.GEMINI", "2019-03-0"),
    ("volume_in_one_unit", "BTCUSD.GEMINI", "2019-04-13"),
    ("volume_in_one_unit", "BTCUSD.GEMINI", "2020-10-12"),
    ("no_flat_runs", "BTCUSD.GEMINI", "2020-04-25"),
    ("no_gaps", "EURUSD", "hours"),
    ("no_gaps", "NZDUSD", "hours"),
    ("no_gaps", "EURUSD.ASK", "2017-12-25"),
    ("no_gaps", "XAUUSD", "hours"),
    ("second_sources_agree_on_the_hour", "EURUSD.FXCM", "2008-07 by -4 h, 2008-08"),
    ("second_sources_agree_on_the_hour", "EURUSD.FXCM", "2009-01 by -5 h"),
    ("no_bars_of_a_closed_market", "EURUSD.FXCM", "2007-04-01"),
    ("no_flat_runs", "XAUUSD", "flat_bars"),
    ("no_spikes", "XAUUSD", "2008-09-18T19:00:00+00:00"),
    ("second_sources_are_on_one_side", "EURUSD.ASK", "closes above it"),
    ("no_gaps", "SPY", "2004-01-05T14:30:00+00:00"),
    ("no_bars_of_a_closed_market", "SPY", "2004-01-02T21:00:00+00:00"),
    *(("no_bars_of_a_closed_market", symbol, "2026-05-29T20:00:00+00:00") for symbol in YAHOO),
    *(("no_bars_of_a_closed_market", symbol, "2025-11-28T18:00:00+00:00") for symbol in YAHOO),
    *(("volume_where_price_moved", symbol, "count") for symbol in YAHOO),
    ("no_symbol_is_another", "AAPL.OLD", "they differ at 2025-11-19T17:30:00+00:00"),
]
CLEAN = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "AVAXUSDT", "SHIBUSDT")


def test_every_real_file_lands_whole_and_every_known_defect_is_named_by_a_check(
    signalbox, database, shared_bars
):
    said = signalbox("ingest", f"file:{shared_bars}", "--to", "2026-11-01", "--json")
    assert said.returncode == 0, said.stderr
    report = json.loads(said.stdout)
    rows = {
        path.name.removesuffix("_1h.parquet"): pl.scan_parquet(path).select(pl.len()).collect()
        for path in shared_bars.glob("*.parquet")
    }
    assert len(rows) == 29
    assert {symbol: one["new"] for symbol, one in report["symbols"].items()} == {
        symbol: count.item() for symbol, count in rows.items()
    }
    assert report["total"]["rejected"] == 0
    with database.superuser() as connection:
        stored = connection.execute("select count(*) from market.bar").fetchone()
    assert stored == (sum(count.item() for count in rows.values()),)
    checks = report["checks"]
    for check, symbol, words in DEFECTS:
        assert words in json.dumps(checks[check].get(symbol, {})), (check, symbol, words)
    for name, results in checks.items():
        if name != "no_spikes":
            assert not set(CLEAN) & set(results), name
    again = json.loads(signalbox("ingest", f"file:{shared_bars}", "--json").stdout)
    assert (again["total"]["new"], again["total"]["corrected"]) == (0, 0)
    assert again["total"]["same"] == stored[0]


def _file(folder, symbol, hours=3, **changed):
    columns = {
        "ts": [datetime(2026, 1, 5, hour, tzinfo=UTC) for hour in range(hours)],
        **{name: [1.0] * hours for name in ("open", "high", "low", "close", "volume")},
    } | changed
    pl.DataFrame(columns).write_parquet(folder / f"{symbol}_1h.parquet")


def test_a_symbol_that_fails_does_not_keep_the_others_from_landing(signalbox, tmp_path):
    _file(tmp_path, "BTCUSDT")
    _file(tmp_path, "ETHUSDT", close=["a", "b", "c"])
    _file(tmp_path, "XRPUSDT", close=[1.0, float("nan"), 1.0])
    said = signalbox("ingest", f"file:{tmp_path}", "--from", "2026-01-01", "--to", "2026-02-01")
    assert said.returncode == 1
    assert re.search(
        r"^ETHUSDT .*FAILED: ETHUSDT: column close is String", said.stderr, re.MULTILINE
    )
    assert re.search(r"^total +5 new, 0 same, 0 corrected, 1 rejected$", said.stdout, re.MULTILINE)


def test_bars_says_what_is_there_and_what_is_missing(signalbox, tmp_path):
    _file(tmp_path, "BTCUSDT", hours=9)
    assert signalbox("ingest", f"file:{tmp_path}", "--to", "2026-02-01").returncode == 0
    _file(tmp_path, "BTCUSDT", hours=9, close=[1.0] * 4 + [float("nan")] + [1.0] * 4)
    assert signalbox("ingest", f"file:{tmp_path}", "--to", "2026-02-01").returncode == 0
    found = json.loads(signalbox("bars", "BTCUSDT", "--json").stdout)
    assert (found["hours"], found["corrections"], found["calendar"]) == (9, 0, "24x7")
    assert found["batches"] == {"file": 2}
    assert found["rejected"] == {"prices_finite": 1}
    assert found["first_open"] == "2026-01-05T00:00:00Z"
    assert "feed_is_fresh" in found["checks"]
    said = signalbox("bars", "BTCUSDT").stdout
    assert re.search(r"^hours +9$", said, re.MULTILINE)
    assert re.search(r"^no_flat_runs +BTCUSDT +count 9; flat_bars 9;", said, re.MULTILINE)


def test_bars_of_an_unknown_symbol_says_what_to_do(signalbox):
    said = signalbox("bars", "NOPE")
    assert said.returncode == 1
    assert "NOPE is no known instrument: ingest bars of it first" in said.stderr


def test_a_batch_is_read_again_without_asking_the_source(signalbox, tmp_path):
    _file(tmp_path, "BTCUSDT")
    assert signalbox("ingest", f"file:{tmp_path}", "--to", "2026-02-01").returncode == 0
    _file(tmp_path, "BTCUSDT", close=[2.0] * 3)
    said = signalbox("ingest", f"file:{tmp_path}", "--again", "1")
    assert re.search(r"^total +0 new, 3 same", said.stdout, re.MULTILINE)
    assert "there is no batch 9" in signalbox("ingest", f"file:{tmp_path}", "--again", "9").stderr
