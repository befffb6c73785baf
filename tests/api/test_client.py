"""`Client` and `AsyncClient` of the kit against the API as it runs."""

import asyncio
import inspect
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta

import polars as pl
import pytest

import signalbox
from api.settings import ApiSettings
from signalbox.client import ApiError, UnreachableError
from signalbox.client.retry import Retry
from sql.roles import API, DATABASE
from tests.api.conftest import NOW, SECRET, SLOT, Factory
from tests.api.server import serving
from tests.conftest import copied, covering

NEVER = Retry(attempts=0)


def test_importing_the_kit_alone_loads_neither_polars_nor_httpx():
    code = (
        "import signalbox, sys; signalbox.Forecast, signalbox.parse_manifest;"
        "assert not {'polars', 'httpx', 'numpy'} & set(sys.modules), sys.modules.keys();"
        "signalbox.Client; assert 'httpx' in sys.modules; signalbox.Window"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'Clinet'"):
        signalbox.Clinet  # noqa: B018


def test_both_clients_have_the_same_methods_with_the_same_arguments():
    def methods(kind):
        return {
            name: [str(each) for each in inspect.signature(one).parameters.values()]
            for name, one in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    assert methods(signalbox.Client) == methods(signalbox.AsyncClient)


# Against the API.


@pytest.fixture(scope="module")
def api(postgres, tmp_path_factory) -> Iterator[tuple[str, str]]:
    """The address of a running API, and a read key of bob, who subscribes to ada/tide.

    One for all: they read, or are refused.
    """
    folder = tmp_path_factory.mktemp("client")
    (folder / "secret").write_bytes(SECRET)
    with copied(postgres, "test_client", DATABASE) as database:
        with database.superuser() as connection:
            make = Factory(connection, covering(database, folder / "signer"))
            bob, tide = make.person("bob"), make.signal(make.person("ada"))
            for hours in range(4):
                make.slot(tide, SLOT - timedelta(hours=hours))
            for hours in range(1, 4):
                opened = SLOT - timedelta(hours=hours)
                make.bar(opened, 1.2, batch=1, known=opened + timedelta(hours=1))
            make.subscription(bob, tide)
        settings = ApiSettings(
            database_url=database.url(API).render_as_string(hide_password=False),
            secret_key_file=str(folder / "secret"),
            environment="test",
        )
        with serving(settings) as url:
            with signalbox.Client(url) as client:
                client._http.headers.update(bob.headers)
                key = client.post("/v1/api-keys", {"name": "k", "scopes": ["read"]})["key"]
            yield url, key


def test_a_subscribers_program_reads_what_it_may_as_frames_in_utc(api, monkeypatch, tmp_path):
    url, key = api
    monkeypatch.setenv("SIGNALBOX_URL", url)
    monkeypatch.setenv("SIGNALBOX_API_KEY", key)
    with signalbox.Client() as client:
        monkeypatch.setattr(signalbox.client.calls, "FORECASTS_A_PAGE", 3)
        monkeypatch.setattr(signalbox.client.calls, "BARS_A_PAGE", 2)
        past = client.forecasts("ada/tide")
        assert past.height == 8
        assert past.schema["as_of"] == pl.Datetime("us", "UTC")
        assert past["as_of"].is_sorted(descending=True)
        assert past["quantiles"][0].to_list() == [[0.1, -0.01], [0.9, 0.02]]
        assert sum(page.height for page in client.forecast_pages("ada/tide")) == 8
        newest = client.latest("ada/tide")
        assert newest.equals(client.latest())
        assert set(newest["as_of"]) == {SLOT}
        one = client.forecasts("ada/tide", start=SLOT, symbol="EURUSD", horizon=4)
        assert one["target_time"].to_list() == [SLOT + timedelta(hours=4)]
        bars = client.bars("EURUSD", start=SLOT - timedelta(hours=9), end=NOW)
        assert (bars.height, bars["close"].to_list()) == (3, [1.2] * 3)
        assert bars["ts_open"].is_sorted()
        assert [s["signal"] for s in client.subscriptions()] == ["ada/tide"]
        assert client.performance("ada/tide", "all")["live"]["count"] == 4
        assert client.track_record("ada/tide")["due"] == 4
        assert [s["name"] for s in client.search("ebb", sort="name")] == ["tide"]
        assert client.signal("ada/tide")["headline"]["live_slots"] == 0
        assert client.marginal("ada/tide")["reason"] == "nothing else is held"
        bundle = client.evidence("ada/tide", tmp_path / "tide.json")
        assert json.loads(bundle.read_bytes())["format"] == "signalbox-evidence/v1"
        assert not list(tmp_path.glob("*.part"))


def test_the_same_by_asyncio_many_at_once(api, tmp_path):
    url, key = api

    async def story():
        async with signalbox.AsyncClient(url, api_key=key) as client:
            frames = await asyncio.gather(*(client.forecasts("ada/tide") for _ in range(5)))
            assert {frame.height for frame in frames} == {8}
            assert [s["name"] async for s in client.signals(sort="name")] == ["tide"]
            assert [page.height async for page in client.forecast_pages("ada/tide")] == [8]
            assert (await client.latest()).height == 2
            assert (await client.bars("EURUSD")).height == 3
            assert (await client.evidence("ada/tide", tmp_path / "e.json")).exists()
            with pytest.raises(ApiError) as caught:
                await client.signal("ada/nothing")
            assert (caught.value.code, caught.value.status) == ("not_found", 404)

    asyncio.run(story())


def test_a_refusal_is_an_error_with_its_code_its_fields_and_the_requests_id(api):
    url, key = api
    with signalbox.Client(url) as nobody:
        with pytest.raises(ApiError) as caught:
            nobody.forecasts("ada/tide")
        error = caught.value
        assert (error.code, error.status) == ("subscription_required", 403)
        assert "POST /v1/subscriptions" in error.detail
        assert len(error.request_id) == 36
        assert error.code in str(error)
    with signalbox.Client(url, api_key=key) as client:
        with pytest.raises(ApiError) as caught:
            client.compare("ada/tide")
        assert caught.value.errors[0]["field"] == "signals"
        with pytest.raises(ApiError, match="insufficient_scope"):
            client.post("/v1/subscriptions", {"signal": "ada/tide"})


def test_what_cannot_be_sent_is_refused_before_it_is(api):
    url, _ = api
    with signalbox.Client(url) as client:
        with pytest.raises(ValueError, match="time zone"):
            client.bars("EURUSD", start=datetime(2026, 1, 1))  # noqa: DTZ001
        with pytest.raises(ValueError, match="provider/name"):
            client.signal("tide")
        with pytest.raises(ApiError, match="not_found"):
            client.signal("ada/../../healthz")
    with pytest.raises(ValueError, match="https://"):
        signalbox.Client("ftp://example.org")
    with pytest.raises(ValueError, match="copy it again"):
        signalbox.Client(api_key="sk_test_1\nX-Other: 1")


def test_the_key_is_in_no_text_of_the_client_its_errors_and_its_log(caplog):
    caplog.set_level(logging.DEBUG)
    client = signalbox.Client("http://127.0.0.1:1", api_key="sk_secret", retry=NEVER)
    with pytest.raises(UnreachableError) as caught:
        client.signal("ada/tide")
    told = [repr(client), str(vars(client)), repr(caught.value), repr(caught.value.__context__)]
    assert "sk_secret" not in "".join(told) + caplog.text
