"""Guessing passwords: bounded for strangers, from however many addresses; no wait for the owner."""

import math
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from api.auth.login_throttle import account_key
from sql.roles import API

PASSWORD = "correct horse battery"
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
# Every address of 127.0.0.0/8 is this machine's; each of these is in a network of its own.
STRANGERS = [f"127.{number // 200 + 10}.{number % 200}.1" for number in range(300)]


def try_login(client, email, password="a guess", **more):  # noqa: S107 - it is wrong
    return client.post("/v1/auth/login", json={"email": email, "password": password} | more)


def test_a_brute_force_from_300_addresses_is_bounded_and_the_owner_gets_in_at_once(
    app, serve, post_from, ada
):
    with serve(app) as url:

        def sign_in(address, password="a guess", **more):  # noqa: S107 - it is wrong
            body = {"email": ada.email, "password": password} | more
            return post_from(url, address, "/v1/auth/login", body)

        _, _, known = sign_in("127.0.0.1", PASSWORD)
        began = time.monotonic()
        with ThreadPoolExecutor(4) as threads:
            guesses = [status for status, _, _ in threads.map(sign_in, STRANGERS)]
        assert set(guesses) == {401, 429}
        # Thirty-one at once, and one a minute from then on, however long this takes.
        minutes = math.ceil((time.monotonic() - began) / 60)
        assert 31 <= guesses.count(401) <= 31 + 2 * minutes
        status, headers, problem = sign_in(STRANGERS[0], PASSWORD)
        assert (status, problem["code"]) == (429, "too_many_attempts")
        assert 1 <= int(headers["retry-after"]) <= 60
        assert sign_in("127.0.0.1", PASSWORD)[0] == 200
        device_token = known["device_token"]
        assert sign_in("127.99.0.1", PASSWORD, device_token=device_token)[0] == 200


def test_a_brute_force_at_an_address_that_nobody_has_meets_the_same(client, ada):
    known = [try_login(client, ada.email).status_code for _ in range(21)]
    unknown = [try_login(client, "nobody@example.org").status_code for _ in range(21)]
    assert known == unknown == [401] * 20 + [429]


def test_attempts_made_at_once_are_counted_like_those_made_in_turn(client, ada):
    with ThreadPoolExecutor(16) as threads:
        answers = threads.map(lambda _: try_login(client, ada.email), range(32))
    assert sorted(answer.status_code for answer in answers) == [401] * 20 + [429] * 12


def test_guessing_at_one_account_slows_nobody_at_another(client, ada, bob):
    for _ in range(22):
        try_login(client, ada.email)
    assert try_login(client, bob.email, PASSWORD).status_code == 200


def test_the_right_password_forgets_the_wrong_ones(client, ada):
    for _ in range(2):
        assert [try_login(client, ada.email).status_code for _ in range(19)] == [401] * 19
        assert try_login(client, ada.email, PASSWORD).status_code == 200


def test_a_device_token_of_another_person_or_a_forged_one_changes_nothing(client, ada, bob):
    foreign = try_login(client, bob.email, PASSWORD).json()["device_token"]
    for _ in range(20):
        try_login(client, ada.email)
    for token in (foreign, foreign[:-2] + "AA", "a.b.c"):
        assert try_login(client, ada.email, PASSWORD, device_token=token).status_code == 429


def test_a_stolen_device_token_guesses_no_faster_than_one_address(client, ada):
    token = try_login(client, ada.email, PASSWORD).json()["device_token"]
    answers = [try_login(client, ada.email, device_token=token) for _ in range(22)]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429] * 2


def test_a_password_set_anew_by_mail_ends_the_waiting(client, letters, ada):
    for _ in range(22):
        try_login(client, ada.email)
    client.post("/v1/auth/password/forgot", json={"email": ada.email})
    new = "another horse battery"
    body = {"token": letters.token("reset_password"), "password": new}
    assert client.post("/v1/auth/password/reset", json=body).status_code == 204
    assert try_login(client, ada.email, new).status_code == 200


def test_a_failed_login_is_on_record_without_address_or_password(client, make, ada):
    try_login(client, ada.email, "a secret guess")
    try_login(client, "nobody@example.org")
    rows = make.connection.execute(
        "select actor_id, subject, detail from audit.event where action = 'login.failed'"
        " order by id"
    ).fetchall()
    assert rows == [(None, str(ada.id), {}), (None, "unknown account", {})]


@pytest.fixture
def admit(database):
    """Seconds that an attempt is told to wait, by the function that decides."""
    key = account_key(b"x" * 32, "ada@example.org")
    with database.connect(API) as connection:

        def ask(source, at, *, is_known=False):
            (wait,) = connection.execute(
                "select account.admit_login(%s, %s, %s, %s)", [key, source, is_known, at]
            ).fetchone()
            return wait

        yield ask


def test_each_attempt_from_one_network_waits_twice_as_long_up_to_a_quarter_of_an_hour(admit):
    now, waits = NOW, []
    for _ in range(19):
        assert admit("home", now, is_known=True) == 0
    for _ in range(13):
        assert admit("home", now, is_known=True) == 0
        waits.append(admit("home", now, is_known=True))
        now += timedelta(seconds=waits[-1])
    assert waits == [8, 16, 32, 64, 128, 256, 512, *[900] * 6]
    assert admit("home", now + timedelta(days=1, seconds=1), is_known=True) == 0
    assert admit("home", now + timedelta(days=1, seconds=1), is_known=True) == 0


def test_strangers_together_get_one_attempt_a_minute_and_a_day_forgets_a_network(admit):
    assert [admit(f"network {n}", NOW) for n in range(31)] == [0] * 31
    assert admit("another", NOW) == 60
    assert admit("home", NOW, is_known=True) == 0
    later = NOW + timedelta(seconds=60)
    assert (admit("another", later), admit("yet another", later)) == (0, 60)
    assert admit("network 0", NOW + timedelta(days=1, seconds=1)) == 0
