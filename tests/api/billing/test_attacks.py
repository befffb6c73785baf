"""Webhooks that Stripe did not send, or not so, not now, not once; manual ones that pose as it."""

import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from litestar.testing import TestClient

from api.app import create_app
from tests.fakes.stripe import Card
from tests.fakes.stripe_server import WEBHOOK_SECRET, deliver, signed

SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def opened(world, flood, bob, visa):
    """bob has paid at Stripe, and nothing of it has reached us."""
    subscription = world.subscribe(bob, flood, "stripe")
    world.pay(subscription, visa)
    return subscription


def paid_event(world):
    return next(event for event in world.waiting() if event["type"] == "invoice.paid")


def post(world, body, headers):
    return world.api.post("/v1/billing/webhook/stripe", content=body, headers=headers)


def without_signature(event):
    return json.dumps(event).encode(), {"Content-Type": "application/json"}


def altered(event):
    body, headers = signed(event)
    return body.replace(b'"amount_paid": 2900', b'"amount_paid": 1'), headers


def two_times(event):
    body, headers = signed(event)
    stamp = f"t={int(time.time()) + 1},"
    return body, headers | {"Stripe-Signature": stamp + headers["Stripe-Signature"]}


ATTACKS = {
    "unsigned": without_signature,
    "wrong secret": lambda event: signed(event, secret=b"whsec_guess"),
    "the installation's secret": lambda event: signed(event, secret=SECRET),
    "altered": altered,
    "old": lambda event: signed(event, at=time.time() - 301),
    "future": lambda event: signed(event, at=time.time() + 301),
    "two times": two_times,
    "other livemode": lambda event: signed(event | {"livemode": True}),
}


@pytest.mark.usefixtures("opened")
def test_a_webhook_that_stripe_did_not_send_us_now_is_refused_and_kept_nowhere(world, flood, bob):
    event = paid_event(world)
    for name, attack in ATTACKS.items():
        answer = post(world, *attack(event))
        assert 400 <= answer.status_code < 500, name
        assert answer.json()["code"] in ("invalid_signature", "invalid_request"), name
    assert (world.state(bob), world.reads(bob, flood)) == ("incomplete", False)
    kept = world.database.execute("select count(*) from billing.payment_event").fetchone()
    assert kept == (0,)


