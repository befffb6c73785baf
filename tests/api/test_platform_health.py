"""What operators see of the platform, and providers make of their signals without a push."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from litestar.testing import TestClient

from api.app import create_app
from sql.clock import floor_hour
from tests.api.conftest import NOW, SLOT


@pytest.fixture
def root(make):
    return make.person("root", "operator")


def health(client, root):
    answer = client.get("/v1/admin/health", headers=root.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_platform_without_anything_owed_says_unknown_and_not_ok(client, root):
    found = health(client, root)
    assert {found[room]["state"] for room in ("log", "ticks", "letters")} == {"unknown"}
    assert (found["feeds"], found["recent_ticks"], found["live_versions"]) == ([], [], 0)


def test_a_slot_that_nobody_recorded_makes_the_ticks_late_with_what_to_do(client, make, ada, root):
    signal = make.signal(ada)
    make.slot(signal, SLOT - timedelta(hours=3))
    late = health(client, root)["ticks"]
    assert late["state"] == "late"
    assert "Dagster" in late["detail"]
    make.slot(signal, floor_hour(datetime.now(UTC)))
    assert health(client, root)["ticks"]["state"] == "ok"


@pytest.mark.usefixtures("tide")
def test_health_counts_a_ticks_records_and_says_how_long_it_took(client, make, bob, root):
    other = make.signal(bob, "ebb")
    make.slot(other, SLOT, "missed")
    (tick,) = health(client, root)["recent_ticks"]
    assert (tick["live"], tick["missed"], tick["late"]) == (1, 1, 0)
    assert tick["seconds"] == 180


@pytest.mark.usefixtures("tide")
def test_a_feed_shows_its_newest_bar_and_what_was_refused(client, make, root):
    make.bar(SLOT - timedelta(hours=2), 1.2, batch=1, known=NOW)
    make.connection.execute(
        "insert into market.reject (batch_id, symbol, row_number, rule, row)"
        " values (1, 'EURUSD', 0, 'high_below_low', '{}')"
    )
    (feed,) = health(client, root)["feeds"]
    assert (feed["symbol"], feed["rejected"]) == ("EURUSD", 1)
    assert feed["newest"] == (SLOT - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_sandbox_shows_its_runs_and_what_they_took(client, make, bob, tide, root):
    other = make.signal(bob, "ebb")
    make.slot(other, SLOT, "missed")
    make.slot(tide, SLOT - timedelta(hours=30))
    (used,) = health(client, root)["sandboxes"]
    assert (used["engine"], used["path"], used["runs"]) == ("embedded", "cold", 2)
    assert (used["answered"], used["missed"], used["wall_ms_p95"]) == (1, 1, 7.5)
    assert used["cpu_ms_p95"] is None


def test_queues_count_what_waits_and_since_when(client, make, ada, root):
    slot = floor_hour(datetime.now(UTC))
    signal = make.signal(ada)
    make.version(signal.id, ada, "v2.0.0", "building")
    make.connection.execute(
        "insert into registry.version_event (version_id, at, to_state, why) values"
        " (%s, %s, 'live', 'pushed')",
        [signal.version_id, slot - timedelta(hours=2)],
    )
    make.slot(signal, slot)
    waiting = {queue["name"]: queue for queue in health(client, root)["queues"]}
    assert {name: queue["waiting"] for name, queue in waiting.items()} == {
        "slots": 2, "builds": 1, "leaves": 0, "letters": 0, "deliveries": 0, "payment_events": 0,
    }  # fmt: skip
    oldest = (slot - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert waiting["slots"]["oldest_at"] == oldest
    assert waiting["letters"]["oldest_at"] is None


def test_operators_are_told_where_dagster_is(settings, root):
    named = msgspec.structs.replace(settings, dagster_url="https://dagster.example.org")
    with TestClient(create_app(named)) as client:
        assert health(client, root)["dagster_url"] == "https://dagster.example.org"


def test_letters_that_wait_for_a_server_that_is_there_are_late(settings, make, root):
    make.connection.execute(
        "insert into account.mail values (gen_random_uuid(), %s, 'x', 'a@b', 's', 't',"
        " now() - interval '1 hour', null, 1, 'refused', now() + interval '1 hour')",
        [root.id],
    )
    served = msgspec.structs.replace(
        settings, smtp_url="smtp://127.0.0.1:9", mail_from="s@example.org"
    )
    with TestClient(create_app(served)) as client:
        assert health(client, root)["letters"]["state"] == "late"


@pytest.mark.usefixtures("tide")
def test_runs_of_all_signals_page_filter_and_name_their_reasons(client, make, bob, root):
    other = make.signal(bob, "ebb")
    make.slot(other, SLOT, "missed")
    runs = client.get("/v1/admin/runs", headers=root.headers).json()["items"]
    assert [run["signal"] for run in runs] == ["bob/ebb", "ada/tide"]
    first = client.get("/v1/admin/runs?limit=1", headers=root.headers).json()
    rest = client.get(f"/v1/admin/runs?cursor={first['next']}", headers=root.headers).json()
    assert first["items"] + rest["items"] == runs
    (missed,) = client.get("/v1/admin/runs?provenance=missed", headers=root.headers).json()["items"]
    assert missed["reason"].startswith("timeout")
    only = client.get("/v1/admin/runs?signal=ada/tide", headers=root.headers).json()["items"]
    assert [run["signal"] for run in only] == ["ada/tide"]


def test_runs_are_asked_for_by_slot_version_and_several_provenances(client, make, tide, root):
    for hours, provenance in enumerate(("late", "missed", "replayed"), start=1):
        make.slot(tide, SLOT - timedelta(hours=hours), provenance)

    def found(**asked):
        answer = client.get("/v1/admin/runs", params=asked, headers=root.headers)
        return [run["provenance"] for run in answer.json()["items"]]

    assert found(provenance="late,missed") == ["missed", "late"]
    since, until = SLOT - timedelta(hours=2), SLOT
    assert found(**{"from": since.isoformat(), "to": until.isoformat()}) == ["missed", "late"]
    assert found(version="v9.0.0") == []
    wrong = client.get("/v1/admin/runs?provenance=late,never", headers=root.headers)
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_request")


def test_a_missed_slot_that_was_run_again_stays_missed_and_says_when(client, make, tide, root):
    slot = SLOT - timedelta(hours=1)
    make.slot(tide, slot, "missed")
    make.slot(tide, slot, "replayed")
    replayed, missed, live = client.get("/v1/admin/runs", headers=root.headers).json()["items"]
    assert (missed["provenance"], missed["run_again_at"]) == ("missed", replayed["recorded_at"])
    assert missed["leaf_index"] is not None
    assert (replayed["leaf_index"], replayed["run_again_at"], live["run_again_at"]) == (None,) * 3


def test_a_signal_made_before_its_first_push_is_private_and_its_name_is_taken(client, ada, bob):
    body = {"name": "surf", "title": "Surf"}
    made = client.post("/v1/signals", json=body, headers=ada.headers)
    assert made.status_code == 201, made.text
    assert (made.json()["visibility"], made.json()["version"]) == ("private", None)
    assert client.get("/v1/signals/ada/surf", headers=bob.headers).status_code == 404
    again = client.post("/v1/signals", json=body, headers=ada.headers)
    assert (again.status_code, again.json()["code"]) == (409, "signal_taken")
    assert client.post("/v1/signals", json=body, headers=bob.headers).status_code == 201


def test_a_change_leaves_what_it_does_not_name_and_is_on_record(client, make, tide, ada):
    changed = client.patch(tide.path, json={"title": "Springs"}, headers=ada.headers).json()
    assert (changed["title"], changed["description"]) == ("Springs", "Ebb and flow")
    emptied = client.patch(tide.path, json={"description": ""}, headers=ada.headers).json()
    assert (emptied["title"], emptied["description"]) == ("Springs", "")
    assert client.patch(tide.path, json={}, headers=ada.headers).json() == emptied
    for wrong in ({"title": ""}, {"title": None}, {"name": "x"}):
        assert client.patch(tide.path, json=wrong, headers=ada.headers).status_code == 400
    query = "select count(*) from audit.event where action = 'signal.change'"
    assert make.connection.execute(query).fetchone() == (2,)
