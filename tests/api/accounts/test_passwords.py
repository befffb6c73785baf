"""Passwords that are forgotten or changed, and addresses that change."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from api.auth.passwords import WAITING_PER_THREAD, Passwords
from api.problems import Problem

PASSWORD = "correct horse battery"
NEW = "another horse battery"


def login(client, person, password=PASSWORD, email=None):
    body = {"email": email or person.email, "password": password}
    return client.post("/v1/auth/login", json=body)


def bearer(tokens):
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def me(client, headers):
    return client.get("/v1/auth/me", headers=headers).status_code


def forget(client, email):
    return client.post("/v1/auth/password/forgot", json={"email": email})


def reset(client, token, password=NEW):
    body = {"token": token, "password": password}
    return client.post("/v1/auth/password/reset", json=body)


def test_a_forgotten_password_is_set_anew_by_mail_and_every_login_ends(client, letters, ada):
    tokens = login(client, ada).json()
    assert forget(client, ada.email.upper()).status_code == 202
    assert reset(client, letters.token("reset_password")).status_code == 204
    assert me(client, ada.headers) == me(client, bearer(tokens)) == 401
    old = client.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert old.status_code == 401
    assert login(client, ada).status_code == 401
    assert login(client, ada, NEW).status_code == 200
    assert letters.kinds() == ["password_changed", "reset_password"]


def test_asking_for_a_password_answers_the_same_whether_or_not_somebody_has_the_address(
    client, letters, ada
):
    known, unknown = forget(client, ada.email), forget(client, "nobody@example.org")
    assert known.status_code == unknown.status_code == 202
    assert known.content == unknown.content
    assert {k for k in known.headers if k != "x-request-id"} == {
        k for k in unknown.headers if k != "x-request-id"
    }
    assert letters.kinds() == ["reset_password"]


def test_the_answer_comes_before_anybody_looks_whether_the_address_is_known(
    app, make, ada, letters, serve
):
    """So its time tells nothing: here the looking takes as long as a lock is held."""
    with serve(app) as url, make.connection.transaction():
        make.connection.execute("lock table account.user_account in access exclusive mode")
        answer = httpx.post(f"{url}/v1/auth/password/forgot", json={"email": ada.email}, timeout=10)
        assert answer.status_code == 202
        assert letters.kinds() == []


def test_asking_often_floods_no_mailbox_and_only_the_newest_link_works(client, letters, ada):
    for _ in range(6):
        forget(client, ada.email)
    first, second, newest = letters.tokens("reset_password")
    assert [reset(client, token).status_code for token in (first, second)] == [400, 400]
    assert [reset(client, newest).status_code for _ in range(2)] == [204, 400]


def test_a_link_that_is_too_old_sets_no_password(client, make, letters, ada):
    forget(client, ada.email)
    make.connection.execute("update account.mail_token set expires_at = now()")
    assert reset(client, letters.token("reset_password")).json()["code"] == "invalid_mail_token"
    assert login(client, ada).status_code == 200


def test_a_link_sent_to_an_address_that_the_account_left_sets_no_password(
    client, make, letters, ada
):
    forget(client, ada.email)
    make.connection.execute(
        "update account.user_account set email = 'new@example.org' where id = %s", [ada.id]
    )
    assert reset(client, letters.token("reset_password")).status_code == 400


def test_a_login_that_meets_a_change_of_its_password_opens_nothing(client, make, ada):
    """The old password is found right, and changed before the session begins."""
    with ThreadPoolExecutor(1) as threads:
        with make.connection.transaction():
            make.connection.execute("update account.user_account set password_hash = 'new'")
            meeting = threads.submit(login, client, ada)
            until_it_waits(make.connection)
        assert meeting.result().status_code == 401


def until_it_waits(connection):
    deadline = time.monotonic() + 20
    waits = "select count(*) from pg_locks where not granted"
    while connection.execute(waits).fetchone() == (0,):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_short_new_password_leaves_the_link_good(client, letters, ada):
    forget(client, ada.email)
    token = letters.token("reset_password")
    assert reset(client, token, "short").status_code == 400
    assert reset(client, token).status_code == 204


def test_changing_a_password_takes_the_old_one_and_ends_the_other_logins(client, letters, ada):
    here, elsewhere = login(client, ada).json(), login(client, ada).json()
    body = {"old_password": "a guess", "new_password": NEW}
    wrong = client.post("/v1/auth/password", json=body, headers=bearer(here))
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
    body["old_password"] = PASSWORD
    assert client.post("/v1/auth/password", json=body, headers=bearer(here)).status_code == 204
    assert me(client, bearer(here)) == 200
    assert me(client, bearer(elsewhere)) == me(client, ada.headers) == 401
    assert login(client, ada, NEW).status_code == 200
    assert letters.kinds() == ["password_changed"]


def test_a_stolen_access_token_guesses_the_password_no_faster_than_a_login(client, ada):
    body = {"old_password": "a guess", "new_password": NEW}
    answers = [client.post("/v1/auth/password", json=body, headers=ada.headers) for _ in range(22)]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_an_api_key_changes_neither_password_nor_address(client, ada):
    made = client.post(
        "/v1/api-keys", json={"name": "k", "scopes": ["read", "push"]}, headers=ada.headers
    )
    headers = {"Authorization": f"Bearer {made.json()['key']}"}
    for path, body in (
        ("password", {"old_password": PASSWORD, "new_password": NEW}),
        ("email", {"email": "new@example.org", "password": PASSWORD}),
    ):
        answer = client.post(f"/v1/auth/{path}", json=body, headers=headers)
        assert answer.json()["code"] == "insufficient_scope"


def change_email(client, person, email, password=PASSWORD):
    body = {"email": email, "password": password}
    return client.post("/v1/auth/email", json=body, headers=person.headers)


def confirm_change(client, token):
    return client.post("/v1/auth/email/confirm", json={"token": token})


def test_an_address_changes_once_the_new_one_answers_and_the_old_one_is_told(
    client, make, letters, ada
):
    assert change_email(client, ada, "New@Example.org").status_code == 202
    assert login(client, ada).status_code == 200
    token = letters.token("change_email")
    assert [confirm_change(client, token).status_code for _ in range(2)] == [204, 400]
    assert login(client, ada).status_code == 401
    assert login(client, ada, email="new@example.org").status_code == 200
    sent = make.connection.execute("select kind, address from account.mail").fetchall()
    assert sorted(sent) == [
        ("change_email", "new@example.org"),
        ("email_change_asked", "ada@example.org"),
        ("email_changed", "ada@example.org"),
    ]


def test_a_taken_address_gets_no_letter_and_the_answer_does_not_say_so(client, letters, ada, bob):
    free, taken = (
        change_email(client, ada, "free@example.org"),
        change_email(client, ada, bob.email),
    )
    assert free.status_code == taken.status_code == 202
    assert free.content == taken.content
    assert letters.kinds() == ["change_email", "email_change_asked"]


def test_an_address_that_is_taken_in_the_meantime_is_refused(client, letters, ada):
    change_email(client, ada, "new@example.org")
    body = {"email": "new@example.org", "password": PASSWORD, "handle": "eve"}
    assert client.post("/v1/auth/register", json=body).status_code == 201
    answer = confirm_change(client, letters.token("change_email"))
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")


def test_a_change_of_address_takes_the_password(client, letters, ada):
    assert change_email(client, ada, "new@example.org", "a guess").status_code == 401
    assert letters.kinds() == []


def test_hashes_beyond_the_threads_wait_in_a_short_queue_and_the_rest_are_sent_away():
    release = threading.Event()

    async def crowd():
        passwords = Passwords(2)
        room = 2 * (1 + WAITING_PER_THREAD)
        inside = [asyncio.create_task(passwords._in_thread(release.wait)) for _ in range(room)]
        await asyncio.sleep(0)
        with pytest.raises(Problem) as refused:
            await passwords.verify(None, "a guess")
        assert (refused.value.code, refused.value.retry_after_s) == ("passwords_busy", 1)
        assert sum(t.name.startswith("argon2") for t in threading.enumerate()) >= 2
        release.set()
        await asyncio.gather(*inside)
        assert await passwords.verify(None, "a guess") is False

    asyncio.run(crowd())


def test_the_loop_goes_on_while_a_password_is_hashed():
    async def run():
        passwords = Passwords(1)
        turns = 0
        hashing = asyncio.create_task(passwords.hash(PASSWORD))
        while not hashing.done():
            turns += 1
            await asyncio.sleep(0)
        return turns

    assert asyncio.run(run()) > 10
