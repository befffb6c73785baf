"""A new price: who may make it, with how much notice, and what old subscribers are told."""

from datetime import timedelta

import pytest


def offer(world, published, person, **fields):
    body = {"amount_minor": 9900, "currency": "EUR", **fields}
    return world.api.post(f"{published.path}/offers", json=body, headers=person.headers)


def test_a_price_rise_with_less_than_thirty_days_of_notice_is_refused(world, flood, ada, bob):
    """A provider raises the price for the month that begins next week."""
    world.press(world.subscribe(bob, flood))
    soon = (world.now + timedelta(days=29)).isoformat()
    for fields in ({"effective_from": soon}, {"ends_old_terms": True}):
        refused = offer(world, flood, ada, **fields)
        assert (refused.status_code, refused.json()["code"]) == (409, "notice_too_short")
    later = (world.now + timedelta(days=31)).isoformat()
    assert offer(world, flood, ada, currency="USD", effective_from=later).status_code == 400
    assert offer(world, flood, bob).json()["code"] == "not_owner"
    assert offer(world, flood, ada, effective_from="2099-01-01T00:00:00").status_code == 400
    assert (world.mine(bob)["amount_minor"], world.mine(bob)["proposal"]) == (2900, None)


def test_somebody_else_does_not_consent_for_a_subscriber(world, make, flood, ada, bob):
    opened = world.subscribe(bob, flood)
    world.press(opened)
    later = (world.now + timedelta(days=31)).isoformat()
    offer(world, flood, ada, effective_from=later)
    for person in (ada, make.person("eve")):
        assert world.act(person, opened, "consent").json()["code"] == "not_found"
    assert world.mine(bob)["proposal"]["amount_minor"] == 9900


def test_withdrawn_terms_are_kept_by_consent_up_to_the_last_moment(world, flood, ada, bob):
    opened = world.subscribe(bob, flood)
    world.press(opened)
    later = (world.now + timedelta(days=31)).isoformat()
    offer(world, flood, ada, effective_from=later, ends_old_terms=True)
    world.pass_time(days=32)
    world.press(world.mine(bob))
    assert world.mine(bob)["cancel_at_period_end"] is True
    assert world.act(bob, opened, "resume").json()["code"] == "invalid_subscription_state"
    consented = world.act(bob, opened, "consent").json()
    assert (consented["cancel_at_period_end"], consented["due_minor"]) == (False, 9900)


@pytest.mark.parametrize("provider", ["manual", "stripe"])
def test_the_portal_is_the_payment_providers_where_it_has_one(world, flood, bob, visa, provider):
    opened = world.subscribe(bob, flood, provider)
    assert world.act(bob, opened, "portal").json()["code"] == "invalid_subscription_state"
    if provider == "stripe":
        world.pay(opened, visa)
        world.send_all()
        url = world.act(bob, opened, "portal").json()["url"]
        assert url.startswith(f"{world.stripe.url}/portal/cus_")


def test_each_line_for_people_is_a_letter_that_names_the_signal(world, make, flood, ada, bob):
    """What the mail's outbox is handed, in words."""
    opened = world.subscribe(bob, flood)
    world.press(opened)
    later = (world.now + timedelta(days=31)).isoformat()
    offer(world, flood, ada, effective_from=later)
    world.pass_time(days=32)
    assert world.state(bob) == "past_due"
    world.pass_time(days=8)
    assert world.state(bob) == "expired"
    letters = make.connection.execute(
        "select o.kind, l.subject, l.text from billing.outbox o, billing.letter(o) l order by o.id"
    ).fetchall()
    assert [(kind, subject) for kind, subject, _ in letters] == [
        ("payment.paid", "Paid: ada/flood"),
        ("offer.proposed", "A new price is proposed: ada/flood"),
        ("payment.reminder", "A payment is due: ada/flood"),
        ("subscription.expired", "Ended: ada/flood"),
    ]
    paid, proposed, reminder, ended = (text for *_, text in letters)
    assert "29.00 EUR were paid, invoice 20" in paid
    assert "99.00 EUR a month" in proposed
    assert f"/v1/subscriptions/{opened['id']}/consent" in proposed
    assert "reminder 1 of 3" in reminder
    assert "not paid within 7 days" in ended
    assert max(len(line) for text in (paid, reminder, ended) for line in text.split("\n")) <= 98
