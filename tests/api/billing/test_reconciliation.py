"""Each night: what no webhook told is found and applied once; what Stripe missed is told."""

from datetime import timedelta

import dagster as dg
import psycopg
import pytest

from assets.installation import Installation
from assets.usage.reconciliation import reconcile
from assets.usage.reconciliation_asset import reconciliation_asset
from assets.usage.settlement import settle_all
from sql.payments.errors import UnavailableError
from sql.payments.stripe.account import open_client
from sql.roles import WORKER
from tests.fakes.stripe import Card

GRACE = timedelta(days=3)


@pytest.fixture
def worker(database):
    with database.connect(WORKER) as connection:
        yield connection


@pytest.fixture
def client(stripe_settings):
    found = open_client(stripe_settings.stripe_url, stripe_settings.stripe_key_file)
    yield found
    found.close()


def people_who_paid(world, make, published, count=5):
    people = [make.person(f"reader{n}") for n in range(count)]
    for person in people:
        world.pay(world.subscribe(person, published, "stripe"), Card(f"fp_{person.handle}"))
    return people


def test_payments_of_which_no_webhook_arrived_are_applied_once_and_named(
    world, make, flood, worker, client
):
    people = people_who_paid(world, make, flood)
    world.send_all()
    world.pass_time(days=31, hours=2)
    lost = {event["data"]["object"]["id"] for event in world.waiting() if "paid" in event["type"]}
    assert [world.state(person) for person in people] == ["past_due"] * 5
    found = reconcile(worker, client, world.now, GRACE)
    assert set(found.lost) == lost
    assert [world.state(person) for person in people] == ["active"] * 5
    assert reconcile(worker, client, world.now, GRACE).lost == []
    for event in world.waiting():
        assert world.send(event).json() == {"had_effect": False}
    count = world.database.execute("select count(*) from ledger.invoice").fetchone()
    assert count == (10,)


def test_a_refund_and_a_lost_dispute_that_nobody_heard_of_are_found(
    world, make, flood, worker, client
):
    people = people_who_paid(world, make, flood, 3)
    world.send_all()
    refunded, disputed, _ = world.stripe.stripe.all("charge")
    world.stripe.stripe.refund(refunded["id"], refunded["amount"])
    world.stripe.stripe.dispute(disputed["id"], "lost")
    found = reconcile(worker, client, world.now, GRACE)
    assert len(found.lost) == 2
    assert [world.state(person) for person in people] == ["canceled", "canceled", "active"]
    statuses = [one["status"] for one in world.stripe.stripe.all("subscription")]
    assert statuses == ["canceled", "canceled", "active"]


def test_a_cancellation_that_stripe_could_not_hear_is_told_at_night(
    world, make, flood, worker, client
):
    (person,) = people_who_paid(world, make, flood, 1)
    world.send_all()
    world.stripe.is_down = True
    canceled = world.act(person, world.mine(person), "cancel")
    assert (canceled.status_code, canceled.json()["cancel_at_period_end"]) == (200, True)
    world.stripe.is_down = False
    (theirs,) = world.stripe.stripe.all("subscription")
    assert theirs["cancel_at_period_end"] is False
    assert len(reconcile(worker, client, world.now, GRACE).told) == 1
    assert theirs["cancel_at_period_end"] is True
    world.send_all()
    assert world.mine(person)["cancel_at_period_end"] is True


def test_a_price_that_was_consented_to_is_told_when_its_period_is_next(
    world, make, flood, ada, worker, client
):
    (person,) = people_who_paid(world, make, flood, 1)
    world.send_all()
    since = world.now + timedelta(days=40)
    offer = {"amount_minor": 9900, "currency": "EUR", "effective_from": since.isoformat()}
    world.api.post(f"{flood.path}/offers", json=offer, headers=ada.headers)
    assert world.act(person, world.mine(person), "consent").status_code == 200
    assert reconcile(worker, client, world.now, GRACE).told == []
    world.pass_time(days=32)
    world.send_all()
    assert world.mine(person)["amount_minor"] == 2900
    reconcile(worker, client, world.now, GRACE)
    world.pass_time(days=31)
    world.send_all()
    assert world.mine(person)["amount_minor"] == 9900
    amounts = [one["amount_paid"] for one in world.stripe.stripe.all("invoice")]
    assert amounts == [2900, 2900, 9900]


def test_a_night_without_an_answer_writes_nothing_down_and_the_next_one_looks_as_far_back(
    world, make, flood, worker, client
):
    people_who_paid(world, make, flood, 1)
    world.stripe.is_down = True
    with pytest.raises(UnavailableError):
        reconcile(worker, client, world.now, GRACE)
    world.stripe.is_down = False
    assert len(reconcile(worker, client, world.now, GRACE).lost) == 1
    rows = worker.execute("select compared > 0, lost, pushed from billing.reconciliation")
    assert rows.fetchall() == [(True, 1, 0)]


