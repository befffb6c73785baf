"""What a subscriber may ask of forecasts."""

from datetime import timedelta

import pytest


@pytest.fixture
def slots(make, tide):
    hour = timedelta(hours=1)
    newest = make.connection.execute("select max(slot) from forecast.slot_record").fetchone()[0]
    make.slot(tide, newest - hour, "late")
    make.slot(tide, newest - 2 * hour, "missed")
    make.slot(tide, newest - 3 * hour, "replayed")
    make.slot(tide, newest - 4 * hour, "backfilled")
    return newest


def ask(client, tide, ada, **parameters):
    answer = client.get(f"{tide.path}/forecasts", params=parameters, headers=ada.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.usefixtures("slots")
def test_live_and_late_come_by_default_and_the_others_when_asked(client, tide, ada):
    def provenances(**parameters):
        return [row["provenance"] for row in ask(client, tide, ada, **parameters)["items"]]

    assert provenances(horizon=1) == ["live", "late"]
    assert provenances(horizon=1, provenance="replayed") == ["replayed"]
    assert provenances(horizon=1, provenance="live,backfilled") == ["live", "backfilled"]


def test_a_range_is_half_open(client, tide, ada, slots):
    start, end = slots - timedelta(hours=1), slots
    parameters = {"from": start.isoformat(), "to": end.isoformat()}
    assert {row["provenance"] for row in ask(client, tide, ada, **parameters)["items"]} == {"late"}


@pytest.mark.usefixtures("slots")
def test_pages_join_into_the_whole_list(client, tide, ada):
    whole = ask(client, tide, ada, provenance="live,late,replayed")["items"]
    joined, cursor = [], {}
    while True:
        page = ask(client, tide, ada, provenance="live,late,replayed", limit=1, **cursor)
        joined += page["items"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert joined == whole
    assert len(whole) == 6


def test_a_miss_does_not_hide_the_latest_forecast(client, make, tide, ada, slots):
    make.slot(tide, slots + timedelta(hours=1), "missed")
    answer = client.get(f"{tide.path}/forecasts/latest", headers=ada.headers).json()
    assert {row["provenance"] for row in answer["items"]} == {"live"}


@pytest.mark.usefixtures("slots")
def test_symbols_horizons_and_versions_filter(client, tide, ada):
    assert ask(client, tide, ada, symbol="GBPUSD")["items"] == []
    assert {row["horizon_hours"] for row in ask(client, tide, ada, horizon=4)["items"]} == {4}
    answer = client.get(f"{tide.path}/forecasts", params={"version": "v9.0.0"}, headers=ada.headers)
    assert answer.status_code == 404
