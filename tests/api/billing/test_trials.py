"""One trial per person, card and signal, of at most thirty days."""

import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from sql.roles import API
from tests.api.conftest import Person
from tests.fakes.stripe import Card


def leave(world, person):
    """What deleting an account leaves: the row, without the person."""
    world.database.execute(
        "update account.user_account set email = %s, password_hash = '' where id = %s",
        [f"{person.id}@deleted.invalid", person.id],
    )


def register(world, handle, email):
    body = {"email": email, "password": "correct horse battery", "handle": handle}
    answer = world.api.post("/v1/auth/register", json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    headers = {"Authorization": f"Bearer {made['access_token']}"}
    return Person(made["user"]["id"], handle, headers)


def test_a_second_trial_by_the_same_person_is_not_given(world, tide, bob):
    first = world.subscribe(bob, tide)
    assert first["state"] == "trialing"
    world.act(bob, first, "cancel")
    world.pass_time(days=15)
    assert world.state(bob) == "canceled"
    second = world.subscribe(bob, tide)
    assert (second["state"], second["had_trial"]) == ("incomplete", False)
    assert not world.reads(bob, tide)


@pytest.mark.parametrize(
    "spelling", ["eve@example.org", "EVE@example.org", "eve+again@example.org"]
)
def test_a_second_trial_by_an_account_made_again_with_the_same_address_is_not_given(
    world, tide, spelling
):
    first = register(world, "eve", "eve@example.org")
    assert world.subscribe(first, tide)["state"] == "trialing"
    leave(world, first)
    again = register(world, "eve-again", spelling)
    assert world.subscribe(again, tide)["state"] == "incomplete"
    other = register(world, "other", "eva@example.org")
    assert world.subscribe(other, tide)["state"] == "trialing"


def test_a_second_trial_by_the_same_card_ends_at_once_and_is_charged(world, make, tide, bob):
    world.pay(world.subscribe(bob, tide, "stripe"), Card("fp_shared"))
    world.send_all()
    assert world.state(bob) == "trialing"
    eve = make.person("eve")
    theirs = world.pay(world.subscribe(eve, tide, "stripe"), Card("fp_shared"))
    assert theirs["status"] == "trialing"
    world.send_all()
    world.send_all()
    assert theirs["status"] == "active"
    after = world.mine(eve)
    assert (after["state"], after["had_trial"]) == ("active", False)
    assert world.balance("cash:stripe") + world.balance("payment_fee") == 2900


def test_the_same_card_may_try_another_signal(world, make, ada, tide, bob):
    other = make.signal(ada, "ebb")
    for published in (tide, other):
        world.pay(world.subscribe(bob, published, "stripe"), Card("fp_bob"))
    world.send_all()
    states = world.api.get("/v1/subscriptions", headers=bob.headers).json()["items"]
    assert [one["state"] for one in states] == ["trialing", "trialing"]


def test_a_trial_of_31_days_is_refused_by_the_database(make, tide, bob):
    with pytest.raises(psycopg.errors.CheckViolation, match="trial_at_most_30_days"):
        make.connection.execute(
            "insert into billing.price (signal_id, amount_minor, currency, trial_days, valid_from)"
            " values (%s, 1, 'EUR', 31, now())",
            [tide.id],
        )
    with pytest.raises(psycopg.errors.CheckViolation, match="trial_at_most_30_days"):
        make.subscription(bob, tide, "trialing", ends=datetime.now(UTC) + timedelta(days=12))


def test_a_trial_of_31_days_is_refused_by_the_api(world, ada, tide):
    body = {"amount_minor": 1, "currency": "EUR", "trial_days": 31}
    answer = world.api.post(f"{tide.path}/offers", json=body, headers=ada.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_of_two_accounts_of_one_mailbox_that_ask_at_once_one_has_the_trial(database, make, tide):
    """Both pass the look for an old trial before either has written one down."""
    people = [make.person(f"twin{n}") for n in range(8)]
    started = threading.Barrier(len(people))
    states = []

    def ask(person):
        with psycopg.connect(database.url(API).set(drivername="postgresql").render_as_string(
            hide_password=False)) as connection:  # fmt: skip
            connection.execute(
                "select set_config('app.user_id', %s, true), set_config('app.now', %s, true)",
                [str(person.id), datetime.now(UTC).isoformat()],
            )
            started.wait()
            connection.execute(
                "select billing.open_subscription(%s, 'manual', %s, now())", [tide.id, b"m" * 32]
            )
            row = connection.execute("select state from billing.subscription").fetchone()
            states.append(row[0])

    threads = [threading.Thread(target=ask, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == ["incomplete"] * 7 + ["trialing"]


def test_marks_of_trials_hold_no_address_and_no_card(world, tide, bob):
    world.pay(world.subscribe(bob, tide, "stripe"), Card("fp_bob"))
    world.send_all()
    rows = world.database.execute("select kind, digest from billing.trial_mark").fetchall()
    assert {kind for kind, _ in rows} == {"user", "email", "card"}
    assert all(len(digest) == 32 for _, digest in rows)