@pytest.mark.usefixtures("opened")
def test_a_secret_that_is_being_exchanged_signs_beside_the_new_one(world):
    body, headers = signed(paid_event(world), secret=b"whsec_old")
    stamp = headers["Stripe-Signature"].partition(",")[0][2:]
    digest = hmac.new(WEBHOOK_SECRET, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    both = headers | {"Stripe-Signature": f"{headers['Stripe-Signature']},v1={digest}"}
    assert post(world, body, both).json() == {"had_effect": True}


@pytest.mark.usefixtures("opened")
def test_a_replayed_webhook_has_one_effect(world, bob):
    event = paid_event(world)
    assert world.send(event).json() == {"had_effect": True}
    once = world.mine(bob)
    for _ in range(3):
        assert world.send(event).json() == {"had_effect": False}
    assert world.mine(bob) == once
    assert world.balance("cash:stripe") + world.balance("payment_fee") == 2900


@pytest.mark.usefixtures("opened")
def test_one_webhook_delivered_twelve_times_at_once_has_one_effect(world, bob):
    """Beside it, another event of the same payment."""
    events = [paid_event(world)] * 12 + world.waiting()
    with ThreadPoolExecutor(len(events)) as pool:
        answers = list(pool.map(world.send, events))
    assert {answer.status_code for answer in answers} == {200}
    assert sum(answer.json()["had_effect"] for answer in answers) == 1
    assert world.state(bob) == "active"
    assert world.balance("cash:stripe") + world.balance("payment_fee") == 2900


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize("order", ["reversed", "doubled"])
def test_webhooks_out_of_order_or_doubled_have_the_effect_of_each_once(world, bob, order):
    for days in (0, 31):
        world.pass_time(days=days, hours=2)
        waiting = world.waiting()
        for event in waiting[::-1] if order == "reversed" else waiting + waiting:
            assert world.send(event).status_code == 200
    assert world.state(bob) == "active"
    count = world.database.execute("select count(*) from ledger.invoice").fetchone()
    assert count == (2,)


@pytest.mark.usefixtures("opened")
def test_a_canceled_subscription_stays_canceled_whatever_arrives_later(world, flood, bob):
    """An old `invoice.paid` is held back until the subscription has ended."""
    first = paid_event(world)
    world.pass_time(days=1)
    (theirs,) = world.stripe.stripe.all("subscription")
    world.stripe.stripe.end(theirs)
    last = world.waiting()[-1]
    assert last["type"] == "customer.subscription.deleted"
    world.send(last)
    assert world.state(bob) == "canceled"
    world.send(first)
    world.send_all()
    assert (world.state(bob), world.reads(bob, flood)) == ("canceled", False)
    assert world.balance("cash:stripe") + world.balance("payment_fee") == 2900
    # Money that comes after all is booked, gives no access, and is shown as to be given back.
    theirs["status"] = "active"
    world.stripe.stripe.attempt(second_invoice(world, theirs))
    world.send_all()
    assert (world.state(bob), world.reads(bob, flood)) == ("canceled", False)
    assert world.told(bob)[-1] == "payment.without_access"
    assert theirs["status"] == "canceled"


def second_invoice(world, theirs):
    held = world.stripe.stripe
    first = held.objects[theirs["latest_invoice"]]
    made = held.add("in", "invoice", **{k: v for k, v in first.items() if k not in ("id", "object",
                    "created", "livemode")})  # fmt: skip
    made |= {"status": "open", "attempt_count": 0, "charge": None, "amount_paid": 0}
    theirs["latest_invoice"] = made["id"]
    return made


def test_a_manual_event_for_a_stripe_subscription_is_refused(world, opened, flood, bob):
    """Whoever holds the installation's test secret would pay for a real subscription with it."""
    event = {
        "id": "evt-1", "kind": "checkout.paid", "subscription_id": opened["id"],
        "user_id": str(bob.id),
    }  # fmt: skip
    answer = manual(world.api, event)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_payment_provider")
    assert world.press(opened).json()["code"] == "wrong_payment_provider"
    assert (world.state(bob), world.reads(bob, flood)) == ("incomplete", False)
    assert world.database.execute("select count(*) from billing.payment_event").fetchone() == (0,)


def manual(client, event):
    body, stamp = json.dumps(event).encode(), str(int(time.time()))
    digest = hmac.new(SECRET, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {
        "X-Signalbox-Signature": f"t={stamp},v1={digest}",
        "Content-Type": "application/json",
    }
    return client.post("/v1/billing/webhook/manual", content=body, headers=headers)


def test_manual_payments_in_production_are_refused_and_stripe_is_asked_instead(
    stripe_settings, make, flood, bob
):
    production = msgspec.structs.replace(stripe_settings, environment="production", demo_clock=None)
    kept = make.subscription(bob, flood, "incomplete")
    event = {
        "id": "evt-1", "kind": "checkout.paid", "subscription_id": str(kept),
        "user_id": str(bob.id),
    }  # fmt: skip
    with TestClient(create_app(production)) as client:
        assert manual(client, event).json()["code"] == "manual_payments_disabled"
        eve = make.person("eve")
        body = {"signal": flood.signal, "payment_provider": "manual"}
        refused = client.post("/v1/subscriptions", json=body, headers=eve.headers)
        assert refused.json()["code"] == "manual_payments_disabled"
        body = {"signal": flood.signal}
        opened = client.post("/v1/subscriptions", json=body, headers=eve.headers)
        assert opened.json()["payment_provider"] == "stripe"


def test_an_event_that_could_not_be_read_is_kept_and_applied_when_it_comes_again(
    world, opened, flood, bob
):
    event = paid_event(world)
    world.stripe.is_down = True
    answer = world.send(event)
    assert (answer.status_code, answer.json()["code"]) == (503, "payment_provider_unavailable")
    assert world.act(bob, opened, "portal").status_code in (409, 503)
    world.stripe.is_down = False
    assert world.send(event).json() == {"had_effect": True}
    assert world.reads(bob, flood)


@pytest.mark.usefixtures("opened")
def test_a_dispute_takes_nothing_until_it_is_lost(world, flood, bob):
    world.send_all()
    (charge,) = world.stripe.stripe.all("charge")
    dispute = world.stripe.stripe.dispute(charge["id"])
    world.send_all()
    assert world.reads(bob, flood)
    world.stripe.stripe.lose(dispute)
    world.send_all()
    assert (world.state(bob), world.reads(bob, flood)) == ("canceled", False)
    assert world.balance("provider_payable") == 0
    assert world.balance("payment_fee") == 1500 + 2900 * 29 // 1000 + 30


def test_two_checkouts_of_one_subscription_give_access_once_and_the_second_is_ended(
    world, flood, bob
):
    opened = world.subscribe(bob, flood, "stripe")
    first = world.pay(opened, Card("fp_a"))
    world.stripe.made.clear()  # an hour later the link leads to a new session
    second = world.pay(opened, Card("fp_b"))
    world.send_all()
    assert (world.state(bob), world.reads(bob, flood)) == ("active", True)
    assert {first["status"], second["status"]} == {"active", "canceled"}
    assert "payment.without_access" in world.told(bob)


@pytest.mark.usefixtures("opened")
def test_secrets_of_the_payment_provider_are_in_no_log_and_no_row(world, caplog):
    world.stripe.is_down = True
    for event in world.waiting()[:2]:
        deliver(str(world.api.base_url), event)
    world.stripe.is_down = False
    world.send_all()
    rows = world.database.execute(
        "select payload::text from billing.payment_event union all"
        " select detail::text from audit.event union all select detail::text from billing.outbox"
    ).fetchall()
    said = caplog.text + "".join(text for (text,) in rows)
    for secret in ("sk_test_fake", "whsec_fake", "fp_visa"):
        assert secret not in said
