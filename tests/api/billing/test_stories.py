"""Subscriptions from beginning to end, as people go through them."""

from datetime import datetime, timedelta

import pytest

from tests.fakes.stripe import Card

PRICE = 2900


def test_a_trial_is_paid_canceled_and_ends_with_its_period(world, tide, bob):
    trial = world.subscribe(bob, tide)
    assert (trial["state"], world.reads(bob, tide)) == ("trialing", True)
    world.pass_time(days=13)
    assert "Paid." in world.press(world.mine(bob)).text
    world.pass_time(days=10)
    assert (world.state(bob), world.reads(bob, tide)) == ("active", True)
    canceled = world.act(bob, trial, "cancel").json()
    assert (canceled["state"], canceled["cancel_at_period_end"]) == ("active", True)
    end = datetime.fromisoformat(canceled["period_end"])
    world.pass_time(seconds=(end - world.now).total_seconds() - 30)
    assert world.reads(bob, tide)
    world.pass_time(seconds=31)
    assert not world.reads(bob, tide)
    assert world.state(bob) == "canceled"
    assert world.act(bob, trial, "resume").json()["code"] == "invalid_subscription_state"
    assert world.moves(trial) == [
        ("incomplete", "trialing", "its trial began"),
        ("trialing", "active", "paid"),
        ("active", "canceled", "canceled at the end of its period"),
    ]
    assert world.balance("provider_payable") == -PRICE * 8 // 10
    assert world.balance("cash:manual") == PRICE


def test_a_trial_with_a_card_renews_by_itself_until_it_is_canceled(world, tide, bob, visa):
    opened = world.subscribe(bob, tide, "stripe")
    assert (opened["state"], world.reads(bob, tide)) == ("incomplete", False)
    world.pay(opened, visa)
    world.send_all()
    assert (world.state(bob), world.mine(bob)["checkout_url"]) == ("trialing", None)
    world.pass_time(days=14, minutes=30)
    # Stripe collects an hour after the period: nobody who will have paid is locked out meanwhile.
    assert world.reads(bob, tide)
    world.pass_time(hours=1)
    world.send_all()
    paid = world.mine(bob)
    assert (paid["state"], world.reads(bob, tide)) == ("active", True)
    assert datetime.fromisoformat(paid["period_end"]) - world.now > timedelta(days=27)
    assert world.act(bob, opened, "cancel").status_code == 200
    assert world.act(bob, opened, "resume").json()["cancel_at_period_end"] is False
    assert world.act(bob, opened, "cancel").status_code == 200
    (theirs,) = world.stripe.stripe.all("subscription")
    assert theirs["cancel_at_period_end"] is True
    world.send_all()
    world.pass_time(days=31)
    assert not world.reads(bob, tide)
    world.send_all()
    assert world.state(bob) == "canceled"
    fee = PRICE * 29 // 1000 + 30
    assert world.balance("cash:stripe") == PRICE - fee
    assert world.balance("payment_fee") == fee


def test_a_failed_renewal_is_reminded_tolerated_and_recovered(world, flood, bob, visa):
    opened = world.subscribe(bob, flood, "stripe")
    world.pay(opened, visa)
    world.send_all()
    assert world.state(bob) == "active"
    period_end = datetime.fromisoformat(world.mine(bob)["period_end"])
    visa.is_good = False
    world.pass_time(seconds=(period_end - world.now).total_seconds() + 2 * 3600)
    world.send_all()
    overdue = world.mine(bob)
    assert (overdue["state"], world.reads(bob, flood)) == ("past_due", True)
    assert datetime.fromisoformat(overdue["grace_until"]) == period_end + timedelta(days=3)
    portal = world.api.get(world.path(overdue)).headers["location"]
    assert portal.startswith(f"{world.stripe.url}/portal/cus_")
    world.pass_time(days=3, hours=1)
    world.send_all()
    assert (world.state(bob), world.reads(bob, flood)) == ("past_due", False)
    assert world.told(bob).count("payment.reminder") == 2
    visa.is_good = True
    world.pass_time(days=2)
    world.send_all()
    assert (world.state(bob), world.reads(bob, flood)) == ("active", True)
    assert world.balance("cash:stripe") > PRICE


def test_a_renewal_that_keeps_failing_is_lost_after_a_week(world, flood, bob, visa):
    opened = world.subscribe(bob, flood, "stripe")
    world.pay(opened, visa)
    world.send_all()
    visa.is_good = False
    for _ in range(45):
        world.pass_time(days=1)
        world.send_all()
        if world.state(bob) not in ("active", "past_due"):
            break
    assert world.state(bob) in ("canceled", "expired")
    assert not world.reads(bob, flood)
    told = world.told(bob)
    assert told.count("payment.reminder") == 3
    assert told.count("payment.failed") >= 3
    assert world.stripe.stripe.all("subscription")[0]["status"] == "canceled"
    visa.is_good = True
    assert world.subscribe(bob, flood, "stripe")["state"] == "incomplete"


