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


def _chart(opened, error=None):
    stamps = [int(at.timestamp()) for at in opened]
    prices = dict.fromkeys(("open", "high", "low", "close"), [270.5] * len(stamps))
    period = {"timezone": "EST", "start": 1764340200, "end": 1764352800, "gmtoffset": -18000}
    meta = {
        "currency": "USD", "symbol": "AAPL", "instrumentType": "EQUITY", "gmtoffset": -18000,
        "timezone": "EST", "exchangeTimezoneName": "America/New_York", "priceHint": 2,
        "regularMarketTime": 1764352800, "dataGranularity": "1h", "validRanges": ["1d"],
        "currentTradingPeriod": dict.fromkeys(("pre", "regular", "post"), period),
        "tradingPeriods": [[period]],
    }  # fmt: skip
    quote = {**prices, "volume": [1200] * len(stamps)}
    result = [{"meta": meta, "indicators": {"quote": [quote if stamps else {}]}}]
    if stamps:
        result[0]["timestamp"] = stamps
    return json.dumps({"chart": {"result": None if error else result, "error": error}})


@pytest.fixture
def yahoo(tmp_path, monkeypatch):
    """Yahoo's own client before a server of ours, and that server's answers by path."""
    import yfinance.base  # noqa: PLC0415
    import yfinance.data  # noqa: PLC0415
    import yfinance.scrapers.history  # noqa: PLC0415
    import yfinance.scrapers.quote  # noqa: PLC0415

    answers, asked = {}, []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            query = parse_qs(urlparse(self.path).query)
            asked.append(query)
            status, body = answers["bars" if "period1" in query else "zone"]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yfinance.set_tz_cache_location(str(tmp_path))
    url = f"http://127.0.0.1:{server.server_port}"
    for module in (yfinance.base, yfinance.scrapers.history, yfinance.scrapers.quote):
        monkeypatch.setattr(module, "_BASE_URL_", url)
    for name in ("_QUOTE_SUMMARY_URL_", "_QUERY1_URL_"):
        monkeypatch.setattr(yfinance.scrapers.quote, name, url)
    # The cookie of a browser's visit, which the client fetches from a host of its own.
    monkeypatch.setattr(
        yfinance.data.YfData, "_get_cookie_and_crumb", lambda *_, **__: (None, "basic")
    )
    answers["zone"] = (200, _chart([DAY]))
    yield YahooSource(("AAPL",)), answers, asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_yahoos_client_is_asked_for_unadjusted_hours_and_the_running_one_is_left_out(yahoo):
    source, answers, asked = yahoo
    opened = [DAY + timedelta(hours=14 + at, minutes=30) for at in range(4)]
    answers["bars"] = (200, _chart(opened))
    now = DAY + timedelta(hours=17, minutes=45)
    delivery = source.fetch("AAPL", DAY, DAY + 24 * HOUR, now)
    assert delivery.frame["ts_open"].to_list() == opened[:3]
    assert delivery.frame["close"].to_list() == [270.5] * 3
    assert source.read("AAPL", delivery.raw_bytes).height == 4
    assert asked[-1]["interval"] == ["1h"]
    assert asked[-1]["includePrePost"] == ["false"]


def test_a_weekend_of_yahoos_is_empty_and_a_symbol_it_does_not_know_is_permanent(yahoo):
    source, answers, _ = yahoo
    answers["bars"] = (200, _chart([]))
    delivery = source.fetch("AAPL", DAY + 24 * HOUR, DAY + 48 * HOUR, NOW)
    assert delivery.frame.is_empty()
    assert source.read("AAPL", delivery.raw_bytes).is_empty()
    answers["zone"] = (404, _chart([], {"code": "Not Found", "description": "no such symbol"}))
    yahoo_forgets = YahooSource(("NOPE",))
    with pytest.raises(PermanentSourceError, match="NOPE: Yahoo has no such symbol"):
        yahoo_forgets.fetch("NOPE", DAY, DAY + HOUR, NOW)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (503, "busy", TransientSourceError, "no answer"),
        (200, "<html>", TransientSourceError, "no answer"),
        (
            422,
            _chart([], {"code": "x", "description": "must be within the last 730 days"}),
            PermanentSourceError,
            "730 days",
        ),
    ],
)
def test_yahoos_refusal_is_permanent_and_an_outage_is_not(yahoo, status, body, kind, words):
    source, answers, _ = yahoo
    answers["bars"] = (status, body)
    with pytest.raises(kind, match=words):
        source.fetch("AAPL", DAY, DAY + HOUR, NOW)


def test_an_unknown_exchange_has_no_hours():
    frame = pl.DataFrame(
        {"ts_open": [DAY], **{name: [1.0] for name in (*PRICES, "volume")}},
        schema_overrides={"ts_open": UTC_TIME},
    )
    with pytest.raises(UnknownCalendarError, match="'XXXX' is not 24x7, FX, METAL or"):
        with_close(frame, "XXXX")
