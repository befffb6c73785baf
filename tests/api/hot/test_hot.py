"""Hot reads answer as the routes do, and never what was true before the request."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from api.hot.shapes import shape_of
from tests.api.conftest import SLOT
from tests.api.hot.conftest import readers

HOUR = timedelta(hours=1)

ROUTES = ("/forecasts/latest", "/forecasts", "/forecasts?limit=1", "/performance?window=all")
ANSWERS = ("*/*", "application/msgpack", "text/csv;q=0.9, application/json;q=0.1", "image/png")
VARYING = {"x-request-id", "ratelimit-remaining", "ratelimit-reset", "x-signalbox-demo-clock"}
# By it a request is left to the routes.
UNUSUAL = {"Content-Length": "0"}


def whole(answer):
    headers = {k: v for k, v in answer.headers.items() if k not in VARYING}
    return answer.status_code, headers, answer.content


@pytest.mark.parametrize("route", [*ROUTES, "mine", "/forecasts?limit=0", "/forecasts?limit=101"])
def test_front_and_routes_give_the_same_answer_to_everybody(
    client, make, tide, ada, bob, key, fronted, route
):
    path = "/v1/forecasts/latest" if route == "mine" else tide.path + route
    stranger, hidden = (
        make.person(f"eve-{tide.name}"),
        make.signal(ada, f"{tide.name}-h", visibility="private"),
    )
    people = (
        {},
        bob.headers,
        key,
        ada.headers,
        stranger.headers,
        {"Authorization": "Bearer sk_no"},
    )
    paths = (path, path.replace(tide.name, hidden.name), path.replace(tide.name, "absent"))
    everybody = itertools.product(dict.fromkeys(paths), people, ANSWERS[:1])
    in_every_way = itertools.product((path,), (key,), ANSWERS[1:])
    for asked, shown, accept in (*everybody, *in_every_way):
        headers = {**shown, "Accept": accept}
        first = client.get(asked, headers=headers)
        etag = {"If-None-Match": first.headers.get("etag", "*")}
        for more in ({}, etag):
            fast = client.get(asked, headers=headers | more)
            slow = client.get(asked, headers=headers | more | UNUSUAL)
            assert fronted[-1] is False
            assert whole(fast) == whole(slow), (asked, headers, more)
            assert set(fast.headers) == set(slow.headers)
    expected = route in ROUTES or route == "mine"
    assert any(fronted) is expected


def test_a_new_forecast_is_in_the_very_next_answer_under_thirty_two_readers(
    client, make, tide, bob, key
):
    path = f"{tide.path}/forecasts/latest"
    with readers(client, path, key) as seen:
        for hour in range(1, 9):
            with make.connection.transaction():
                make.slot(tide, SLOT + hour * HOUR)
            for headers in (key, bob.headers):
                items = client.get(path, headers=headers).json()["items"]
                assert {row["as_of"] for row in items} == {
                    f"{SLOT + hour * HOUR:%Y-%m-%dT%H:%M:%SZ}"
                }
    assert {status for status, _ in seen} == {200}
    assert len(seen) >= 5


def test_a_revoked_key_is_refused_in_the_very_next_answer_under_thirty_two_readers(
    client, make, tide, bob
):
    path = f"{tide.path}/forecasts/latest"
    with readers(client, path, bob.headers):
        for _ in range(5):
            body = {"name": "machine", "scopes": ["read"]}
            made = client.post("/v1/api-keys", json=body, headers=bob.headers).json()
            shown = {"Authorization": f"Bearer {made['key']}"}
            assert [client.get(path, headers=shown).status_code for _ in range(3)] == [200] * 3
            # From elsewhere: nobody tells this process but the database.
            make.connection.execute(
                "update account.api_key set revoked_at = now() where id = %s", [made["id"]]
            )
            assert client.get(path, headers=shown).status_code == 401
            assert client.get("/v1/auth/me", headers=shown).status_code == 401


def test_a_login_that_was_ended_is_refused_in_the_very_next_answer(client, make, tide, bob):
    path = f"{tide.path}/forecasts/latest"
    for _ in range(8):
        shown = make.session(bob.id)
        assert [client.get(path, headers=shown).status_code for _ in range(3)] == [200] * 3
        make.connection.execute(
            "update account.session set ended_at = now() where user_id = %s", [bob.id]
        )
        assert client.get(path, headers=shown).status_code == 401


@pytest.mark.parametrize("path", ["/forecasts/latest", "/forecasts", "mine"])
def test_a_subscription_that_ends_reads_nothing_in_the_very_next_answer_under_thirty_two_readers(
    client, make, tide, ada, bob, key, path
):
    path = "/v1/forecasts/latest" if path == "mine" else tide.path + path
    with readers(client, path, ada.headers):
        for _ in range(6):
            assert client.get(path, headers=key).json()["items"]
            assert client.get(path, headers=key).json()["items"]
            make.connection.execute(
                "update billing.subscription set state = 'canceled' where user_id = %s"
                " and state = 'active'", [bob.id],
            )  # fmt: skip
            assert not client.get(path, headers=key).json().get("items")
            make.subscription(bob, tide)


def test_a_paid_period_is_over_to_the_instant(client, make, clock, tide):
    eve = make.person(f"eve-{tide.name}")
    path = f"{tide.path}/forecasts/latest"
    ends = clock() + timedelta(seconds=1.2)
    make.subscription(eve, tide, ends=ends)
    while True:
        before = clock()
        status = client.get(path, headers=eve.headers).status_code
        after = clock()
        assert not (after < ends and status != 200)
        assert not (before >= ends and status == 200)
        if before >= ends:
            break


def test_what_no_checkpoint_covers_turns_late_to_the_instant(client, make, clock, tide, bob):
    slot = (clock() + HOUR).replace(minute=0, second=0, microsecond=0)
    deadline = slot + timedelta(minutes=10)
    cover, make.cover = make.cover, lambda _: None
    with make.connection.transaction():
        make.slot(tide, slot)
    make.cover = cover

    def provenances():
        items = client.get(f"{tide.path}/forecasts/latest", headers=bob.headers).json()["items"]
        return {row["provenance"] for row in items}

    clock.advance_to(deadline - timedelta(seconds=3))
    while clock() < deadline - timedelta(seconds=0.2):
        assert provenances() == {"live"}
    time.sleep(0.25)
    assert provenances() == {"late"}


def test_a_checkpoint_proves_in_the_very_next_answer(client, make, clock, tide, bob):
    slot = clock().replace(minute=0, second=0, microsecond=0) + 2 * HOUR
    cover, make.cover = make.cover, lambda _: None
    with make.connection.transaction():
        make.slot(tide, slot)
    make.cover = cover
    path = f"{tide.path}/forecasts/latest"
    for _ in range(2):
        items = client.get(path, headers=bob.headers).json()["items"]
        assert [row["proven_at"] for row in items] == [None, None]
    make.cover(slot + timedelta(minutes=3))
    items = client.get(path, headers=bob.headers).json()["items"]
    assert None not in [row["proven_at"] for row in items]


def test_a_score_is_in_the_very_next_performance(client, make, tide):
    path = f"{tide.path}/performance?window=all"
    for number in range(1, 6):
        client.get(path)
        record = make.slot(tide, SLOT - number * HOUR)
        client.get(path)
        make.score(record, 1, 0.5, hit=True)
        assert client.get(path).json()["live"]["resolved"] == number


def test_a_signal_made_private_is_hidden_in_the_very_next_answer(client, make, tide):
    for visibility, status in (("private", 404), ("public", 200)) * 3:
        make.connection.execute(
            "update registry.signal set visibility = %s where id = %s", [visibility, tide.id]
        )
        assert client.get(f"{tide.path}/performance").status_code == status


def test_nobody_gets_what_another_subscribes_to(client, make, ada, name):
    people = []
    for number in range(6):
        published = make.signal(ada, f"{name}-{number}")
        make.slot(published)
        person = make.person(f"p{number}-{name}")
        make.subscription(person, published)
        people.append((person, published))

    def ask(number):
        (person, own), (_, other) = people[number % 6], people[(number + 1) % 6]
        mine = client.get("/v1/forecasts/latest", headers=person.headers)
        assert {row["signal"] for row in mine.json()["items"]} == {own.signal}
        latest = client.get(f"{own.path}/forecasts/latest", headers=person.headers)
        assert {row["signal"] for row in latest.json()["items"]} == {own.signal}
        etag = {"If-None-Match": "*", **person.headers}
        assert client.get(f"{other.path}/forecasts/latest", headers=etag).status_code == 403

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(ask, range(120)))


def test_while_nobody_hears_of_changes_nothing_that_is_kept_is_used(client, make, tide, key):
    path = f"{tide.path}/forecasts/latest"
    for hour in range(1, 6):
        assert client.get(path, headers=key).status_code == 200
        make.connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and application_name = 'signalbox api listener'"
        )
        with make.connection.transaction():
            make.slot(tide, SLOT - 20 * HOUR + hour * HOUR)
            make.slot(tide, SLOT + hour * HOUR)
        items = client.get(path, headers=key).json()["items"]
        assert {row["as_of"] for row in items} == {f"{SLOT + hour * HOUR:%Y-%m-%dT%H:%M:%SZ}"}


def test_who_strayed_too_often_on_a_route_is_refused_there_by_the_front_too(
    client, app, tide, bob, fronted, monkeypatch
):
    limits = app.state.installation.limits
    monkeypatch.setattr(limits, "_blocked_until", {})
    for route in ("/forecasts/latest", "/forecasts", "/performance"):
        shape = shape_of(tide.path + route, b"")
        assert shape.template in {one.path_format for one in app.routes}
        assert client.get(tide.path + route, headers=bob.headers).status_code == 200
        limits._blocked_until[f"account {bob.id}", shape.template] = time.time() + 60
        assert client.get(tide.path + route, headers=bob.headers).status_code == 429
    assert fronted == [True, False] * 3


def test_a_hot_read_is_counted_like_any_other(client, app, tide, bob, fronted):
    counted = app.state.installation.limits._store._full_at
    for route in ("/forecasts", "/performance"):
        counted.clear()
        answer = client.get(tide.path + route, headers=bob.headers)
        assert set(counted) == {f"bulk account {bob.id}"}
        assert answer.headers["ratelimit-limit"] == "600000"
    assert fronted == [True, True]


def test_whatever_goes_wrong_in_front_is_left_to_the_routes(client, app, tide, bob, monkeypatch):
    async def fails(*_):
        raise RuntimeError

    monkeypatch.setattr(app.front._access, "look_up", fails)
    monkeypatch.setattr(app.front._access, "get", lambda *_: None)
    answer = client.get(f"{tide.path}/forecasts/latest", headers=bob.headers)
    assert (answer.status_code, len(answer.json()["items"])) == (200, 2)