def test_a_declined_test_card_can_be_tried_again(world, flood, bob):
    opened = world.subscribe(bob, flood)
    assert "declined" in world.press(opened, card="declined").text
    assert (world.state(bob), world.reads(bob, flood)) == ("incomplete", False)
    assert world.told(bob)[-1] == "payment.failed"
    assert "Paid." in world.press(opened).text
    world.pass_time(days=32)
    assert world.state(bob) == "past_due"
    assert "declined" in world.press(world.mine(bob), card="declined").text
    assert world.reads(bob, flood)
    world.pass_time(days=3)
    assert (world.state(bob), world.reads(bob, flood)) == ("past_due", False)
    world.pass_time(days=4)
    assert world.state(bob) == "expired"
    assert world.told(bob).count("payment.reminder") == 2


@pytest.mark.parametrize("withdrawn", [False, True])
def test_who_refuses_a_price_rise_keeps_the_old_price_or_ends_with_the_period(
    world, flood, ada, bob, withdrawn
):
    world.press(world.subscribe(bob, flood))
    since = world.now + timedelta(days=31)
    offer = {"amount_minor": 9900, "currency": "EUR", "effective_from": since.isoformat()}
    body = offer | {"ends_old_terms": withdrawn}
    made = world.api.post(f"{flood.path}/offers", json=body, headers=ada.headers)
    assert made.status_code == 201, made.text
    assert world.mine(bob)["proposal"]["amount_minor"] == 9900
    assert "offer.proposed" in world.told(bob)
    # The notice is longer than the period: the next one still costs the old price.
    world.pass_time(days=32)
    overdue = world.mine(bob)
    assert (overdue["state"], overdue["amount_minor"]) == ("past_due", PRICE)
    world.press(overdue)
    assert world.balance("cash:manual") == 2 * PRICE
    assert world.mine(bob)["cancel_at_period_end"] is withdrawn
    world.pass_time(days=32)
    assert world.state(bob) == ("canceled" if withdrawn else "past_due")
    assert world.mine(bob)["due_minor"] == PRICE


def test_who_consents_to_a_price_rise_pays_it_from_its_date_on(world, flood, ada, bob):
    opened = world.subscribe(bob, flood)
    world.press(opened)
    since = world.now + timedelta(days=40)
    offer = {"amount_minor": 9900, "currency": "EUR", "effective_from": since.isoformat()}
    world.api.post(f"{flood.path}/offers", json=offer, headers=ada.headers)
    consented = world.act(bob, opened, "consent")
    assert (consented.status_code, consented.json()["proposal"]) == (200, None)
    assert world.act(bob, opened, "consent").json()["code"] == "no_proposal"
    world.pass_time(days=32)
    world.press(world.mine(bob))
    assert world.balance("cash:manual") == 2 * PRICE
    world.pass_time(days=32)
    assert world.mine(bob)["due_minor"] == 9900
    world.press(world.mine(bob))
    assert world.mine(bob)["amount_minor"] == 9900
    assert world.balance("cash:manual") == 2 * PRICE + 9900


def test_a_price_rise_binds_new_subscribers_and_is_in_the_log(world, make, flood, ada, bob):
    world.subscribe(bob, flood)
    offer = {"amount_minor": 9900, "currency": "EUR"}
    assert (
        world.api.post(f"{flood.path}/offers", json=offer, headers=ada.headers).status_code == 201
    )
    eve = make.person("eve")
    assert world.subscribe(eve, flood)["amount_minor"] == 9900
    assert (world.mine(bob)["amount_minor"], world.mine(bob)["proposal"]) == (PRICE, None)
    (body,) = world.database.execute(
        "select body from transparency.leaf where kind = 'price/v1'"
    ).fetchone()
    assert b'"amount_minor":9900' in body


@pytest.mark.parametrize("provider", ["manual", "stripe"])
def test_a_refund_after_the_payout_leaves_the_provider_owing_and_ends_the_access(
    world, make, flood, bob, provider
):
    root = make.person("root", "operator")
    opened = world.subscribe(bob, flood, provider)
    if provider == "manual":
        world.press(opened)
    else:
        world.pay(opened, Card("fp_bob"))
        world.send_all()
    month = world.now.strftime("%Y-%m-01")
    paid_at = world.now
    world.pass_time(days=20)
    while (world.now.year, world.now.month) == (paid_at.year, paid_at.month):
        world.pass_time(days=1)
    world.database.execute("select ledger.payouts(%s, %s, %s)", [month, world.now, world.now])
    assert world.balance("provider_payable") == 0
    assert world.reads(bob, flood)
    (invoice,) = world.database.execute("select number from ledger.invoice").fetchone()
    body = {"invoice": invoice}
    refunded = world.api.post("/v1/admin/refunds", json=body, headers=root.headers)
    assert refunded.json()["amount_minor"] == PRICE
    world.send_all()
    assert not world.reads(bob, flood)
    assert world.state(bob) == "canceled"
    assert world.balance("provider_payable") == PRICE * 8 // 10
    again = world.api.post("/v1/admin/refunds", json=body, headers=root.headers)
    assert again.json()["code"] == "not_refundable"
    (theirs,) = world.stripe.stripe.all("subscription") or [{"status": "canceled"}]
    assert theirs["status"] == "canceled"
