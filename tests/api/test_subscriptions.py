"""Trials, payments, and how a subscription ends."""

import hashlib
import hmac
import json
import time
import uuid
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from litestar.testing import TestClient

from api.app import create_app

SECRET = b"0123456789abcdef0123456789abcdef"


def subscribe(client, person, published):
    body = {"signal": published.signal, "payment_provider": "manual"}
    return client.post("/v1/subscriptions", json=body, headers=person.headers)


def listed(client, person):
    return client.get("/v1/subscriptions", headers=person.headers).json()["items"]


def webhook(client, event, *, secret=SECRET, at=None):
    body = json.dumps(event).encode()
    stamp = str(int(at or time.time()))
    digest = hmac.new(secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "X-Signalbox-Signature": f"t={stamp},v1={digest}",
        "Content-Type": "application/json",
    }
    return client.post("/v1/billing/webhook/manual", content=body, headers=headers)


def paid(subscription, person, event_id="evt-1"):
    return {
        "id": event_id,
        "kind": "checkout.paid",
        "subscription_id": subscription["id"],
        "user_id": str(person.id),
    }


def page(url):
    return url.removeprefix("http://127.0.0.1:8700")


@pytest.fixture
def flood(make, ada):
    """A signal without a trial."""
    published = make.signal(ada, "flood", trial_days=0)
    make.slot(published)
    return published


def test_a_second_trial_of_a_signal_is_not_given(client, make, tide, bob):
    first = subscribe(client, bob, tide).json()
    assert first["state"] == "trialing"
    make.connection.execute("update billing.subscription set state = 'expired'")
    second = subscribe(client, bob, tide).json()
    assert (second["state"], second["had_trial"]) == ("incomplete", False)
    assert second["checkout_url"]


def test_two_open_subscriptions_to_one_signal_are_refused(client, tide, bob):
    subscribe(client, bob, tide)
    answer = subscribe(client, bob, tide)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_subscribed")


def test_a_provider_does_not_subscribe_to_themselves(client, tide, ada):
    assert subscribe(client, ada, tide).json()["code"] == "own_signal"


def test_the_checkout_page_says_that_no_money_moves_and_opens_access(client, flood, bob):
    subscription = subscribe(client, bob, flood).json()
    assert subscription["state"] == "incomplete"
    assert client.get(f"{flood.path}/forecasts", headers=bob.headers).status_code == 403
    url = page(subscription["checkout_url"])
    shown = client.get(url)
    assert "TEST PAYMENT - no money moves" in shown.text
    assert "29.00 EUR" in shown.text
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    paid = client.post(url, headers=form).text
    assert "Paid." in paid
    assert '<a href="/subscriptions">' in paid
    assert client.get(f"{flood.path}/forecasts", headers=bob.headers).status_code == 200
    (after,) = listed(client, bob)
    assert (after["state"], after["checkout_url"]) == ("active", None)


def test_pressing_the_button_twice_pays_one_month(client, make, flood, bob):
    url = page(subscribe(client, bob, flood).json()["checkout_url"])
    client.post(url)
    (once,) = listed(client, bob)
    client.post(url)
    assert listed(client, bob) == [once]
    events = make.connection.execute("select count(*) from billing.payment_event").fetchone()
    assert events == (1,)


def test_paying_during_the_trial_adds_the_month_after_it(client, tide, bob):
    trial = subscribe(client, bob, tide).json()
    client.post(page(trial["checkout_url"]))
    (after,) = listed(client, bob)
    trial_end = datetime.fromisoformat(trial["period_end"])
    assert datetime.fromisoformat(after["period_end"]) - trial_end >= timedelta(days=28)


def test_a_checkout_needs_its_own_subscribers_link(client, make, flood, bob):
    subscription = subscribe(client, bob, flood).json()
    eve = make.person("eve")
    foreign = page(subscribe(client, eve, flood).json()["checkout_url"])
    token = foreign.partition("?")[2]
    for url in [
        f"/checkout/{subscription['id']}",
        f"/checkout/{subscription['id']}?{token}",
        f"/checkout/{subscription['id']}?pass={bob.headers['Authorization'].split()[1]}",
        f"/checkout/{uuid.uuid4()}?{token}",
    ]:
        assert client.get(url).status_code == 404
        assert client.post(url).status_code == 404
    assert listed(client, bob)[0]["state"] == "incomplete"


