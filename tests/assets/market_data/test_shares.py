"""Vendors of shares: keys, errors, half hours, early closes, raw prices."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import pandas as pd
import polars as pl
import pytest

from assets.market_data import PermanentSourceError, TransientSourceError, validate
from assets.market_data.alpaca import AlpacaSource
from assets.market_data.calendar import UnknownCalendarError
from assets.market_data.closing import with_close
from assets.market_data.frames import PRICES, UTC_TIME
from assets.market_data.source import MissingExtraError
from assets.market_data.yfinance import YahooSource, as_csv, read_csv

HOUR = timedelta(hours=1)
DAY = datetime(2025, 11, 28, tzinfo=UTC)  # New York closes at 13:00, 18:00 UTC
NOW = DAY + timedelta(days=3)


def _bar(stamp, price=270.5):
    return {"t": stamp, "o": price, "h": price + 1, "l": price - 1, "c": price, "v": 1200,
            "n": 30, "vw": price}  # fmt: skip


@pytest.fixture
def alpaca(tmp_path):
    """A source, and the answers that its service gives in turn."""
    answers, asked = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.headers["APCA-API-KEY-ID"], parse_qs(urlparse(self.path).query)))
            status, body = answers.pop(0)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    keys = tmp_path / "keys"
    keys.write_text("KEYID\nSECRET\n")
    source = AlpacaSource(keys, ("AAPL",), url=f"http://127.0.0.1:{server.server_port}")
    yield source, answers, asked
    source._client._session.close()
    server.shutdown()
    thread.join()
    server.server_close()


def _page(bars, token=None):
    return 200, json.dumps({"bars": {"AAPL": bars}, "next_page_token": token})


def test_bars_come_page_by_page_unadjusted_with_whole_volumes_as_floats(alpaca):
    source, answers, asked = alpaca
    answers += [
        _page([_bar("2025-11-28T14:00:00Z")], "next"),
        _page([_bar("2025-11-28T15:00:00Z"), _bar("2025-11-28T17:00:00Z")]),
    ]
    delivery = source.fetch("AAPL", DAY, DAY + 24 * HOUR, NOW)
    assert [at.hour for at in delivery.frame["ts_open"]] == [14, 15, 17]
    assert delivery.frame["volume"].to_list() == [1200.0] * 3
    assert validate(delivery.frame, NOW).rejects == []
    key, query = asked[0]
    assert key == "KEYID"
    assert (query["adjustment"], query["timeframe"]) == (["raw"], ["1Hour"])
    assert source.read("AAPL", delivery.raw_bytes).equals(delivery.frame)


def test_a_day_without_bars_is_no_error(alpaca):
    source, answers, _ = alpaca
    answers += [(200, json.dumps({"bars": {}, "next_page_token": None}))]
    assert source.fetch("AAPL", DAY, DAY + HOUR, NOW).frame.is_empty()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, '{"message": "forbidden"}', PermanentSourceError),
        (500, '{"message": "sorry"}', TransientSourceError),
        (200, "<html>", TransientSourceError),
    ],
)
def test_a_refusal_is_permanent_and_an_outage_is_not(alpaca, status, body, kind):
    source, answers, _ = alpaca
    answers += [(status, body)]
    with pytest.raises(kind, match="AAPL"):
        source.fetch("AAPL", DAY, DAY + HOUR, NOW)


def test_a_key_file_of_another_form_is_refused(tmp_path):
    (tmp_path / "keys").write_text("ONE")
    with pytest.raises(ValueError, match="two lines"):
        AlpacaSource(tmp_path / "keys", ("AAPL",))


def test_an_extra_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "yfinance", None)
    with pytest.raises(MissingExtraError, match=r"signalbox-platform\[yfinance\]"):
        YahooSource(("AAPL",))


def test_yahoos_half_hours_stay_half_hours_and_end_with_the_session():
    index = pd.DatetimeIndex(
        [f"2025-11-28 {hour}:30" for hour in ("09", "10", "11", "12")], tz="America/New_York"
    )
    columns = dict.fromkeys(("Open", "High", "Low", "Close", "Adj Close"), [270.5] * 4)
    history = pd.DataFrame({**columns, "Volume": [5, 6, 7, 0]}, index=index)
    frame = read_csv(as_csv(history))
    assert [f"{at:%H:%M}" for at in frame["ts_open"]] == ["14:30", "15:30", "16:30", "17:30"]
    assert frame["ts_close"][-1] == DAY + 18 * HOUR
    assert frame["volume"].to_list() == [5.0, 6.0, 7.0, 0.0]
    assert validate(frame, NOW).rejects == []


def test_an_unknown_exchange_has_no_hours():
    frame = pl.DataFrame(
        {"ts_open": [DAY], **{name: [1.0] for name in (*PRICES, "volume")}},
        schema_overrides={"ts_open": UTC_TIME},
    )
    with pytest.raises(UnknownCalendarError, match="'XXXX' is not 24x7, FX, METAL or"):
        with_close(frame, "XXXX")