def test_the_asset_names_what_was_lost(world, make, flood, database, client, image_store):
    people_who_paid(world, make, flood, 1)
    installation = Installation(
        connect=lambda: database.connect(WORKER),
        engine=None,
        images=image_store,
        clock=lambda: world.now,
        feed_delay=GRACE,
        live_deadline=GRACE,
        api_url="",
        stripe=client,
    )
    resources = {"installation": dg.ResourceDefinition.hardcoded_resource(installation)}
    done = dg.materialize([reconciliation_asset()], resources=resources)
    (event,) = done.get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert (metadata["lost"].value, metadata["told"].value) == (1, 0)
    assert metadata["lost_first"].value.startswith("in_")


def test_what_ended_is_settled_for_all_without_anybody_looking(world, tide, bob, worker):
    world.subscribe(bob, tide)
    world.pass_time(days=14, seconds=1)
    assert settle_all(worker, world.now) == 1
    assert world.told(bob)[-1] == "subscription.expired"
    assert settle_all(worker, world.now) == 0


def test_the_worker_may_not_change_what_it_reconciles_by_hand(worker):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        worker.execute("update billing.subscription set state = 'active'")


def owed(world) -> int:
    """Credit of all subscribers by the books."""
    query = "select coalesce(-sum(amount_minor), 0)::int from ledger.line where account = 'credits'"
    return world.database.execute(query).fetchone()[0]


def test_credit_for_missed_hours_is_told_once_and_taken_off_the_next_invoice(
    world, make, flood, worker, client
):
    (person,) = people_who_paid(world, make, flood, 1)
    world.send_all()
    world.pass_time(days=31, hours=2)
    world.send_all()
    subscription = world.mine(person)["id"]
    give = "select ledger.credit(%s, 'missed-hours:test', 300, 'hours missed', %s, %s)"
    worker.execute(give, [subscription, world.now, world.now])
    told = reconcile(worker, client, world.now, GRACE).told
    assert [words.partition(": ")[2] for words in told] == ["credit of 300 EUR minor units"]
    (customer,) = world.stripe.stripe.all("customer")
    assert (customer["balance"], world.mine(person)["due_minor"]) == (-300, 2600)
    assert reconcile(worker, client, world.now, GRACE).told == []
    world.pass_time(days=31)
    # Used up at Stripe, and not heard of here: the next night books it, and gives none again.
    assert (customer["balance"], owed(world)) == (0, 300)
    assert reconcile(worker, client, world.now, GRACE).told == []
    assert (customer["balance"], owed(world)) == (0, 0)
    world.send_all()
    (newest, *_) = world.api.get("/v1/invoices", headers=person.headers).json()["items"]
    assert (newest["amount_minor"], newest["credit_minor"]) == (2900, 300)
    amounts = [one["amount_paid"] for one in world.stripe.stripe.all("invoice")]
    assert amounts == [2900, 2900, 2600]


def test_credit_that_an_invoice_has_used_up_and_not_paid_yet_is_not_told_again(
    world, make, flood, worker, client
):
    (person,) = people_who_paid(world, make, flood, 1)
    world.send_all()
    give = "select ledger.credit(%s, 'missed-hours:test', 300, 'hours missed', %s, %s)"
    worker.execute(give, [world.mine(person)["id"], world.now, world.now])
    reconcile(worker, client, world.now, GRACE)
    (customer,) = world.stripe.stripe.all("customer")
    card = world.stripe.stripe.cards[customer["id"]]
    card.is_good = False
    world.pass_time(days=31, hours=2)
    assert customer["balance"] == 0
    reconcile(worker, client, world.now, GRACE)
    assert (customer["balance"], owed(world)) == (0, 300)
    card.is_good = True
    world.pass_time(days=4)
    world.send_all()
    assert (world.state(person), customer["balance"], owed(world)) == ("active", 0, 0)


def test_an_invoice_that_credit_pays_whole_is_paid_and_booked_without_money(
    world, make, flood, worker, client
):
    (person,) = people_who_paid(world, make, flood, 1)
    world.send_all()
    give = "select ledger.credit(%s, 'missed-hours:test', 2890, 'hours missed', %s, %s)"
    worker.execute(give, [world.mine(person)["id"], world.now, world.now])
    reconcile(worker, client, world.now, GRACE)
    world.pass_time(days=31, hours=2)
    world.send_all()
    assert (world.state(person), owed(world)) == ("active", 0)
    # Ten cents are too little for a card: Stripe adds them to the next invoice.
    world.pass_time(days=31)
    world.send_all()
    query = "select sum(amount_minor)::int from ledger.line where account = 'cash:stripe'"
    fees = "select sum(amount_minor)::int from ledger.line where account = 'payment_fee'"
    cash, kept = (world.database.execute(one).fetchone()[0] for one in (query, fees))
    assert cash + kept == 2900 + 10 + 2900
