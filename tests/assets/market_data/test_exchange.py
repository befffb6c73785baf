"""Exchanges through ccxt, against answers in their documented form served on this machine."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import pytest

from assets.market_data import (
    Patience,
    PermanentSourceError,
    TransientSourceError,
    ingest,
    ingest_again,
    validate,
)
from assets.market_data.exchange import ExchangeSource, UnknownExchangeError, public_client

HOUR = timedelta(hours=1)
START = datetime(2026, 1, 5, tzinfo=UTC)
NOW = START + timedelta(hours=10, minutes=20)
HTML = "<html><body>Checking your browser</body></html>"

KRAKEN_PAIRS = {
    "error": [],
    "result": {
        "XXBTZUSD": {
            "altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency", "base": "XXBT",
            "aclass_quote": "currency", "quote": "ZUSD", "lot": "unit", "cost_decimals": 5,
            "pair_decimals": 1, "lot_decimals": 8, "lot_multiplier": 1, "leverage_buy": [2, 3],
            "leverage_sell": [2, 3], "fees": [[0, 0.4]], "fees_maker": [[0, 0.25]],
            "fee_volume_currency": "ZUSD", "margin_call": 80, "margin_stop": 40,
            "ordermin": "0.00005", "costmin": "0.5", "tick_size": "0.1", "status": "online",
        },
        "XETHZUSD": {
            "altname": "ETHUSD", "wsname": "ETH/USD", "aclass_base": "currency", "base": "XETH",
            "aclass_quote": "currency", "quote": "ZUSD", "lot": "unit", "cost_decimals": 5,
            "pair_decimals": 2, "lot_decimals": 8, "lot_multiplier": 1, "leverage_buy": [2],
            "leverage_sell": [2], "fees": [[0, 0.4]], "fees_maker": [[0, 0.25]],
            "fee_volume_currency": "ZUSD", "margin_call": 80, "margin_stop": 40,
            "ordermin": "0.002", "costmin": "0.5", "tick_size": "0.01", "status": "online",
        },
    },
}  # fmt: skip
BITSTAMP_MARKETS = [
    {
        "name": "BTC/USD", "market_symbol": "btcusd", "base_currency": "BTC", "base_decimals": 8,
        "counter_currency": "USD", "counter_decimals": 0, "minimum_order_value": "10",
        "trading": "Enabled", "instant_order_counter_decimals": 2,
        "instant_and_market_orders": "Enabled", "description": "Bitcoin / U.S. dollar",
        "market_type": "SPOT",
    }
]  # fmt: skip


def _price(second):
    return 100 + second // 3600 % 50


def _kraken(query, now):
    """Up to 720 candles after `since`, the running one last, whatever the end."""
    since = int(query["since"][0])
    pair = query["pair"][0]
    newest = int(now.timestamp()) // 3600 * 3600
    oldest = max(since // 3600 * 3600 + 3600, newest - 719 * 3600)
    rows = [
        [at, *[f"{_price(at)}.0"] * 4, f"{_price(at)}.0", "1.50000000", 7]
        for at in range(oldest, newest + 1, 3600)
    ]
    return {"error": [], "result": {pair: rows, "last": newest - 3600}}


def _bitstamp(query, now):
    start, end = int(query["start"][0]), int(query["end"][0])
    newest = int(now.timestamp()) // 3600 * 3600
    rows = [
        {"timestamp": str(at), "volume": "2.5",
         **{name: str(_price(at)) for name in ("open", "high", "low", "close")}}
        for at in range(-(-start // 3600) * 3600, min(end, newest) + 1, 3600)
    ][: int(query["limit"][0])]  # fmt: skip
    return {"data": {"pair": "BTC/USD", "ohlc": rows}}


class Exchange:
    """Serves both exchanges; `failures` are answered first, each once."""

    def __init__(self):
        self.failures = []
        self.asked = []
        self.now = NOW

    def answer(self, path, query):
        if path.endswith("/AssetPairs"):
            return 200, json.dumps(KRAKEN_PAIRS)
        if path.endswith(("/v2/markets/", "trading-pairs-info/")):
            return 200, json.dumps(BITSTAMP_MARKETS)
        self.asked.append((time.monotonic(), path, query))
        if self.failures:
            return self.failures.pop(0)
        form = _kraken if path.endswith("/OHLC") else _bitstamp
        return 200, json.dumps(form(query, self.now))


@pytest.fixture
def exchange():
    served = Exchange()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            url = urlparse(self.path)
            status, text = served.answer(url.path, parse_qs(url.query))
            self.send_response(status)
            body = text.encode()
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "text/html" if text[:1] == "<" else "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["kraken", "bitstamp"])
def source(request, exchange):
    client = _client(request.param, exchange)
    yield ExchangeSource(client, {"BTCUSD": "BTC/USD"})
    client.session.close()


def _client(name, exchange):
    client = public_client(name)
    client.urls["api"]["public"] = exchange.url
    client.rateLimit = 1
    return client


def _fetch(source, start=START, end=NOW, now=NOW, symbol="BTCUSD"):
    return source.fetch(symbol, start, end, now)


def test_closed_candles_come_and_the_running_one_does_not(source):
    delivery = _fetch(source)
    opened = delivery.frame["ts_open"].to_list()
    assert opened == [START + at * HOUR for at in range(10)]
    assert delivery.frame["close"][3] == _price(int((START + 3 * HOUR).timestamp()))
    assert validate(delivery.frame, NOW).rejects == []
    # It was in the answer, and is left out by the clock alone.
    assert source.read("BTCUSD", delivery.raw_bytes)["ts_open"].max() == START + 10 * HOUR
    later = _fetch(source, now=START + 11 * HOUR).frame["ts_open"].max()
    assert later == START + 10 * HOUR


def test_a_long_history_comes_page_by_page_without_a_gap_or_a_double(exchange):
    exchange.now = START + 2500 * HOUR
    client = _client("bitstamp", exchange)
    source = ExchangeSource(client, {"BTCUSD": "BTC/USD"})
    frame = _fetch(source, end=START + 2400 * HOUR, now=exchange.now).frame
    assert frame["ts_open"].to_list() == [START + at * HOUR for at in range(2400)]
    assert len(exchange.asked) == 3
    client.session.close()


def test_a_period_that_the_exchange_no_longer_hands_out_is_said_to_be_gone(exchange):
    exchange.now = START + 2500 * HOUR
    client = _client("kraken", exchange)
    source = ExchangeSource(client, {"BTCUSD": "BTC/USD"})
    with pytest.raises(PermanentSourceError, match=r"no bars before 2026-03-20T05:00.*begin there"):
        _fetch(source, end=START + 500 * HOUR, now=exchange.now)
    client.session.close()


@pytest.mark.parametrize(
    ("status", "text", "said"),
    [
        (503, "Service Unavailable", "ExchangeNotAvailable"),
        (429, "Too Many Requests", "RateLimitExceeded|DDoSProtection"),
        (502, HTML, "ExchangeNotAvailable"),
        (200, HTML, "page of HTML"),
        (200, "", "no bars|JSON|empty|BadResponse|NotAvailable|ExchangeError"),
    ],
)
def test_what_is_no_answer_is_a_transient_error_that_names_the_symbol(
    source, exchange, status, text, said
):
    exchange.failures = [(status, text)]
    with pytest.raises(TransientSourceError, match=said) as caught:
        _fetch(source)
    assert caught.value.symbol == "BTCUSD"
    assert len(_fetch(source).frame) == 10


@pytest.mark.parametrize(
    ("name", "empty"),
    [
        ("kraken", {"error": [], "result": {"XXBTZUSD": [], "last": 0}}),
        ("bitstamp", {"data": {"pair": "BTC/USD", "ohlc": []}}),
    ],
)
def test_an_empty_answer_is_an_error_and_not_a_quiet_market(exchange, name, empty):
    client = _client(name, exchange)
    exchange.failures = [(200, json.dumps(empty))]
    with pytest.raises(TransientSourceError, match="holds no bars"):
        _fetch(ExchangeSource(client, {"BTCUSD": "BTC/USD"}))
    client.session.close()


def test_krakens_own_word_for_its_rate_limit_is_transient(exchange):
    client = _client("kraken", exchange)
    exchange.failures = [(200, json.dumps({"error": ["EAPI:Rate limit exceeded"]}))]
    with pytest.raises(TransientSourceError, match=r"RateLimitExceeded|DDoSProtection"):
        _fetch(ExchangeSource(client, {"BTCUSD": "BTC/USD"}))
    client.session.close()


def test_a_market_that_is_not_there_is_permanent_and_named(source):
    other = ExchangeSource(source._client, {"NOPE": "NO/PE"})
    with pytest.raises(PermanentSourceError, match=r"NOPE: ccxt:.* has no market NO/PE"):
        _fetch(other, symbol="NOPE")
    with pytest.raises(PermanentSourceError, match="ask for one of BTCUSD"):
        _fetch(source, symbol="NOPE")


def test_no_connection_is_transient(source):
    _fetch(source)
    source._client.urls["api"]["public"] = "http://127.0.0.1:1"
    with pytest.raises(TransientSourceError, match=r"NetworkError|NotAvailable"):
        _fetch(source)


def test_an_outage_of_seconds_does_not_lose_the_hour(source, exchange, worker):
    exchange.failures = [(503, ""), (200, HTML), (429, "")]
    pauses = []
    summary = ingest(
        worker, source, ["BTCUSD"], START, NOW, NOW, is_history=False,
        patience=Patience(sleep=pauses.append),
    )  # fmt: skip
    assert (summary.new, pauses) == (10, [1.0, 2.0, 4.0])
    instrument = worker.execute(
        "select i.currency, i.tick_size, a.source, a.alias from market.instrument i"
        " join market.instrument_alias a on a.instrument_id = i.id"
    ).fetchone()
    assert instrument[0] == "USD"
    assert instrument[1] > 0
    assert instrument[2:] == (source.name, "BTC/USD")


def test_what_an_exchange_answered_is_kept_and_can_be_read_again(source, exchange, worker):
    ingest(worker, source, ["BTCUSD"], START, NOW, NOW, is_history=True)
    asked = len(exchange.asked)
    again = ingest_again(worker, source, 1, NOW)
    assert (again.same, again.new, again.corrected) == (10, 0, 0)
    assert len(exchange.asked) == asked
    pages = json.loads(_fetch(source).raw_bytes)
    assert json.loads(pages[0]["answer"])


def test_requests_keep_the_distance_that_the_exchange_demands(exchange):
    client = _client("bitstamp", exchange)
    client.rateLimit = 200
    client.load_markets()
    exchange.now = START + 2500 * HOUR
    _fetch(ExchangeSource(client, {"BTCUSD": "BTC/USD"}), end=START + 2400 * HOUR, now=exchange.now)
    moments = [moment for moment, _, _ in exchange.asked]
    assert len(moments) == 3
    assert moments[-1] - moments[0] >= 0.2
    client.session.close()


def test_several_symbols_come_from_one_client(exchange, worker):
    client = _client("kraken", exchange)
    source = ExchangeSource(client, {"BTCUSD": "BTC/USD", "ETHUSD": "ETH/USD"})
    summary = ingest(worker, source, ["BTCUSD", "ETHUSD"], START, NOW, NOW, is_history=True)
    assert summary.new == 20
    assert {query["pair"][0] for _, _, query in exchange.asked} == {"XXBTZUSD", "XETHZUSD"}
    client.session.close()


def test_an_unknown_exchange_is_refused():
    with pytest.raises(UnknownExchangeError, match="mtgox"):
        public_client("mtgox")