def test_a_checkout_pass_is_no_access_token(client, flood, bob):
    token = subscribe(client, bob, flood).json()["checkout_url"].partition("pass=")[2]
    answer = client.get("/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_a_webhook_event_delivered_twice_has_one_effect(client, flood, bob):
    subscription = subscribe(client, bob, flood).json()
    event = paid(subscription, bob)
    assert webhook(client, event).json() == {"had_effect": True}
    (once,) = listed(client, bob)
    assert once["state"] == "active"
    assert webhook(client, event).json() == {"had_effect": False}
    assert listed(client, bob) == [once]


@pytest.mark.parametrize("attack", ["other secret", "old", "future", "no signature", "other user"])
def test_a_forged_webhook_activates_nothing(client, make, flood, bob, attack):
    subscription = subscribe(client, bob, flood).json()
    event = paid(subscription, bob)
    if attack == "other secret":
        answer = webhook(client, event, secret=b"guess")
    elif attack == "old":
        answer = webhook(client, event, at=time.time() - 400)
    elif attack == "future":
        answer = webhook(client, event, at=time.time() + 400)
    elif attack == "no signature":
        answer = client.post("/v1/billing/webhook/manual", json=event)
    else:
        answer = webhook(client, event | {"user_id": str(make.person("eve").id)})
    assert answer.status_code == 401 or answer.json() == {"had_effect": False}
    assert listed(client, bob)[0]["state"] == "incomplete"


def test_a_foreign_subscription_id_is_404(client, tide, ada, bob):
    subscription = subscribe(client, bob, tide).json()
    for verb in ("cancel", "resume"):
        url = f"/v1/subscriptions/{subscription['id']}/{verb}"
        assert client.post(url, headers=ada.headers).status_code == 404


def test_a_canceled_subscription_reads_on_until_its_period_ends(client, make, tide, bob):
    url = f"/v1/subscriptions/{subscribe(client, bob, tide).json()['id']}"
    canceled = client.post(f"{url}/cancel", headers=bob.headers).json()
    assert (canceled["state"], canceled["cancel_at_period_end"]) == ("trialing", True)
    assert client.get(f"{tide.path}/forecasts", headers=bob.headers).status_code == 200
    resumed = client.post(f"{url}/resume", headers=bob.headers).json()
    assert resumed["cancel_at_period_end"] is False
    client.post(f"{url}/cancel", headers=bob.headers)
    make.connection.execute("update billing.subscription set period_end = %s", [datetime.now(UTC)])
    assert listed(client, bob)[0]["state"] == "canceled"
    answer = client.post(f"{url}/resume", headers=bob.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_subscription_state")


def test_a_paid_month_that_ends_is_past_due_and_can_be_paid_again(client, make, tide, bob):
    make.subscription(bob, tide, "active", ends=datetime.now(UTC))
    (overdue,) = listed(client, bob)
    assert overdue["state"] == "past_due"
    client.post(page(overdue["checkout_url"]))
    assert listed(client, bob)[0]["state"] == "active"


def test_production_refuses_payments_in_which_no_money_moves(settings, flood, bob, make):
    production = msgspec.structs.replace(settings, environment="production")
    with TestClient(create_app(production)) as client:
        answer = subscribe(client, bob, flood)
        assert (answer.status_code, answer.json()["code"]) == (403, "manual_payments_disabled")
        subscription_id = make.subscription(bob, flood, "incomplete")
        assert webhook(client, paid({"id": str(subscription_id)}, bob)).status_code == 403
        assert client.post(f"/checkout/{subscription_id}").status_code == 403
    allowed = msgspec.structs.replace(production, allow_manual_payments=True)
    with TestClient(create_app(allowed)) as client:
        assert subscribe(client, bob, flood).status_code == 409
