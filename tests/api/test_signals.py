"""The catalogue, versions and their states, runs, performance and bars."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from signalbox.testing.leak import Difference, LeakReport
from sql.clock import floor_hour

SLOT = floor_hour(datetime.now(UTC))


def names(client, headers=None, **parameters):
    answer = client.get("/v1/signals", params=parameters, headers=headers)
    assert answer.status_code == 200, answer.text
    return [signal["signal"] for signal in answer.json()["items"]]


@pytest.mark.usefixtures("tide")
def test_the_catalogue_lists_public_signals_and_ones_own(client, make, ada, bob):
    make.signal(ada, "secret", visibility="private")
    assert names(client) == names(client, bob.headers) == ["ada/tide"]
    assert names(client, ada.headers, sort="name") == ["ada/secret", "ada/tide"]


@pytest.mark.usefixtures("tide")
def test_the_catalogue_is_searched_by_words_and_symbol(client, make, bob):
    make.signal(bob, "ebb")
    assert names(client, q="ADA/TI") == ["ada/tide"]
    assert len(names(client, q="flow", symbol="EURUSD")) == 2
    assert names(client, symbol="GBPUSD") == names(client, q="%") == []


@pytest.mark.parametrize("sort", ["newest", "name"])
def test_pages_of_the_catalogue_join(client, make, ada, sort):
    for name in ("one", "two", "three"):
        make.signal(ada, name)
    joined, cursor = [], {}
    for _ in range(3):
        page = client.get("/v1/signals", params={"limit": 1, "sort": sort, **cursor}).json()
        joined += [signal["signal"] for signal in page["items"]]
        cursor = {"cursor": page["next"]}
    assert page["next"] is None
    assert joined == names(client, sort=sort)


def test_a_signal_shows_its_offer_and_its_data(client, tide):
    signal = client.get(tide.path).json()
    assert signal["offer"] == {
        "amount_minor": 2900,
        "currency": "EUR",
        "trial_days": 14,
        "reveal_after_hours": 168,
    }
    assert (signal["symbols"], signal["is_sample_data"]) == (["EURUSD"], True)
    assert signal["git_url"].endswith("/git/ada/tide.git")


def test_a_version_goes_offline_and_live_again_and_both_are_recorded(client, make, tide, ada):
    url = f"{tide.path}/versions/v1.0.0"
    assert client.post(f"{url}/offline", headers=ada.headers).json()["state"] == "offline"
    again = client.post(f"{url}/offline", headers=ada.headers)
    assert (again.status_code, again.json()["code"]) == (409, "invalid_state")
    assert client.post(f"{url}/live", headers=ada.headers).json()["state"] == "live"
    query = "select to_state from registry.version_event order by id"
    assert make.connection.execute(query).fetchall() == [("offline",), ("live",)]
    query = "select action, subject from audit.event order by id"
    assert make.connection.execute(query).fetchall()[-1] == ("version.live", "ada/tide@v1.0.0")


def test_a_version_shows_what_its_examination_found_and_null_where_there_was_none(
    client, make, tide
):
    url = f"{tide.path}/versions/v1.0.0"
    plain = client.get(url).json()
    assert (plain["deterministic"], plain["leak_report"]) == (None, None)
    found = Difference(SLOT, "EURUSD", 1, "point", 0.1, 0.2)
    report = LeakReport(
        verdict="differs", hours_compared=24, hours_differing=1, rows_differing=1,
        differences=(found,), cause="looks_ahead", hours_ahead=1, explanation="it looks",
        bars="made-up bars",
    )  # fmt: skip
    stored = json.loads(msgspec.json.encode(report)) | {"carries_state": False}
    make.connection.execute(
        "insert into registry.version (signal_id, version, state, reserved_at, published_at,"
        " pushed_by, commit_sha, tree_digest, lock_digest, image_digest, deterministic,"
        " leak_report) values (%s, 'v1.1.0', 'live', now(), now(), %s, 'c', 't', 'l', 'i', false,"
        " %s)",
        [tide.id, tide.provider.id, json.dumps(stored)],
    )
    shown = client.get(f"{tide.path}/versions/v1.1.0").json()
    assert (shown["deterministic"], shown["leak_report"]) == (False, stored)


@pytest.mark.parametrize("state", ["retired", "building", "rejected"])
def test_a_version_that_never_passed_or_has_ended_cannot_be_brought_live(
    client, make, tide, ada, state
):
    make.version(tide.id, ada, "v2.0.0", state)
    answer = client.post(f"{tide.path}/versions/v2.0.0/live", headers=ada.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_state")


def test_runs_show_misses_with_their_reason_and_logs(client, make, tide, ada):
    newest = make.connection.execute("select max(slot) from forecast.slot_record").fetchone()[0]
    make.slot(tide, newest - timedelta(hours=1), "missed")
    url = f"{tide.path}/versions/v1.0.0"
    runs = client.get(f"{url}/runs", headers=ada.headers).json()["items"]
    assert [(run["provenance"], run["reason"]) for run in runs] == [
        ("live", None),
        ("missed", "timeout: ran into 20 s"),
    ]
    logs = client.get(f"{url}/logs?limit=1", headers=ada.headers).json()
    assert logs["items"][0]["log"] == "hello"
    assert logs["next"]


def test_performance_keeps_live_apart_and_uses_the_newest_outcome(client, make, tide):
    newest = make.connection.execute("select max(slot) from forecast.slot_record").fetchone()[0]
    live = make.slot(tide, newest - timedelta(hours=1))
    replayed = make.slot(tide, newest - timedelta(hours=2), "replayed")
    make.slot(tide, newest - timedelta(hours=3), "missed")
    make.score(live, 1, 9.0, hit=False, batch=1)
    make.score(live, 1, 3.0, hit=True, batch=2)
    make.score(live, 4, -4.0, hit=None)
    make.score(replayed, 1, 0.5, hit=False)
    answer = client.get(f"{tide.path}/performance").json()
    assert (answer["due"], answer["missed"]) == (3, 1)
    headline = answer["live"]
    assert (headline["count"], headline["resolved"], headline["scored_forecasts"]) == (2, 1, 2)
    assert headline["mean_absolute_error"] == pytest.approx(3.5)
    assert headline["root_mean_squared_error"] == pytest.approx((25 / 2) ** 0.5)
    assert (headline["hit_rate"], headline["abstentions"]) == (1.0, 1)
    assert answer["replayed"]["mean_absolute_error"] == pytest.approx(0.5)


def test_a_score_that_is_not_there_is_null_with_a_reason(client, tide):
    answer = client.get(f"{tide.path}/performance?window=all&version=v1.0.0").json()
    assert answer["live"]["mean_absolute_error"] is None
    assert answer["live"]["reason"] == "no outcome is known yet"
    assert answer["replayed"]["hit_rate"] is None
    assert answer["replayed"]["reason"] == "no replayed slot in this window"


@pytest.mark.usefixtures("tide")
def test_bars_are_as_known_best_now_and_none_from_the_future(client, make, bob):
    slot = make.connection.execute("select max(slot) from forecast.slot_record").fetchone()[0]
    hours = [slot - timedelta(hours=n) for n in (3, 2, 1)]
    for ts_open in hours:
        make.bar(ts_open, 1.2, batch=1, known=ts_open + timedelta(hours=1))
    make.bar(hours[0], 1.3, batch=2, known=hours[0] + timedelta(hours=2))
    make.bar(hours[1], 1.4, batch=2, known=slot + timedelta(hours=5))
    page = client.get("/v1/bars?symbol=EURUSD", headers=bob.headers).json()
    assert [bar["close"] for bar in page["items"]] == [1.3, 1.2, 1.2]
    assert (page["symbol"], page["is_sample_data"], page["next"]) == ("EURUSD", True, None)
    first = client.get("/v1/bars?symbol=EURUSD&limit=2", headers=bob.headers).json()
    parameters = {"symbol": "EURUSD", "cursor": first["next"]}
    rest = client.get("/v1/bars", params=parameters, headers=bob.headers).json()
    assert first["items"] + rest["items"] == page["items"]


@pytest.mark.usefixtures("tide")
def test_bars_of_a_past_instant_are_as_they_were_known_then(client, make, bob):
    slot = make.connection.execute("select max(slot) from forecast.slot_record").fetchone()[0]
    hours = [slot - timedelta(hours=n) for n in (3, 2)]
    for ts_open in hours:
        make.bar(ts_open, 1.2, batch=1, known=ts_open + timedelta(hours=1))
    make.bar(hours[0], 1.3, batch=2, known=slot - timedelta(minutes=30))

    def closes(as_of):
        parameters = {"symbol": "EURUSD", "as_of": as_of.isoformat()}
        page = client.get("/v1/bars", params=parameters, headers=bob.headers).json()
        return [bar["close"] for bar in page["items"]]

    assert closes(slot - timedelta(hours=3)) == []
    assert closes(slot - timedelta(hours=2)) == [1.2]
    assert closes(slot - timedelta(hours=1)) == [1.2, 1.2]
    assert closes(slot) == [1.3, 1.2]
    assert closes(slot + timedelta(days=3650)) == [1.3, 1.2]
    naive = {"symbol": "EURUSD", "as_of": "2026-01-01T00:00:00"}
    assert client.get("/v1/bars", params=naive, headers=bob.headers).status_code == 400
