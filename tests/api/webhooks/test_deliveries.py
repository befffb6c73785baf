"""Events reach an endpoint signed, in order, at least once, and only what its owner may read."""

import time

import httpx
import psycopg
import pytest

from sql.roles import API
from tests.api.server import serving
from tests.api.webhooks.receiver import receiving
from tests.waiting import until


def test_a_forecast_is_delivered_signed_and_says_what_get_latest_says(house, receiver, hook):
    person, stranger = house.person(), house.person()
    tide, other = house.signal(person), house.signal(stranger)
    made = hook(person, receiver)
    assert made.secret.startswith("whsec_")
    house.slots(other, 1)
    house.slot(tide)
    got = receiver.next()
    latest = httpx.get(f"{house.url}{tide.path}/forecasts/latest", headers=person.headers).json()
    assert got.is_signed_with(made.secret)
    assert got.json["type"] == "forecast"
    assert got.json["data"]["forecasts"] == latest["items"]
    assert got.headers["content-type"] == "application/json"
    assert receiver.is_quiet()
    done = made.until(lambda one: one["state"] == "delivered")
    assert (done["id"], done["attempts"], done["last_status"]) == (got.id, 1, 200)
    assert done["last_latency_ms"] >= 0
    assert done["leaf_index"] == got.json["data"]["leaf_index"]


def test_an_altered_message_or_another_secret_does_not_verify(house, receiver, hook):
    """The test of the test: its verification can fail."""
    person = house.person()
    made, other = hook(person, receiver), hook(person, receiver)
    assert made.call("POST", "/ping").status_code == 202
    got = receiver.next()
    assert got.is_signed_with(made.secret)
    assert not got.is_signed_with(other.secret)
    assert not type(got)(got.headers, got.body + b" ").is_signed_with(made.secret)
    assert not type(got)({**got.headers, "webhook-id": "x"}, got.body).is_signed_with(made.secret)


def test_misses_moves_of_versions_and_subscriptions_are_delivered_to_who_asked(
    house, receiver, hook
):
    person = house.person()
    tide = house.signal(person)
    hook(person, receiver, "missed", "version.*", "subscription.*")
    house.slots(tide, 1)
    house.slot(tide, provenance="missed")
    assert receiver.next().json["type"] == "missed"
    path = f"{house.url}{tide.path}/versions/v1.0.0/offline"
    assert httpx.post(path, headers=tide.provider.headers).is_success
    assert receiver.next().json["type"] == "version.offline"
    house.make.connection.execute(
        "update billing.subscription set state = 'canceled' where user_id = %s", [person.id]
    )
    got = receiver.next().json
    assert (got["type"], got["data"]["signal"]) == ("subscription.canceled", tide.signal)


def test_a_rotated_secret_and_the_old_one_both_sign_for_a_while(house, receiver, hook):
    made = hook(house.person(), receiver)
    rotated = made.call("POST", "/rotate-secret").json()["secret"]
    assert rotated != made.secret
    made.call("POST", "/ping")
    got = receiver.next()
    assert got.is_signed_with(rotated)
    assert got.is_signed_with(made.secret)
    house.make.connection.execute(
        "update account.webhook set old_secret_until = now() where id = %s", [made.id]
    )
    made.call("POST", "/ping")
    got = receiver.next()
    assert got.is_signed_with(rotated)
    assert not got.is_signed_with(made.secret)


def test_what_is_asked_for_again_comes_again_under_the_same_id(house, receiver, hook):
    made = hook(house.person(), receiver)
    asked = made.call("POST", "/ping").json()
    first = receiver.next()
    made.until(lambda one: one["state"] == "delivered")
    assert made.call("POST", f"/deliveries/{asked['id']}/redeliver").status_code == 202
    assert receiver.next().id == first.id == asked["id"]


def test_what_failed_is_tried_again_while_later_events_go_on(house, receiver, hook):
    person = house.person()
    tide = house.signal(person)
    made = hook(person, receiver)
    receiver.answer = lambda _: (500, {}, b"the disk is full")
    (first,) = house.slots(tide, 1)
    failed = receiver.next()
    waits = made.until(lambda one: one["attempts"] == 1)
    assert (waits["state"], waits["last_status"]) == ("pending", 500)
    assert waits["last_error"] == "500: the disk is full"
    assert waits["next_attempt_at"] > waits["last_attempt_at"]
    assert made.call("GET").json()["failing_since"] is not None
    receiver.answer = lambda _: (204, {}, b"")
    (second,) = house.slots(tide, 1, since=1)
    assert receiver.next().json["data"]["as_of"] == second
    made.hurry()
    again = receiver.next()
    assert (again.id, again.json["data"]["as_of"]) == (failed.id, first)
    made.until(lambda _: all(one["state"] == "delivered" for one in made.deliveries()))
    assert made.call("GET").json()["failing_since"] is None


def test_who_may_not_read_it_any_more_is_not_sent_what_was_queued(house, receiver, hook):
    person = house.person()
    tide = house.signal(person)
    made = hook(person, receiver)
    receiver.answer = lambda _: (503, {}, b"")
    house.slots(tide, 1)
    receiver.next()
    made.until(lambda one: one["attempts"] == 1)
    house.make.connection.execute(
        "update billing.subscription set state = 'canceled' where user_id = %s", [person.id]
    )
    made.hurry()
    made.until(lambda one: one["state"] == "dropped")
    assert receiver.is_quiet(0.2)


