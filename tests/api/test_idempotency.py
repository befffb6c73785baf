"""A create that carries an Idempotency-Key happens once, whatever is sent, lost or killed."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

KEY = {"Idempotency-Key": "order-1"}
BODY = {"name": "bot", "scopes": ["read"]}


def create(client, person, body=BODY, **headers):
    sent = person.headers | KEY | {k.replace("_", "-"): v for k, v in headers.items()}
    return client.post("/v1/api-keys", json=body, headers=sent)


def count(make, table="account.api_key"):
    return make.connection.execute(f"select count(*) from {table}").fetchone()[0]


@pytest.fixture
def subscription_of_bob(client, tide, bob):
    body = {"signal": tide.signal}
    return lambda: client.post("/v1/subscriptions", json=body, headers=bob.headers | KEY)


def test_a_create_sent_twice_is_answered_with_the_same_bytes_and_happens_once(client, make, ada):
    first, second = create(client, ada), create(client, ada)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first.headers["content-type"] == second.headers["content-type"]
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["x-request-id"] != first.headers["x-request-id"]
    assert count(make) == 1


def test_the_same_key_of_another_person_or_another_route_is_another_key(client, make, ada, bob):
    assert create(client, ada).json()["id"] != create(client, bob).json()["id"]
    named = {"name": "laptop", "public_key": "ssh-ed25519 " + "A" * 68}
    other = client.post("/v1/signing-keys", json=named, headers=ada.headers | KEY)
    assert "idempotent-replayed" not in other.headers
    assert other.json().get("code") != "idempotency_key_reused"
    assert count(make) == 2


def test_another_body_under_a_used_key_is_refused_and_makes_nothing(client, make, ada):
    create(client, ada)
    answer = create(client, ada, BODY | {"name": "other"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert count(make) == 1


def test_a_stolen_copy_of_the_table_holds_no_secret_and_no_digest_of_a_guessable_body(
    client, make, ada
):
    secret = create(client, ada).json()["key"]
    ((row,),) = make.connection.execute(
        "select row_to_json(t)::text from account.idempotent_answer t"
    ).fetchall()
    sealed = bytes.fromhex(row.split('"sealed_answer":"\\\\x')[1].split('"')[0])
    assert secret.encode() not in sealed
    assert b"bot" not in sealed
    assert secret not in row


def test_an_answer_moved_to_another_person_in_the_table_does_not_open(client, make, ada, bob):
    create(client, ada)
    make.connection.execute("update account.idempotent_answer set user_id = %s", [bob.id])
    assert create(client, bob).status_code == 500


def test_a_read_key_does_not_get_the_answer_that_only_its_person_may_get(client, ada):
    key = create(client, ada).json()["key"]
    answer = client.post(
        "/v1/api-keys", json=BODY, headers={"Authorization": f"Bearer {key}"} | KEY
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


def test_two_at_once_make_one_and_the_other_is_told_to_wait_or_given_the_same(client, make, ada):
    start = threading.Barrier(8)

    def send(_):
        start.wait()
        return create(client, ada)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(8)))
    assert count(make) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_key_in_use"
            assert answer.headers["retry-after"] == "1"


def test_a_request_that_dies_after_its_effect_leaves_nothing_and_may_be_sent_again(
    client, make, ada
):
    """The answer cannot be stored: then there is no key either, or a second would be made."""
    make.connection.execute("alter table account.idempotent_answer rename to elsewhere")
    assert create(client, ada).status_code == 500
    assert count(make) == 0
    make.connection.execute("alter table account.elsewhere rename to idempotent_answer")
    assert create(client, ada).status_code == 201
    assert count(make) == 1


def test_a_refusal_is_not_remembered(client, make, ada):
    assert create(client, ada, {"name": "bot"}).status_code == 400
    assert create(client, ada).status_code == 201
    assert count(make) == 1


def test_an_effect_that_a_refusal_leaves_on_purpose_stays(client, make, ada):
    """A wrong password counts as an attempt, with a key too."""
    before = count(make, "account.login_throttle")
    for guess in ("one", "two"):
        body = {"password": guess}
        answer = client.post("/v1/auth/totp", json=body, headers=ada.headers | KEY)
        assert answer.status_code == 401
    assert count(make, "account.login_throttle") > before
    assert count(make, "account.idempotent_answer") == 0


def test_after_a_day_the_key_is_free_and_old_answers_are_gone(client, make, ada, bob):
    for person in (ada, bob):
        create(client, person)
    make.connection.execute(
        "update account.idempotent_answer set created_at = created_at - interval '24 hours'"
    )
    assert "idempotent-replayed" not in create(client, ada).headers
    assert count(make) == 3
    assert count(make, "account.idempotent_answer") == 1


def test_subscribing_twice_with_one_key_is_one_subscription_and_no_conflict(
    make, subscription_of_bob
):
    first, second = subscription_of_bob(), subscription_of_bob()
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert count(make, "billing.subscription") == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ä"])
def test_a_key_that_is_none_is_refused_by_name(client, make, ada, key):
    answer = create(client, ada, Idempotency_Key=key.encode())
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Idempotency-Key")
    assert count(make) == 0


def test_a_body_that_is_too_large_is_refused_as_without_a_key(client, ada):
    assert create(client, ada, {"name": "x" * 70_000}).status_code == 413