def test_an_endpoint_that_is_gone_is_disabled_and_goes_on_when_it_is_enabled(house, receiver, hook):
    made = hook(house.person(), receiver)
    receiver.answer = lambda _: (410, {}, b"")
    made.call("POST", "/ping")
    receiver.next()
    made.until(lambda one: one["state"] == "failed")
    assert made.call("GET").json()["disabled_why"] == "gone"
    ((subject, text),) = made.letters()
    assert subject == "Your webhook is disabled"
    assert made.id in text
    assert made.call("POST", "/ping").json()["code"] == "webhook_disabled"
    receiver.answer = lambda _: (200, {}, b"")
    assert made.call("PATCH", is_enabled=True).json()["is_enabled"] is True
    assert made.call("POST", "/ping").status_code == 202
    receiver.next()


def test_an_endpoint_that_fails_for_days_is_disabled_and_its_owner_told(house, receiver, hook):
    made = hook(house.person(), receiver)
    receiver.answer = lambda _: (500, {}, b"")
    house.make.connection.execute(
        "update account.webhook set failing_since = now() - interval '5 days' where id = %s",
        [made.id],
    )
    made.call("POST", "/ping")
    receiver.next()
    made.until(lambda one: one["attempts"] == 1)
    assert made.call("GET").json()["disabled_why"] == "failing"
    assert "5 days" in made.letters()[0][1]
    made.hurry()
    assert receiver.is_quiet(0.3)


def test_the_attack_of_redirecting_inwards_is_not_followed(house, receiver, hook):
    with receiving() as inside:
        made = hook(house.person(), receiver)
        receiver.answer = lambda _: (307, {"Location": inside.url}, b"")
        made.call("POST", "/ping")
        receiver.next()
        failed = made.until(lambda one: one["attempts"] == 1)
        assert (failed["last_status"], failed["state"]) == (307, "pending")
        assert "redirects are not followed" in failed["last_error"]
        assert inside.is_quiet(0.2)


def test_a_slow_target_holds_up_nobody_else(house, receiver, hook):
    person = house.person()
    with receiving() as slow:
        slow.answer = lambda _: time.sleep(2) or (200, {}, b"")
        stalled = [hook(person, slow) for _ in range(6)]
        quick = hook(person, receiver)
        for one in stalled:
            one.call("POST", "/ping")
        begun = time.monotonic()
        quick.call("POST", "/ping")
        receiver.next()
        assert time.monotonic() - begun < 1.5
        # Four at once, as many as one host may have.
        time.sleep(0.3)
        assert slow.got.qsize() == 4


def test_two_processes_deliver_each_event_once_and_in_order(house, receiver, hook):
    person = house.person()
    tide = house.signal(person)
    hook(person, receiver)
    with serving(house.settings, SIGNALBOX_WEBHOOK_TARGETS="private"):
        made = house.slots(tide, 15)
        got = [receiver.next() for _ in made]
        assert [one.json["data"]["as_of"] for one in got] == made
        assert receiver.is_quiet(0.3)


def test_one_person_has_twenty_webhooks_and_none_after_they_are_deleted(house, receiver, hook):
    person = house.person()
    made = [hook(person, receiver) for _ in range(20)]
    body = {"url": receiver.url, "events": ["forecast"]}
    answer = httpx.post(f"{house.url}/v1/webhooks", json=body, headers=person.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")
    made[0].call("POST", "/ping")
    assert made[0].call("DELETE").status_code == 204
    assert made[0].call("GET").status_code == 404
    body = {"password": "correct horse battery"}
    url = f"{house.url}/v1/account/delete"
    assert httpx.post(url, json=body, headers=person.headers).status_code == 204
    for table in ("webhook", "webhook_delivery"):
        query = f"select count(*) from account.{table} where user_id = %s"
        assert house.make.connection.execute(query, [person.id]).fetchone() == (0,)


def test_the_database_itself_shows_nobody_elses_webhook(house, receiver, hook):
    person, stranger = house.person(), house.person()
    hook(person, receiver).call("POST", "/ping")
    receiver.next()
    with house.database.connect(API) as connection:
        for who, count in ((person, 1), (stranger, 0)):
            for table in ("webhook", "webhook_delivery"):
                with connection.transaction():
                    connection.execute("select set_config('app.user_id', %s, true)", [str(who.id)])
                    found = connection.execute(f"select count(*) from account.{table}").fetchone()
                    assert found == (count,), table
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("update account.webhook_cursor set leaf_index = -1")


def test_after_a_backup_was_put_back_deliveries_go_on(house, receiver, hook):
    """The cursor is ahead of the log, and of the transactions of a new cluster."""
    person = house.person()
    tide = house.signal(person)
    hook(person, receiver, "forecast", "subscription.*")
    house.make.connection.execute(
        "update account.webhook_cursor set leaf_index = 1000000, outbox_xid = 1000000000,"
        " version_xid = 1000000000"
    )
    house.slots(tide, 1)
    until(lambda: cursor(house) < 1_000_000)
    house.slots(tide, 1, since=1)
    house.make.connection.execute(
        "update billing.subscription set state = 'past_due' where user_id = %s", [person.id]
    )
    got = {receiver.next().json["type"] for _ in range(2)}
    assert got == {"forecast", "subscription.past_due"}


def cursor(house):
    query = "select leaf_index from account.webhook_cursor"
    return house.make.connection.execute(query).fetchone()[0]
